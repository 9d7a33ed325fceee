import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PUBLISH_PORT_MAX, PUBLISH_PORT_MIN } from '../../schemas/program.ts';
import type { Bench, Measurement } from './bench.ts';
import { until } from './poll.ts';
import { cpuMs, rssMb } from './process-usage.ts';
import { median, type Row } from './stats.ts';
import { stoppedNames, writeStopped } from './stopped.ts';

/** As many as there are ports. */
const SIZE = PUBLISH_PORT_MAX - PUBLISH_PORT_MIN + 1;
const HOST_PORTS = `${PUBLISH_PORT_MIN}-${PUBLISH_PORT_MAX}`;
/** What a start leaves behind is over by then. */
const CALM_MS = 15_000;
/** One resync, and six looks at the files. */
const IDLE_MS = 60_000;
/** One says little: the host may be at its look at all files just then. */
const EDITS = 9;
const EDITS_AT_ONCE = 500;
const STATUSES_MS_MAX = 10 * 60_000;

/** What is measured of one start of a host, by the name of the row; the unit, and what it is to keep within. */
const FIGURES = {
  ready: { what: 'cold start → ready', unit: 'ms', limit: 4_000 },
  statuses: { what: 'cold start → all statuses written', unit: 'ms', limit: 10_000 },
  idle: { what: 'idle CPU', unit: 'ms/s', limit: 5 },
  rss: { what: 'RSS', unit: 'MB', limit: 160 },
  edit: { what: 'one edit → status', unit: 'ms', limit: 100 },
  many: { what: '500 edits at once → statuses', unit: 'ms', limit: 1_200 },
  warm: { what: 'warm start → ready', unit: 'ms', limit: 2_000 },
} as const;
type Figures = Record<keyof typeof FIGURES, number>;

/** What as many stopped programs cost as a host can hold, beside the same with an older build (`--base`). */
export const scale: Measurement = {
  name: 'scale',
  async measure(bench) {
    const ours: Figures[] = [];
    const bare: Figures[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      ours.push(await oneStart(bench));
      if (bench.base !== undefined) bare.push(await oneStart(bench, bench.base));
      bench.say(`scale: round ${round + 1} of ${bench.rounds}`);
    }
    const keys = Object.keys(FIGURES) as (keyof typeof FIGURES)[];
    return keys.flatMap((key): Row[] => {
      const { what, unit, limit } = FIGURES[key];
      const row = { unit, name: `${SIZE} stopped programs: ${what}`, ours: ours.map((one) => one[key]) };
      const beside = {
        ...row,
        bare: bare.map((one) => one[key]),
        against: 'the build of --base',
        limit: null,
      };
      const own = { ...row, bare: [], against: '', limit: { kind: 'at most', value: limit } as const };
      return bare.length === 0 ? [own] : [own, beside];
    });
  },
};

async function oneStart(bench: Bench, checkout?: string): Promise<Figures> {
  const registry = mkdtempSync(join(tmpdir(), 'hersh-bench-'));
  const given = { instance: `${bench.name}-scale`, portRange: HOST_PORTS, registry };
  const start = () => bench.startHost({ ...given, ...(checkout !== undefined && { checkout }) });
  const names = stoppedNames(SIZE);
  mkdirSync(join(registry, 'programs'));
  for (const name of names) writeStopped(registry, name, 'bench');
  const from = performance.now();
  const host = await start();
  try {
    const isWritten = () => readdirSync(join(registry, 'status')).filter(isStatus).length === SIZE;
    const often = { everyMs: 100, limitMs: STATUSES_MS_MAX };
    await until('all statuses are written', async () => isWritten(), undefined, often);
    const statuses = performance.now() - from;
    await sleep(CALM_MS);
    const before = cpuMs(host.pid);
    await sleep(IDLE_MS);
    const idle = (cpuMs(host.pid) - before) / (IDLE_MS / 1000);
    const rss = rssMb(host.pid);
    const singles: number[] = [];
    for (const name of names.slice(0, EDITS)) singles.push(await edits(registry, [name]));
    const edit = median(singles);
    const many = await edits(registry, names.slice(EDITS, EDITS + EDITS_AT_ONCE));
    await host.stop();
    const again = await start();
    await again.stop();
    return { ready: host.readyMs, statuses, idle, rss, edit, many, warm: again.readyMs };
  } finally {
    await host.stop();
    rmSync(registry, { recursive: true, force: true });
  }
}

const isStatus = (file: string) => file.endsWith('.yaml') && !file.startsWith('.');

/** From the first edit until the last of them is in its status. */
async function edits(registry: string, names: readonly string[]): Promise<number> {
  const userId = 'somebody-else';
  const from = performance.now();
  for (const name of names) writeStopped(registry, name, userId);
  for (const name of names) {
    const path = join(registry, 'status', `${name}.yaml`);
    await until('the edit is in the status', async () => readFileSync(path, 'utf8').includes(userId));
  }
  return performance.now() - from;
}
