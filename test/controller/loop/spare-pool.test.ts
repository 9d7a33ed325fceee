import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Spare } from '../../../controller/engine/engine-sandboxes.ts';
import { SPARE_HELD_MS, startSparePool } from '../../../controller/loop/spare-pool.ts';
import { createPorts } from '../../../controller/ports/ports.ts';
import { AppError } from '../../../schemas/errors.ts';
import { createManualClock } from '../../sim/manual-clock.ts';

const RANGE = { min: 19001, max: 19009 };

/** A pool over an engine that has these, which has been told to look. */
async function createBench(
  test: TestContext,
  wanted: number,
  there: readonly Spare[] = [],
  held: Record<string, number> = {},
) {
  const clock = createManualClock();
  const engine = new Map(there.map((one) => [one.publishPort, one]));
  const bench = {
    isIdle: true,
    failure: undefined as AppError | undefined,
    warned: [] as string[],
    lists: 0,
  };
  const ports = createPorts({ range: RANGE, isFree: async () => true, onSpareHeld: () => pool.look() });
  for (const [name, port] of Object.entries(held)) ports.hold(name, port);
  const pool = startSparePool({
    ...{ ports, clock, wanted, range: RANGE, isIdle: () => bench.isIdle },
    log: { warn: (fields: object) => void bench.warned.push(String((fields as { error: unknown }).error)) },
    engine: {
      hasSandboxes: async () => true,
      async listSpares() {
        bench.lists++;
        return [...engine.values()];
      },
      async makeSpare(publishPort) {
        if (bench.failure !== undefined) throw bench.failure;
        engine.set(publishPort, { publishPort, isReady: true });
      },
      removeSpare: async (port) => void engine.delete(port),
    },
  });
  test.after(() => pool.close());
  pool.look();
  await clock.advance(0);
  return { bench, clock, engine, ports, pool, standing: () => [...engine.keys()].sort((a, b) => a - b) };
}

const ready = (publishPort: number): Spare => ({ publishPort, isReady: true });

describe('spare sandboxes', () => {
  it('are made until there are as many as asked for, and made up for when one is taken', async (test) => {
    const { clock, ports, standing, engine } = await createBench(test, 2);
    assert.deepEqual(standing(), [19001, 19002]);
    assert.equal(await ports.reserve('a'), 19001);
    await clock.advance(0);
    assert.deepEqual(standing(), [19001, 19002, 19003]);
    // As the engine shows it when a container has joined it.
    engine.delete(19001);
    await clock.advance(SPARE_HELD_MS);
    assert.deepEqual(standing(), [19002, 19003]);
  });

  it('wait with that until nothing else waits', async (test) => {
    const { bench, clock, ports, standing } = await createBench(test, 1);
    bench.isIdle = false;
    await ports.reserve('a');
    await clock.advance(SPARE_HELD_MS / 2);
    assert.deepEqual(standing(), [19001]);
    bench.isIdle = true;
    await clock.advance(1_000);
    assert.deepEqual(standing(), [19001, 19002]);
  });

  it('are given back by a program that does not start, which keeps the port', async (test) => {
    const { clock, ports, standing } = await createBench(test, 1);
    await ports.reserve('a');
    await clock.advance(SPARE_HELD_MS - 1);
    assert.deepEqual(standing(), [19001, 19002]);
    await clock.advance(1_000);
    assert.deepEqual(standing(), [19002]);
    assert.equal(ports.holder(19001), 'a');
  });

  it('and are spares again where the program is no more by then', async (test) => {
    const { clock, ports, standing } = await createBench(test, 1);
    await ports.reserve('a');
    await clock.advance(SPARE_HELD_MS / 2);
    ports.forget('a');
    await clock.advance(SPARE_HELD_MS);
    assert.equal(standing().length, 1);
    assert.equal(await ports.reserve('b'), 19001);
  });

  it('are adopted as they are, but for those of no use', async (test) => {
    const there = [ready(19005), ready(19006), ready(19007), { publishPort: 19004, isReady: false }];
    const { bench, standing, ports } = await createBench(test, 2, [...there, ready(20001)], { a: 19005 });
    assert.deepEqual(standing(), [19005, 19006, 19007]);
    assert.equal(await ports.reserve('b'), 19006);
    assert.deepEqual(bench.warned, []);
  });

  it('go where fewer are asked for, or none', async (test) => {
    const one = await createBench(test, 1, [ready(19001), ready(19002)]);
    assert.deepEqual(one.standing(), [19001]);
    const none = await createBench(test, 0, [ready(19001), ready(19002)], { a: 19002 });
    assert.deepEqual(none.standing(), []);
    assert.equal(await none.ports.reserve('b'), 19001);
    await none.clock.advance(0);
    assert.deepEqual(none.standing(), []);
  });

  it('are looked at again though nobody tells of anything', async (test) => {
    const { clock, engine, standing } = await createBench(test, 1);
    engine.set(19001, { publishPort: 19001, isReady: false });
    await clock.advance(60_000);
    assert.deepEqual(standing(), [19002]);
    assert.equal(engine.get(19002)?.isReady, true);
  });

  it('that can not be made are told of once, hold no port, and are tried again', async (test) => {
    const { bench, clock, ports, pool, standing } = await createBench(test, 1);
    bench.failure = new AppError('DiskFull', 'no space left on device');
    assert.equal(await ports.reserve('a'), 19001);
    await clock.advance(180_000);
    assert.deepEqual(bench.warned, ['no space left on device']);
    assert.deepEqual(standing(), []);
    const others = Array.from({ length: RANGE.max - RANGE.min }, (_, n) => ports.reserve(`p${n}`));
    assert.equal(new Set(await Promise.all(others)).size, RANGE.max - RANGE.min);
    const freed = ports.held('p3');
    ports.forget('p3');
    bench.failure = undefined;
    pool.look();
    await clock.advance(0);
    assert.deepEqual(standing(), [freed]);
  });

  it('are not told of where the engine is away', async (test) => {
    const { bench, clock, ports } = await createBench(test, 1);
    bench.failure = new AppError('EngineUnavailable', 'it does not answer');
    await ports.reserve('a');
    await clock.advance(60_000);
    assert.deepEqual(bench.warned, []);
  });

  it('take the last port of no program', async (test) => {
    const { clock, ports, standing } = await createBench(test, 9);
    assert.equal(standing().length, 9);
    const given = await Promise.all(
      Array.from({ length: 9 }, (_, n) => ports.reserve(`p${n}`, undefined, n % 2 === 0)),
    );
    assert.equal(new Set(given).size, 9);
    await clock.advance(0);
    assert.equal(standing().length, 9);
  });
});
