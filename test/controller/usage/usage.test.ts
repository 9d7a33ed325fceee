import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { ContainerPlace, ContainerUsage } from '../../../controller/engine/container-usage.ts';
import { createMetrics } from '../../../controller/metrics.ts';
import { startUsage } from '../../../controller/usage/usage.ts';
import { openUsageStore } from '../../../registry/records/usage-store.ts';
import { AppError } from '../../../schemas/errors.ts';
import type { ProgramState } from '../../../schemas/program.ts';
import { emptyStatus, type ProgramStatus } from '../../../schemas/status.ts';
import { tempFolder, until } from '../../registry/folder.ts';
import { createManualClock } from '../../sim/manual-clock.ts';
import { fakeKernel, idOf, MIB } from './kernel-fixture.ts';

const LIMITS = { cpuLimit: 2, memoryLimitBytes: 256 * MIB };

/** Looks, at one every 15 s. */
const IN_HOUR = 240;
const known = (list: (number | null)[]) => list.filter((one) => one !== null);

/** Programs and an engine of the test's own, over kernel files in a folder. */
async function stage(t: TestContext, version: 1 | 2 = 1) {
  const folder = await tempFolder(t, () => usage.close());
  const kernel = await fakeKernel(await tempFolder(t), version);
  // In the second half of a step: the first look, 5 s later, has that step for itself.
  const clock = createManualClock({ startMs: Date.UTC(2026, 0, 1) + 8_000 });
  const statuses = new Map<string, ProgramStatus>();
  const asked: string[] = [];
  const warned: unknown[] = [];
  const fail = (error: unknown) => assert.fail(String(error));
  const world = {
    /** Of containers that run. */
    places: new Map<string, ContainerPlace>(),
    usages: new Map<string, ContainerUsage>(),
    trouble: '',
    error: undefined as Error | undefined,
  };
  const answer = async <T>(call: string, id: string, from: Map<string, T>): Promise<T | undefined> => {
    asked.push(`${call} ${Number(`0x${id.slice(-2)}`)}`);
    if (world.error !== undefined) throw world.error;
    return from.get(id);
  };
  const metrics = createMetrics();
  const status = { names: () => [...statuses.keys()].sort(), get: (name: string) => statuses.get(name) };
  let store = openUsageStore(folder, fail, fail);
  const start = () =>
    startUsage({
      registry: { status, usage: store },
      engine: {
        placeOf: (id) => answer('place', id, world.places),
        usageOf: (id) => answer('usage', id, world.usages),
      },
      log: { warn: (...args: unknown[]) => void warned.push(args) } as never,
      engineTrouble: () => world.trouble,
      ...{ clock, metrics, kernel },
    });
  let usage = start();
  /** Lets the next look come, and waits until it is done. */
  const look = async (): Promise<void> => {
    const before = usage.version();
    await clock.advance((clock.nextAt() ?? 0) - clock.monotonic());
    await until('it has looked', () => usage.version() > before && clock.nextAt() !== undefined);
  };
  const program = (number: number, state: ProgramState = 'Ready', startedAt = '1'): string => {
    const name = `p${number}`;
    statuses.set(name, { ...emptyStatus(name, 0), state, containerId: idOf(number), startedAt });
    return name;
  };
  return {
    ...{ kernel, clock, statuses, asked, warned, world, metrics, look, program },
    get usage() {
      return usage;
    },
    get store() {
      return store;
    },
    async restart() {
      await usage.close();
      store = openUsageStore(folder, fail, fail);
      usage = start();
    },
  };
}

for (const version of [1, 2] as const) {
  describe(`figures out of the kernel, version ${version}`, () => {
    it('are CPU between two looks, memory and limits; the engine is asked once for all', async (t) => {
      const { kernel, usage, asked, world, program, look } = await stage(t, version);
      for (const number of [1, 2, 3]) {
        program(number);
        await kernel.set(idOf(number), { cpuMs: 1_000 * number, memoryMib: 20 * number, idleMib: 5 });
        world.places.set(idOf(number), { pid: 70 + number, ...LIMITS });
        await kernel.process(70 + number, idOf(number));
      }
      assert.match(usage.figures('p1').reason, /have not been yet/);
      await look();
      const first = usage.figures('p1');
      assert.deepEqual([first.cpu, first.memoryBytes], [null, 15 * MIB]);
      assert.match(first.reason, /this is the first/);
      await kernel.set(idOf(1), { cpuMs: 1_000 + 7_500, memoryMib: 25, idleMib: 5 });
      const before = usage.figures('p1').sampledAtMs;
      await look();
      const { cpu, sampledAtMs, ...rest } = usage.figures('p1');
      assert.equal(cpu, 7_500 / (sampledAtMs - before));
      const limits = { cpuLimit: 0.5, memoryLimitBytes: 512 * MIB };
      assert.deepEqual(rest, { memoryBytes: 20 * MIB, ...limits, reason: '' });
      assert.equal(usage.figures('p3').cpu, 0);
      // Those few are asked side by side; once one is found, others are looked for beside it.
      assert.ok(asked.length <= 3 && asked.every((call) => call.startsWith('place')), `${asked}`);
      asked.length = 0;
      program(4);
      await kernel.set(idOf(4), { cpuMs: 1, memoryMib: 1 });
      await look();
      assert.deepEqual([usage.figures('p4').memoryBytes, asked], [MIB, []]);
    });
  });
}

