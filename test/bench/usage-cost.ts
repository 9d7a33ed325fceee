/**
 * `node --import tsx test/bench/usage-cost.ts [--programs 1000] [--looks 40] [--cgroups 1|2]`: what the figures of
 * programs cost the host, as a fraction of one core. No engine and no clock that runs: the looks of ten minutes follow
 * on one another, over files as the kernel shows them, and the CPU time of this process is divided by the time that
 * they stand for. The kernel's own files, of 1,000 empty groups on Linux 6.18, cost about as much as these (version 1).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createMetrics } from '../../controller/metrics.ts';
import { startUsage } from '../../controller/usage/usage.ts';
import { openUsageStore } from '../../registry/records/usage-store.ts';
import type { Clock } from '../../schemas/clock.ts';
import { emptyStatus } from '../../schemas/status.ts';
import { fakeKernel, idOf, MIB } from '../controller/usage/kernel-fixture.ts';
import { createManualClock } from '../sim/manual-clock.ts';

const STEP_MS = 15_000;

const { values } = parseArgs({
  options: {
    programs: { type: 'string', default: '1000' },
    looks: { type: 'string', default: '40' },
    cgroups: { type: 'string', default: '1' },
  },
});
const [count, looks] = [Number(values.programs), Number(values.looks)];
const ids = Array.from({ length: count }, (_, number) => idOf(number + 1));
/** Where figures are written, and files stand in for the kernel's. */
const root = await mkdtemp(join(tmpdir(), 'hersh-usage-cost-'));
try {
  await measure(await recordedKernel(values.cgroups === '2' ? 2 : 1));
} finally {
  await rm(root, { recursive: true, force: true });
}

async function measure(kernel: { proc: string; cgroups: string }): Promise<void> {
  const statuses = new Map(
    ids.map((id, number) => {
      const name = `program-${number}`;
      return [name, { ...emptyStatus(name, 0), state: 'Ready' as const, containerId: id, startedAt: '1' }];
    }),
  );
  const fail = (error: unknown) => {
    throw error;
  };
  const clock = createManualClock();
  let isDone = () => {};
  /** A look ends with the timer of the next one: waited for so, since asking again and again would cost CPU too. */
  const told: Clock = {
    ...clock,
    after(ms, run) {
      isDone();
      return clock.after(ms, run);
    },
  };
  const usage = startUsage({
    registry: {
      status: { names: () => [...statuses.keys()], get: (name) => statuses.get(name) },
      usage: openUsageStore(root, fail, fail),
    },
    engine: {
      placeOf: async () => ({ pid: 77, cpuLimit: 1, memoryLimitBytes: MIB }),
      usageOf: async () => undefined,
    },
    log: { warn: fail } as never,
    metrics: createMetrics(),
    engineTrouble: () => '',
    ...{ clock: told, kernel },
  });
  const look = async (): Promise<void> => {
    const done = new Promise<void>((resolve) => {
      isDone = resolve;
    });
    await clock.advance((clock.nextAt() ?? 0) - clock.monotonic());
    await done;
  };
  for (let warm = 0; warm < 8; warm++) await look();
  const unknown = [...statuses.keys()].filter((name) => usage.figures(name).reason !== '');
  if (unknown.length > 0) throw new Error(`${unknown.length} programs have no figures`);
  const from = process.cpuUsage();
  for (let done = 0; done < looks; done++) await look();
  const { user, system } = process.cpuUsage(from);
  const ms = (user + system) / 1000 / looks;
  const longest = await longestPause(async () => {
    for (let done = 0; done < looks; done++) await look();
  });
  await usage.close();
  process.stdout.write(
    `${count} programs, recorded files of version ${values.cgroups}: ` +
      `${ms.toFixed(1)} ms of CPU a look, ${((100 * ms) / STEP_MS).toFixed(2)} % of a core; ` +
      `nothing else was done for ${longest.toFixed(1)} ms at most\n`,
  );
}

/** The longest time between two turns of the event loop, in milliseconds. */
async function longestPause(work: () => Promise<void>): Promise<number> {
  let [longest, last, isOver] = [0, performance.now(), false];
  const turn = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  isOver = true;
  return longest;
}

async function recordedKernel(version: 1 | 2) {
  const kernel = await fakeKernel(join(root, 'kernel'), version);
  for (const id of ids) await kernel.set(id, { cpuMs: 123_456, memoryMib: 40, idleMib: 10 });
  await kernel.process(77, ids[0] ?? '');
  return kernel;
}
