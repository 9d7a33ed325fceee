import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mapLimit } from '../../registry/files/map-limit.ts';
import { LABELS } from '../../schemas/program.ts';
import { ROOT } from '../setup/host-settings.ts';
import type { Bench, Measurement } from './bench.ts';
import { fleetNames, untilAll, writeFleet } from './fleet.ts';
import type { BenchHost } from './host-process.ts';
import { cpuMs } from './process-usage.ts';

const SIZE = 200;
const HOST_PORTS = '28600-28899';
/** Of the older build that it is compared with. */
const BASE_PORTS = '29050-29299';
const READY_MS_MAX = 2_000;
/** Against the build before there was one file (`--base`). */
const CPU_RATIO_MAX = 0.4;
/** After it calls itself ready, the host looks at every program; what that would touch has to show. */
const SETTLE_MS = 3_000;
const INSPECTS_AT_ONCE = 8;

/** How soon a host that starts on 200 running programs is ready, and that it leaves every one alone. */
export const hostStart: Measurement = {
  name: 'host-start',
  async measure(bench) {
    const { base } = bench;
    const ours = createSide(bench, `${bench.name}-start`, HOST_PORTS);
    // Programs of its own: an older host takes no newer ledgers.
    const older = base === undefined ? undefined : createSide(bench, `${bench.name}-base`, BASE_PORTS, base);
    const empty: number[] = [];
    try {
      await ours.fill();
      await older?.fill();
      for (let round = 0; round < bench.rounds; round++) {
        empty.push(await emptyProcess());
        await ours.startOnce();
        await older?.startOnce();
        bench.say(`host-start: round ${round + 1} of ${bench.rounds}`);
      }
    } finally {
      await ours.close();
      await older?.close();
    }
    const name = `host start on ${SIZE} running programs → /readyz`;
    const byClock = { unit: 'ms', name, ours: ours.readyMs } as const;
    const byCpu = { unit: 'ms', name: `${name}, CPU time`, ours: ours.cpuMs } as const;
    return [
      { ...byClock, bare: [], against: '', limit: { kind: 'at most', value: READY_MS_MAX } },
      { ...byClock, bare: empty, against: 'node --import tsx -e 0', limit: null },
      older === undefined
        ? { ...byCpu, bare: [], against: '', limit: null }
        : {
            ...{ ...byCpu, bare: older.cpuMs, against: 'the build of --base' },
            limit: { kind: 'at most', value: CPU_RATIO_MAX },
          },
    ];
  },
};

interface Side {
  readyMs: number[];
  cpuMs: number[];
  /** Has all programs run; no host does then. */
  fill(): Promise<void>;
  /** Starts a host on what runs, and ends it again. */
  startOnce(): Promise<void>;
  close(): Promise<void>;
}

function createSide(bench: Bench, instance: string, portRange: string, checkout?: string): Side {
  const registry = mkdtempSync(join(tmpdir(), 'hersh-bench-'));
  const given = { instance, portRange, registry, ...(checkout !== undefined && { checkout }) };
  let host: BenchHost | undefined;
  let before: ReadonlyMap<string, string> = new Map();
  const side: Side = {
    readyMs: [],
    cpuMs: [],
    async fill() {
      host = await bench.startHost(given);
      await writeFleet(bench, registry, fleetNames(instance, SIZE));
      await untilAllReady(host);
      await host.stop();
      before = await runsOf(bench, instance);
    },
    async startOnce() {
      host = await bench.startHost(given);
      side.cpuMs.push(cpuMs(host.pid));
      side.readyMs.push(host.readyMs);
      await untilAllReady(host);
      await sleep(SETTLE_MS);
      await host.stop();
      assertUntouched(before, await runsOf(bench, instance));
    },
    async close() {
      await host?.stop();
      rmSync(registry, { recursive: true, force: true });
    },
  };
  return side;
}

const untilAllReady = (host: BenchHost) =>
  untilAll(host, 'get Ready', SIZE, ({ state }) => state === 'Ready');

/** When each container of an instance started, by its id. */
async function runsOf({ docker }: Bench, instance: string): Promise<ReadonlyMap<string, string>> {
  const filters = { label: [`${LABELS.instance}=${instance}`] };
  const listed = await docker.listContainers({ all: true, filters });
  const runs = new Map<string, string>();
  await mapLimit(listed, INSPECTS_AT_ONCE, async ({ Id }) => {
    const { State: state } = await docker.getContainer(Id).inspect();
    runs.set(Id, `${state.Status} since ${state.StartedAt}`);
  });
  return runs;
}

function assertUntouched(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): void {
  const ids = new Set([...before.keys(), ...after.keys()]);
  const touched = [...ids].filter((id) => before.get(id) !== after.get(id));
  if (touched.length === 0) return;
  const told = touched.map((id) => `${id.slice(0, 12)}: ${before.get(id)}, now ${after.get(id)}`);
  throw new Error(`the start of the host touched ${touched.length} containers: ${told.join('; ')}`);
}

/** What every process that loads TypeScript costs, before its first line. */
async function emptyProcess(): Promise<number> {
  const from = performance.now();
  const argv = ['--import', 'tsx', '-e', '0'];
  const [code] = await once(spawn(process.execPath, argv, { cwd: ROOT, stdio: 'ignore' }), 'exit');
  if (code !== 0) throw new Error(`node ${argv.join(' ')} ended with ${code}`);
  return performance.now() - from;
}