describe('limits that are not there at the first look', () => {
  it('are known from the look on that finds them, and asked for no more', async (t) => {
    const { kernel, usage, world, program, look } = await stage(t);
    const name = program(1);
    world.places.set(idOf(1), { pid: 71, ...LIMITS });
    await kernel.process(71, idOf(1));
    const limitsNow = async (isLimited: boolean) => {
      await kernel.set(idOf(1), { cpuMs: 1, memoryMib: 1, isLimited });
      await look();
      const { cpuLimit, memoryLimitBytes } = usage.figures(name);
      return [cpuLimit, memoryLimitBytes];
    };
    assert.deepEqual(await limitsNow(false), [null, null]);
    assert.deepEqual(await limitsNow(true), [0.5, 512 * MIB]);
    assert.deepEqual(await limitsNow(false), [0.5, 512 * MIB], 'they are kept for a while');
  });
});

describe('a container that restarts', () => {
  it('has neither a negative rate nor a peak, and counts again from its second look', async (t) => {
    const { kernel, usage, world, program, look } = await stage(t);
    const name = program(1);
    world.places.set(idOf(1), { pid: 71, ...LIMITS });
    await kernel.process(71, idOf(1));
    await kernel.set(idOf(1), { cpuMs: 900_000, memoryMib: 1 });
    await look();
    await look();
    assert.equal(usage.figures(name).cpu, 0);
    await kernel.set(idOf(1), { cpuMs: 50, memoryMib: 1 });
    await look();
    assert.equal(usage.figures(name).cpu, null);
    program(1, 'Ready', '2');
    await kernel.set(idOf(1), { cpuMs: 950_000, memoryMib: 1 });
    await look();
    assert.equal(usage.figures(name).cpu, null, 'the status tells of it a look later');
    await look();
    assert.equal(usage.figures(name).cpu, 0);
    await kernel.end(idOf(1));
    world.places.clear();
    await look();
    assert.deepEqual(
      [usage.figures(name).memoryBytes, usage.figures(name).reason],
      [null, 'it does not run'],
    );
    assert.deepEqual(usage.hour(name).cpu.slice(-6), [null, 0, null, null, 0, null]);
  });
});

describe('figures of an engine elsewhere', () => {
  it('are its own, with the limits it tells', async (t) => {
    const { usage, asked, world, program, look } = await stage(t);
    program(1);
    program(2);
    world.places.set(idOf(1), LIMITS).set(idOf(2), { pid: 99, ...LIMITS });
    world.usages
      .set(idOf(1), { cpuNanos: 1e9, memoryBytes: 7 * MIB })
      .set(idOf(2), { cpuNanos: null, memoryBytes: 5 });
    await look();
    world.usages.set(idOf(1), { cpuNanos: 4e9, memoryBytes: 7 * MIB });
    const before = usage.figures('p1').sampledAtMs;
    asked.length = 0;
    await look();
    const { sampledAtMs, ...rest } = usage.figures('p1');
    assert.deepEqual(rest, {
      cpu: 3_000 / (sampledAtMs - before),
      memoryBytes: 7 * MIB,
      ...LIMITS,
      reason: '',
    });
    assert.deepEqual(asked, ['usage 1', 'usage 2'], 'a process of that number is not to be seen here');
    assert.match(usage.figures('p2').reason, /its CPU is not counted/);
    world.usages.delete(idOf(1));
    world.places.delete(idOf(1));
    await look();
    assert.equal(usage.figures('p1').reason, 'it does not run');
  });

  it('are unknown while it is away, and it is not asked for each of them', async (t) => {
    const { kernel, usage, asked, warned, world, program, look } = await stage(t);
    for (let number = 1; number <= 50; number++) program(number);
    world.error = new AppError('EngineUnavailable', 'it does not answer');
    await look();
    assert.ok(asked.length <= 4, `${asked.length} calls`);
    assert.equal(usage.figures('p50').reason, 'the engine could not be asked: it does not answer');
    [asked.length, world.trouble] = [0, 'gone'];
    await look();
    assert.deepEqual([asked, usage.figures('p1').reason], [[], 'the engine could not be asked: gone']);
    // What the kernel shows is known all the same.
    [world.trouble, world.error] = ['', undefined];
    world.places.set(idOf(1), { pid: 71, ...LIMITS });
    await kernel.process(71, idOf(1));
    for (const number of [1, 2]) await kernel.set(idOf(number), { cpuMs: 1, memoryMib: number });
    await look();
    world.trouble = 'gone';
    await look();
    assert.equal(usage.figures('p2').memoryBytes, 2 * MIB);
    assert.deepEqual(warned, []);
  });

  it('that is wrong for one is right for the others', async (t) => {
    const { usage, world, program, look } = await stage(t);
    program(1);
    program(2, 'Stopped');
    world.error = new AppError('InternalError', 'no such thing');
    await look();
    assert.match(usage.figures('p1').reason, /could not be asked: no such thing/);
    assert.equal(usage.figures('p2').reason, 'it does not run');
    world.error = undefined;
    world.places.set(idOf(1), LIMITS);
    world.usages.set(idOf(1), { cpuNanos: 1, memoryBytes: 1 });
    await look();
    assert.equal(usage.figures('p1').memoryBytes, 1);
  });
});

