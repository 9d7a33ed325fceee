import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench, Measurement } from './bench.ts';
import { openEngineEvents } from './engine-events.ts';
import type { BenchHost, HostOptions } from './host-process.ts';
import { stallsAtRequests } from './stalls-at-requests.ts';
import { stallsAtScale } from './stalls-at-scale.ts';
import { stallsAtSources } from './stalls-at-sources.ts';
import { stallsAtStarts } from './stalls-at-starts.ts';
import type { Row } from './stats.ts';

const HOST_PORTS = '25500-25999';
const MS_MAX = 50;
/** Most of these take minutes, and what counts is the worst of them. */
const ROUNDS_MAX = 3;

/** Where stalls are looked for: what is done, and how long the event loop stood still at most meanwhile. */
export interface StallScene {
  bench: Bench;
  /** Of its own, empty at first; goes with the scene. */
  registry: string;
  events: Awaited<ReturnType<typeof openEngineEvents>>;
  /** A host on that registry whose event loop is watched, from its first line on. */
  start(options?: Partial<HostOptions>): Promise<BenchHost>;
  /** Notes what the host tells of itself since it was asked last, under that name. */
  note(what: string, host: BenchHost): Promise<void>;
}

export type StallScript = (scene: StallScene) => Promise<void>;

const SCRIPTS: readonly StallScript[] = [stallsAtStarts, stallsAtRequests, stallsAtSources, stallsAtScale];

/** For how long at most the host comes to nothing else while it does each of what the other rows measure. */
export const stalls: Measurement = {
  name: 'stalls',
  onlyByName: true,
  async measure(bench) {
    const events = await openEngineEvents(bench.docker);
    bench.onClose(() => events.close());
    const found = new Map<string, number[]>();
    const rounds = Math.min(ROUNDS_MAX, bench.rounds);
    for (let round = 0; round < rounds; round++) {
      for (const [index, script] of SCRIPTS.entries())
        await runScript(bench, script, { events, found, instance: `${bench.name}-s${index}${round}` });
      bench.say(`stalls: round ${round + 1} of ${rounds}`);
    }
    return [...found].map(
      ([what, ours]): Row => ({
        ...{ name: `longest stall: ${what}`, unit: 'ms', ours, bare: [], against: '' },
        limit: { kind: 'each at most', value: MS_MAX },
      }),
    );
  },
};

interface Run {
  events: StallScene['events'];
  found: Map<string, number[]>;
  instance: string;
}

async function runScript(bench: Bench, script: StallScript, { events, found, instance }: Run): Promise<void> {
  const registry = mkdtempSync(join(tmpdir(), 'hersh-bench-'));
  const hosts: BenchHost[] = [];
  try {
    await script({
      ...{ bench, registry, events },
      async start(options = {}) {
        const given = { instance, portRange: HOST_PORTS, registry, watched: true };
        const host = await bench.startHost({ ...given, ...options });
        hosts.push(host);
        return host;
      },
      async note(what, host) {
        const ms = await host.longestStall();
        bench.say(`stalls: ${what}: ${ms.toFixed(0)} ms`);
        found.set(what, [...(found.get(what) ?? []), ms]);
      },
    });
  } finally {
    for (const host of hosts) await host.stop();
    rmSync(registry, { recursive: true, force: true });
  }
}
