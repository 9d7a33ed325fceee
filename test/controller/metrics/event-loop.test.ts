import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchEventLoop } from '../../../controller/metrics/event-loop.ts';
import { createFreeBytes } from '../../../controller/metrics/free-bytes.ts';
import { createManualClock } from '../../sim/manual-clock.ts';

test('the lag of the event loop is how much later than asked it comes to a timer', () => {
  let nowMs = 0;
  let due = () => {};
  const told: number[] = [];
  const clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    after(_ms: number, run: () => void) {
      due = run;
      return () => {
        due = () => {};
      };
    },
  };
  const end = watchEventLoop(clock, (ms) => told.push(ms));
  for (const takesMs of [500, 503, 2_500, 499]) {
    nowMs += takesMs;
    due();
  }
  assert.deepEqual(told, [0, 3, 2_000, 0]);
  end();
  due();
  assert.equal(told.length, 4);
});

test('free bytes are what may be written; a file system that does not answer holds up nobody', async () => {
  const clock = createManualClock({ auto: true });
  const free = createFreeBytes('/registry', clock, async () => ({ bavail: 3, bsize: 4096 }));
  assert.equal(await free(), 12_288);
  const none = createFreeBytes('/registry', clock, () => Promise.reject(new Error('ENOENT')));
  assert.equal(await none(), undefined);
  let asked = 0;
  const hangs = createFreeBytes('/registry', clock, () => {
    asked++;
    return new Promise(() => {});
  });
  assert.equal(await hangs(), undefined);
  assert.equal(await hangs(), undefined);
  assert.equal(asked, 1, 'each call that hangs would hold a thread');
});