describe('looks', () => {
  it('come every 15 s, one in each step', async (t) => {
    const { kernel, usage, world, program, look } = await stage(t);
    const name = program(1);
    world.places.set(idOf(1), { pid: 71, ...LIMITS });
    await kernel.process(71, idOf(1));
    await kernel.set(idOf(1), { cpuMs: 1, memoryMib: 3 });
    for (let turn = 0; turn < 12; turn++) await look();
    const { memoryBytes, stepMs } = usage.hour(name);
    assert.deepEqual([stepMs, memoryBytes.slice(-12)], [15_000, Array(12).fill(3 * MIB)]);
    assert.equal(memoryBytes.at(-13), null);
  });

  it('go on where the next host begins; what is deleted is forgotten', async (t) => {
    const all = await stage(t);
    const { kernel, statuses, world, metrics, program, look } = all;
    const name = program(1);
    world.places.set(idOf(1), { pid: 71, ...LIMITS });
    await kernel.process(71, idOf(1));
    await kernel.set(idOf(1), { cpuMs: 2_500, memoryMib: 3 });
    await look();
    await look();
    const { body } = await metrics.text();
    assert.match(body, /^hersh_program_cpu_usage_seconds_total\{program="p1"\} 2\.5$/m);
    assert.match(body, /^hersh_program_memory_working_set_bytes\{program="p1"\} 3145728$/m);
    await all.restart();
    await look();
    assert.deepEqual(all.usage.hour(name).memoryBytes.filter((one) => one !== null).length, 2);
    assert.equal((await all.usage.week(name)).memoryBytes.at(-1), 3 * MIB);
    statuses.delete(name);
    await look();
    assert.match(all.usage.figures(name).reason, /not been yet/);
    assert.doesNotMatch((await metrics.text()).body, /program="p1"/);
  });

  it('keep the hour of what has stopped since, also over a restart, and nothing of what never ran', async (t) => {
    const all = await stage(t);
    const { kernel, statuses, world, program, look } = all;
    const [ran, idle] = [program(1), program(2, 'Created')];
    world.places.set(idOf(1), { pid: 71, ...LIMITS });
    await kernel.process(71, idOf(1));
    await kernel.set(idOf(1), { cpuMs: 1, memoryMib: 3 });
    await look();
    assert.match(all.usage.figures(idle).reason, /does not run/);
    statuses.set(ran, { ...emptyStatus(ran, 0), state: 'Stopped' });
    for (const turn of ['it is down', 'the next host begins']) {
      if (turn === 'the next host begins') await all.restart();
      await look();
      assert.deepEqual(known(all.usage.hour(ran).memoryBytes), [3 * MIB], turn);
      assert.match(all.usage.figures(ran).reason, /does not run/);
    }
    assert.deepEqual(all.store.names(), [ran]);
    for (let turn = 0; turn < IN_HOUR; turn++) await look();
    assert.deepEqual([all.store.names(), known(all.usage.hour(ran).memoryBytes)], [[], []]);
    assert.deepEqual(known((await all.usage.week(ran)).memoryBytes), [3 * MIB]);
  });
});
