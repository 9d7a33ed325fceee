import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRolloutTimer } from '../../../controller/loop/rollout-timer.ts';
import { createManualClock } from '../../sim/manual-clock.ts';

function createBench() {
  const clock = createManualClock();
  let jumpedMs = 0;
  const timer = createRolloutTimer({ ...clock, now: () => clock.now() + jumpedMs });
  return {
    ...{ clock, timer },
    jump: (ms: number) => {
      jumpedMs += ms;
    },
  };
}

describe('the time that a rollout has had', () => {
  it('is none of a program that nobody spoke of', () => {
    assert.deepEqual(createBench().timer.elapsed('app'), {});
  });

  it('goes on from what it is said to have had', async () => {
    const { clock, timer } = createBench();
    timer.note('app', { a: 300, b: 0 });
    assert.deepEqual(timer.elapsed('app'), { a: 300, b: 0 });
    await clock.advance(1_000);
    assert.deepEqual(timer.elapsed('app'), { a: 1_300, b: 1_000 });
  });

  it('is not set anew by what is said of it later', async () => {
    const { clock, timer } = createBench();
    timer.note('app', { a: 0 });
    await clock.advance(1_000);
    timer.note('app', { a: 5 });
    assert.deepEqual(timer.elapsed('app'), { a: 1_000 });
    await clock.advance(500);
    assert.deepEqual(timer.elapsed('app'), { a: 1_500 });
  });

  it('ends when it is spoken of no more, and begins anew', async () => {
    const { clock, timer } = createBench();
    timer.note('app', { a: 0, b: 0 });
    await clock.advance(1_000);
    timer.note('app', { b: 0, c: 20 });
    assert.deepEqual(timer.elapsed('app'), { b: 1_000, c: 20 });
    timer.note('app', { a: 0 });
    assert.deepEqual(timer.elapsed('app'), { a: 0 });
    timer.note('app', {});
    assert.deepEqual(timer.elapsed('app'), {});
  });

  it('is of one program, and is forgotten with it', async () => {
    const { clock, timer } = createBench();
    timer.note('app', { a: 0 });
    await clock.advance(10);
    timer.note('job', { a: 0 });
    await clock.advance(10);
    assert.deepEqual([timer.elapsed('app'), timer.elapsed('job')], [{ a: 20 }, { a: 10 }]);
    timer.forget('app');
    assert.deepEqual([timer.elapsed('app'), timer.elapsed('job')], [{}, { a: 10 }]);
    timer.note('app', { a: 7 });
    assert.deepEqual(timer.elapsed('app'), { a: 7 });
  });

  it('does not change when the wall clock jumps', async () => {
    const { clock, timer, jump } = createBench();
    timer.note('app', { a: 0 });
    await clock.advance(1_000);
    for (const ms of [3_600_000, -7_200_000]) {
      jump(ms);
      assert.deepEqual(timer.elapsed('app'), { a: 1_000 });
    }
  });
});
