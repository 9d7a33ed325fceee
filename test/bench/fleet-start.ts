import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { mapLimit } from '../../registry/files/map-limit.ts';
import { assertSameFlags, type BareContainer, createBare } from './bare-engine.ts';
import type { Bench, Measurement } from './bench.ts';
import { type EngineEvents, openEngineEvents } from './engine-events.ts';
import { fleetNames, lastOf, removeFleet, writeFleet } from './fleet.ts';
import { modelOf } from './healing.ts';
import type { BenchHost } from './host-process.ts';
import { turned } from './stats.ts';

const SIZE = 200;
const HOST_PORTS = '28100-28399';
const SANDBOX_PORTS = '26000-26499';
const BARE_PORT_MIN = 28_400;
/** The engine gains nothing beyond. */
const AT_ONCE = 4;
/** A round takes minutes; of two, each side comes first once. */
const ROUNDS_MAX = 2;
const CALM_MS = 2_000;

/** 200 programs (or fewer, `--programs`) from nothing to started, beside the engine's own calls, four at a time. */
export const fleetStart: Measurement = {
  name: 'fleet-start',
  async measure(bench) {
    const host = await bench.startHost({ instance: `${bench.name}-fleet`, portRange: HOST_PORTS });
    const boxed = await bench.startHost({
      instance: `${bench.name}-boxed`,
      ...{ portRange: SANDBOX_PORTS, flags: { sandbox: 'on' } },
    });
    const size = Math.min(SIZE, bench.sizes.programs ?? SIZE);
    const events = await openEngineEvents(bench.docker);
    bench.onClose(() => events.close());
    const model = await modelOf(bench, host, events);
    const rounds = Math.min(ROUNDS_MAX, bench.rounds);
    const samples = { ours: [] as number[], boxed: [] as number[], bare: [] as number[] };
    const names = (kind: string, round: number) => fleetNames(`${bench.name}-${kind}-${round + 1}`, size);
    const contestants = {
      ours: async (round: number) =>
        samples.ours.push(await startOurs(bench, host, events, names('fleet', round))),
      boxed: async (round: number) =>
        samples.boxed.push(await startOurs(bench, boxed, events, names('boxed', round))),
      bare: async (round: number) =>
        samples.bare.push(await startBare(bench, events, model, names('bare', round))),
    };
    for (let round = 0; round < rounds; round++) {
      for (const contestant of turned(Object.values(contestants), round)) {
        await contestant(round);
        await sleep(CALM_MS);
      }
      bench.say(`fleet-start: round ${round + 1} of ${rounds}`);
    }
    const many = `${size} programs from nothing to started`;
    const name = `${many} (${rounds === 1 ? '1 round' : `${rounds} rounds`})`;
    const row = { unit: 'ms', bare: samples.bare, against: `create + start, ${AT_ONCE} at a time` } as const;
    return [
      { ...row, name, ours: samples.ours, limit: { kind: 'at most', value: 1.15 } },
      {
        ...{ ...row, name: `${name}, --sandbox on`, ours: samples.boxed },
        // They are more work: two containers and a network each, where the other side has one and a network.
        limit: { kind: 'at most', value: 1.3 },
      },
    ];
  },
};

async function startOurs(
  bench: Bench,
  host: BenchHost,
  events: EngineEvents,
  names: readonly string[],
): Promise<number> {
  const started = lastOf(events, names, 'start');
  const from = performance.now();
  await writeFleet(bench, host.registry, names);
  const ms = (await started) - from;
  await removeFleet(host, events, names);
  return ms;
}

async function startBare(
  bench: Bench,
  events: EngineEvents,
  model: Docker.ContainerInspectInfo,
  names: readonly string[],
): Promise<number> {
  const copies = names.map((name, index) => ({
    name,
    port: BARE_PORT_MIN + index,
    instance: `${bench.name}-bare`,
  }));
  const containers: BareContainer[] = [];
  const started = lastOf(events, names, 'start');
  const from = performance.now();
  await mapLimit(copies, AT_ONCE, async (copy) => {
    const container = await createBare(bench.docker, model, copy);
    containers.push(container);
    await container.start();
  });
  const ms = (await started) - from;
  const [one] = containers;
  if (one !== undefined) assertSameFlags(model, await one.inspect());
  await mapLimit(containers, AT_ONCE, (container) => container.remove());
  return ms;
}
