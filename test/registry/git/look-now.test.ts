import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFollower } from '../../../registry/git/follower.ts';
import type { GitResult } from '../../../registry/git/run.ts';
import { createTimers } from '../../../registry/git/timers.ts';
import { createManualClock, settle } from '../../sim/manual-clock.ts';

/** A follower of a remote that answers when the test says so; what is counted are its looks. */
function stage() {
  const clock = createManualClock();
  const timers = createTimers(clock, () => undefined);
  const looks: number[] = [];
  /** Whether what a killed host left can not even be looked at. */
  const cutOff = { fails: false };
  let answer: ((result: GitResult) => void) | undefined;
  let answered = 0;
  const follower = createFollower({
    ...{ clock, timers, commonDir: '/nowhere', onWarning: () => undefined, onNews: () => undefined },
    remote: { url: 'https://git.example/x', branch: 'main', intervalMs: 3_600_000 },
    run: () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
    readHead: () => assert.fail('nothing was fetched'),
    locks: { clear: async () => undefined, begin: async () => undefined, end: async () => undefined },
    mover: {
      isUnderWay() {
        looks.push(clock.monotonic() / 1000);
        return cutOff.fails;
      },
      ...{
        isMoving: () => false,
        owesSubmodules: () => false,
        takeBack: () => Promise.reject(new Error('EIO')),
      },
      ...{ bring: async () => '', move: () => assert.fail('nothing was fetched') },
    },
  });
  /** The look that is under way ends, if there is one. */
  const ends = async () => {
    if (answered === looks.length) return;
    answered += 1;
    // Files are looked at before the remote is.
    while (answer === undefined) await settle();
    answer({ code: 128, stdout: '', stderr: 'it is away' });
    answer = undefined;
    await clock.advance(0);
  };
  return { clock, timers, looks, follower, ends, cutOff };
}

describe('git: a look at the remote that is asked for', () => {
  test('is made at once, and however often it is asked for, once', async () => {
    const { clock, looks, follower, ends } = stage();
    const began = follower.begin();
    await ends();
    await began;
    await clock.advance(60_000);
    assert.deepEqual(looks, [0]);
    for (let at = 0; at < 100; at++) follower.look();
    await clock.advance(0);
    assert.deepEqual(looks, [0, 60]);
    await ends();
    await clock.advance(3_599_000);
    assert.deepEqual(looks, [0, 60], 'the next is due an interval later');
    await clock.advance(1_000);
    assert.deepEqual(looks, [0, 60, 3_660]);
  });

  test('while one is under way is made after it, once: that one may have asked too early', async () => {
    const { clock, looks, follower, ends } = stage();
    const began = follower.begin();
    for (let at = 0; at < 100; at++) follower.look();
    await clock.advance(4_000);
    assert.deepEqual(looks, [0]);
    await ends();
    await began;
    assert.deepEqual(looks, [0, 4]);
    await ends();
    await clock.advance(60_000);
    assert.deepEqual(looks, [0, 4]);
  });

  test('again and again begins no more than once a second', async () => {
    const { clock, looks, follower, ends } = stage();
    const began = follower.begin();
    await ends();
    await began;
    for (let at = 0; at < 50; at++) {
      follower.look();
      await clock.advance(100);
      await ends();
    }
    assert.deepEqual(looks, [0, 1, 2, 3, 4, 5]);
  });

  test('one that fails as none should is not the last', async () => {
    const { clock, looks, follower, ends, cutOff } = stage();
    const began = follower.begin();
    await ends();
    await began;
    cutOff.fails = true;
    follower.look();
    await clock.advance(1_000);
    cutOff.fails = false;
    await clock.advance(3_600_000);
    assert.deepEqual(looks, [0, 1, 3_601]);
  });

  test('after the end is not made', async () => {
    const { clock, timers, looks, follower, ends } = stage();
    const began = follower.begin();
    await ends();
    await began;
    timers.close();
    follower.look();
    await clock.advance(10_000);
    assert.deepEqual(looks, [0]);
  });
});
