import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSlots } from '../../../controller/engine/slots.ts';
import { createQueue } from '../../../controller/loop/queue.ts';
import { createManualClock, settle } from '../../sim/manual-clock.ts';

/** A worker that notes what it works on, and ends each piece of work when told. */
function createBench() {
  const clock = createManualClock();
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const waited: number[] = [];
  const queue = createQueue(
    clock,
    (key) => {
      begun.push(`${key}@${clock.monotonic()}`);
      return new Promise((resolve) => ends.push(resolve));
    },
    (ms) => waited.push(ms),
  );
  const endAll = async () => {
    while (ends.length > 0) {
      for (const end of ends.splice(0)) end();
      await settle();
    }
  };
  return { clock, begun, ends, waited, queue, endAll };
}

describe('the queue', () => {
  it('works on a key once at a time, and again when it was added meanwhile, however often', async () => {
    const { begun, queue, ends, endAll } = createBench();
    queue.add('a');
    for (let n = 0; n < 3; n++) queue.add('a');
    await settle();
    assert.deepEqual(begun, ['a@0']);
    ends.splice(0)[0]?.();
    await settle();
    assert.deepEqual(begun, ['a@0', 'a@0']);
    await endAll();
    assert.equal(begun.length, 2);
  });

  it('does not work again on what was added before the look at it began', async () => {
    const { begun, queue, ends, endAll } = createBench();
    queue.add('a');
    queue.add('a');
    queue.begin('a');
    await settle();
    assert.equal(begun.length, 1);
    await endAll();
    assert.equal(begun.length, 1);
    queue.add('a');
    queue.begin('a');
    queue.add('a');
    ends.splice(0)[0]?.();
    await settle();
    assert.equal(begun.length, 3);
    await endAll();
  });

  it('tells how long a key waited since it was asked for, and how old what waits and runs is', async () => {
    const { clock, waited, queue, ends, endAll } = createBench();
    assert.deepEqual([queue.oldestMs, queue.longestMs], [0, 0]);
    for (let n = 0; n < 33; n++) queue.add(`k${n}`);
    await clock.advance(300);
    queue.add('k0');
    await clock.advance(200);
    queue.add('k0');
    assert.deepEqual([queue.depth, queue.oldestMs, queue.longestMs], [1, 500, 500]);
    assert.deepEqual(waited, new Array(32).fill(0));
    ends.shift()?.();
    await settle();
    assert.deepEqual(waited.slice(32), [500], 'the one that no worker was free for');
    assert.equal(
      queue.oldestMs,
      200,
      'since it was asked for while it was looked at, and not since that ended',
    );
    await endAll();
    assert.deepEqual(waited.slice(33), [200]);
    assert.deepEqual([queue.oldestMs, queue.longestMs], [0, 0]);
  });

  it('works on 32 keys side by side, and on the others in order of arrival', async () => {
    const { begun, queue, endAll } = createBench();
    for (let n = 0; n < 40; n++) queue.add(`k${n}`);
    await settle();
    assert.equal(begun.length, 32);
    assert.equal(queue.depth, 8);
    await endAll();
    assert.equal(queue.depth, 0);
    assert.deepEqual(
      begun,
      Array.from({ length: 40 }, (_, n) => `k${n}@0`),
    );
  });

  it('looks later at what was asked for later; the earliest time counts, and a look before clears it', async () => {
    const { begun, clock, queue, endAll } = createBench();
    queue.addAfter('a', 500);
    queue.addAfter('a', 100);
    queue.addAfter('a', 300);
    queue.addAfter('b', 200);
    await clock.advance(99);
    assert.deepEqual(begun, []);
    await clock.advance(1);
    await endAll();
    queue.add('b');
    await endAll();
    await clock.advance(10_000);
    assert.deepEqual(begun, ['a@100', 'b@100']);
  });

  it('forgets the timer of a key', async () => {
    const { begun, clock, queue } = createBench();
    queue.addAfter('a', 100);
    queue.forget('a');
    await clock.advance(1_000);
    assert.deepEqual(begun, []);
    assert.equal(clock.nextAt(), undefined);
  });

  it('closes when what runs is done, takes no more work, and leaves no timer', async () => {
    const { begun, clock, queue, endAll } = createBench();
    queue.add('a');
    queue.add('a');
    queue.addAfter('b', 100);
    let closed = false;
    const closing = queue.close().then(() => {
      closed = true;
    });
    queue.add('c');
    queue.addAfter('d', 1);
    await settle();
    assert.equal(closed, false);
    await endAll();
    await closing;
    await clock.advance(1_000);
    assert.deepEqual(begun, ['a@0']);
    assert.equal(clock.nextAt(), undefined);
  });

  it('closes at once when nothing runs', async () => {
    const { queue } = createBench();
    await queue.close();
  });
});

describe('slots', () => {
  /** Work that holds its place until its name is let go. */
  function createWork(max: number, reserved: number) {
    const slots = createSlots(max, reserved);
    const running = new Map<string, () => void>();
    const run = (kind: 'calm' | 'crashing', name: string) =>
      slots.run(kind, () => new Promise<void>((resolve) => running.set(name, resolve)));
    const end = async (name: string) => {
      running.get(name)?.();
      running.delete(name);
      await settle();
    };
    return { run, end, names: () => [...running.keys()] };
  }

  it('keep one place for calm work, however much crashing work waits', async () => {
    const { run, end, names } = createWork(4, 1);
    for (let n = 1; n <= 5; n++) void run('crashing', `x${n}`);
    await settle();
    assert.deepEqual(names(), ['x1', 'x2', 'x3']);
    void run('calm', 'c1');
    void run('calm', 'c2');
    await settle();
    assert.deepEqual(names(), ['x1', 'x2', 'x3', 'c1']);
    await end('x1');
    assert.deepEqual(names(), ['x2', 'x3', 'c1', 'c2'], 'calm work goes first');
    await end('c1');
    assert.deepEqual(names(), ['x2', 'x3', 'c2'], 'the reserved place stays free');
    await end('c2');
    assert.deepEqual(names(), ['x2', 'x3', 'x4']);
  });

  it('give their place back when the work fails, and pass on what it gave', async () => {
    const slots = createSlots(1, 0);
    const failing = slots.run('calm', () => Promise.reject(new Error('no')));
    const next = slots.run('calm', async () => 'yes');
    await assert.rejects(failing, /no/);
    assert.equal(await next, 'yes');
  });
});
