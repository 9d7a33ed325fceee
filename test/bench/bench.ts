import { randomBytes } from 'node:crypto';
import type Docker from 'dockerode';
import { mapLimit } from '../../registry/files/map-limit.ts';
import { LABELS } from '../../schemas/program.ts';
import { removeHolds } from '../setup/holds.ts';
import type { Say } from '../setup/say.ts';
import type { TestImage } from '../setup/test-image.ts';
import { type BenchHost, type HostOptions, startBenchHost } from './host-process.ts';
import type { Row } from './stats.ts';

/** Hundreds of containers may be left; the engine gains nothing beyond. */
const REMOVALS_AT_ONCE = 4;

/** One measurement: what `--only` names, and what it finds. */
export interface Measurement {
  name: string;
  /** Takes long, or is about something rare: measured only where it is named. */
  onlyByName?: true;
  measure(bench: Bench): Promise<Row[]>;
}

/** How much of everything, where it was said; each measurement has its own default. */
export interface Sizes {
  programs?: number;
  manifests?: number;
  minutes?: number;
  gigabytes?: number;
}

/** What measurements share. Everything made through it carries the run's name and goes with `close`. */
export interface Bench {
  docker: Docker;
  say: Say;
  image: TestImage;
  /** How many times everything is measured, on each side. */
  rounds: number;
  /** A checkout of an older build to compare with, where one was named. */
  base?: string;
  sizes: Sizes;
  /** Where pictures go, if anywhere. */
  pictures?: string;
  /** For what is measured of one host alone: whether its programs have network sandboxes. */
  sandbox?: 'on' | 'off';
  /** Of the engine. */
  version: string;
  /** `bench-<hex>`: the instance of a host, and the beginning of every other name. */
  name: string;
  startHost(options: Partial<HostOptions> & Pick<HostOptions, 'portRange'>): Promise<BenchHost>;
  /** Called by `close`, latest first. */
  onClose(close: () => Promise<void>): void;
  run(measurement: Measurement): Promise<Row[]>;
  /** Ends what is being measured, and removes all that was made. */
  close(): Promise<void>;
}

type Made = 'docker' | 'say' | 'image' | 'rounds' | 'base' | 'sizes' | 'pictures' | 'sandbox' | 'version';

export function createBench(made: Pick<Bench, Made>): Bench {
  const { docker } = made;
  const name = `bench-${randomBytes(4).toString('hex')}`;
  const closers: (() => Promise<void>)[] = [];
  const hosts = new Set<Promise<BenchHost>>();
  let measuring: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    for (const close of closers.reverse()) await close().catch(complain);
    // Hosts first, one that is only starting too: they would bring back what is removed under them.
    for (const host of hosts) await host.then((started) => started.stop()).catch(complain);
    // Without its hosts and its events a measurement that runs fails; until then it may still make something.
    await measuring.catch(() => {});
    await removeAll(docker, name, complain);
  }
  const complain = (error: unknown) => made.say(`Cleaning up: ${(error as Error).message}`);

  return {
    ...made,
    name,
    startHost(options) {
      if (closing !== undefined) return Promise.reject(new Error('the benchmark ends'));
      const host = startBenchHost({ instance: name, ...options });
      hosts.add(host);
      host.catch(() => hosts.delete(host));
      return host;
    },
    onClose: (close) => closers.push(close),
    run(measurement) {
      const rows = measurement.measure(this);
      measuring = rows;
      return rows;
    },
    close() {
      closing ??= closeAll();
      return closing;
    },
  };
}

/** Containers first: they hold the rest. Everything is found by the run's name, which nobody else has. */
async function removeAll(docker: Docker, run: string, complain: (error: unknown) => void): Promise<void> {
  // Programs first: what holds their network has no other use.
  for (const label of [LABELS.instance, LABELS.sandboxInstance]) {
    const containers = await docker.listContainers({ all: true, filters: { label: [label] } });
    const ours = containers.filter(({ Labels }) => Labels[label]?.startsWith(run));
    await mapLimit(ours, REMOVALS_AT_ONCE, ({ Id }) =>
      docker.getContainer(Id).remove({ force: true, v: true }),
    );
  }
  const filters = { name: [run] };
  const { Volumes } = await docker.listVolumes({ filters });
  for (const { Name } of Volumes ?? []) await docker.getVolume(Name).remove({ force: true });
  for (const { Id } of await docker.listNetworks({ filters })) {
    // After many crashes the engine may count endpoints that are gone, until it is restarted: no reason to lose figures.
    await docker.getNetwork(Id).remove().catch(complain);
  }
  await removeHolds(docker, [run]).catch(complain);
  for (const { Id } of await docker.listImages({ filters: { label: [`${RUN_LABEL}=${run}`] } })) {
    await docker.getImage(Id).remove({ force: true });
  }
}

/** On every image that a run builds; its Dockerfiles set it, so that no two runs build the same. */
export const RUN_LABEL = 'hersh-bench.run';

/** A Dockerfile of the test server that is this run's own. `variant` makes another build of it. */
export function dockerfileOf({ name, image }: Bench, variant = ''): string {
  return `FROM ${image.tag}\nLABEL ${RUN_LABEL}=${name} hersh-bench.variant="${variant}"\n`;
}

/** What is kept to on 20.10, and on engines that tell of an end only when all is cleaned up behind it. */
export function byEngine({ version }: Pick<Bench, 'version'>, old: number, newer: number): number {
  return Number.parseInt(version, 10) <= 20 ? old : newer;
}
