import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  askedAgain,
  ended,
  endOf,
  isAccounted,
  madeFrom,
  nowReady,
  numberTaken,
  refused,
  rolledBack,
  wanted,
} from '../../../controller/program/transitions.ts';
import { attemptImage, type Made, type Rollout, type RunEnd } from '../../../schemas/memory.ts';
import { type ProgramSpec, timestamp } from '../../../schemas/program.ts';
import { attemptOf, revisionHash } from '../../../schemas/spec-hash.ts';
import { containerOf, HASH, memoryOf, NOW_MS, SETTINGS, specOf } from './situation-fixture.ts';

const [one, two, three] = ['1', '2', '3'].map((N) => specOf({ env: { N } })) as [
  ProgramSpec,
  ProgramSpec,
  ProgramSpec,
];

function madeOf(spec: ProgramSpec, revision: number): Made {
  return { revision, hash: revisionHash(spec, HASH), imageKey: HASH, buildId: 'build-a', spec };
}

const attempt = (spec: ProgramSpec): string => attemptOf(spec, HASH);

const GOOD = madeOf(one, 1);
const LATE = { revision: 2, reason: 'ProgressDeadlineExceeded', message: 'not ready within 5 s' };
const isGood: Rollout = { verdict: 'good', attempt: attempt(one), good: GOOD };
const isNew: Rollout = { verdict: 'new', attempt: attempt(two), refusals: 2, good: GOOD };
const isFirst: Rollout = { verdict: 'new', attempt: attempt(one), refusals: 2 };
const isBad: Rollout = { verdict: 'bad', attempt: attempt(two), refusals: 2, good: GOOD, ...LATE };

describe('an attempt that is wanted', () => {
  it('starts anew where another was before, with no refusal and the good one kept', () => {
    const anew = { verdict: 'new', attempt: attempt(three), refusals: 0, good: GOOD };
    for (const before of [isGood, isNew, isBad])
      assert.deepEqual(wanted(before, attempt(three), NOW_MS), anew, before.verdict);
    const first = { verdict: 'new', attempt: attempt(three), refusals: 0 };
    assert.deepEqual(wanted(isFirst, attempt(three), NOW_MS), first);
  });

  it('is good where it is the good one again', () => {
    for (const before of [isNew, isBad])
      assert.deepEqual(wanted(before, attempt(one), NOW_MS), isGood, before.verdict);
  });

  it('stays what it is where it was wanted before', () => {
    for (const before of [isGood, isNew, isFirst, isBad])
      assert.equal(wanted(before, before.attempt, NOW_MS), before, before.verdict);
  });

  it('is made of the image that it was made of before, until a fresh try is asked for', () => {
    const made = madeFrom(isNew, 'sha256:b');
    assert.deepEqual(made, { ...isNew, image: 'sha256:b' });
    assert.equal(madeFrom(made, 'sha256:b'), made);
    for (const before of [isGood, isBad]) assert.equal(madeFrom(before, 'sha256:b'), before);
    const due: Rollout = { ...isBad, image: 'sha256:b', nextAt: timestamp(NOW_MS) };
    assert.equal(attemptImage(wanted(due, attempt(two), NOW_MS)), 'sha256:b');
    for (const anew of [askedAgain(made), wanted(made, attempt(three), NOW_MS)])
      assert.equal(attemptImage(anew), undefined);
    const good = { ...GOOD, image: 'sha256:a' };
    assert.equal(attemptImage(wanted({ ...made, good }, attempt(one), NOW_MS)), 'sha256:a');
    assert.equal(attemptImage(nowReady(made, good)), 'sha256:b');
  });

  it('and was rolled back is made again when that is due, not a moment before, and counts its refusals on', () => {
    const dueAt = (ms: number): Rollout => ({ ...isBad, nextAt: timestamp(NOW_MS + ms) });
    const soon = dueAt(1);
    assert.equal(wanted(soon, attempt(two), NOW_MS), soon);
    for (const ms of [0, -1])
      assert.deepEqual(wanted(dueAt(ms), attempt(two), NOW_MS), isNew, `due in ${ms} ms`);
  });
});

describe('an attempt for which a fresh try was asked', () => {
  it('starts anew where it was rolled back, with no refusal', () => {
    assert.deepEqual(askedAgain(isBad), { ...isNew, refusals: 0 });
    assert.deepEqual(askedAgain(isNew), { ...isNew, refusals: 0 });
    assert.deepEqual(askedAgain(isFirst), { ...isFirst, refusals: 0 });
  });

  it('stays good where it is the good one', () => {
    assert.deepEqual(askedAgain(isGood), isGood);
  });
});

describe('an attempt that is ready', () => {
  it('is good from then on, the first as any other', () => {
    const second = madeOf(two, 2);
    assert.deepEqual(nowReady(isFirst, GOOD), isGood);
    assert.deepEqual(nowReady(isNew, second), { verdict: 'good', attempt: attempt(two), good: second });
  });

  it('and is known to be good is the same object', () => {
    assert.equal(nowReady(isGood, structuredClone(GOOD)), isGood);
    assert.equal(nowReady(isNew, structuredClone(GOOD)), isNew);
  });

  it('but is older than the wanted one is what that one has to come back to', () => {
    const older = madeOf(three, 3);
    assert.deepEqual(nowReady(isNew, older), { ...isNew, good: older });
    assert.deepEqual(nowReady(isFirst, older), { ...isFirst, good: older });
  });

  it('but is older than the wanted one, which was good by then, leaves that one new', () => {
    const older = madeOf(three, 3);
    const anew = { verdict: 'new', attempt: attempt(one), refusals: 0, good: older };
    assert.deepEqual(nowReady(isGood, older), anew);
  });
});

describe('the number of a revision that nobody remembers', () => {
  it('takes the good one with it where it was its number', () => {
    const bare = { verdict: 'new', attempt: attempt(one), refusals: 0 };
    assert.deepEqual(numberTaken(isGood, 1), bare);
    assert.deepEqual(numberTaken(isNew, 1), { verdict: 'new', attempt: attempt(two), refusals: 2 });
    assert.deepEqual(numberTaken(isBad, 1), { verdict: 'new', attempt: attempt(two), refusals: 2 });
  });

  it('is nothing to any other', () => {
    for (const before of [isGood, isNew, isFirst, isBad])
      assert.equal(numberTaken(before, 2), before, before.verdict);
  });
});

describe('an attempt that had its time', () => {
  it('is bad where there is a good one to come back', () => {
    assert.deepEqual(rolledBack(isNew, { spec: two, imageKey: HASH, bad: LATE }), isBad);
  });

  it('is let alone where there is none', () => {
    assert.equal(rolledBack(isFirst, { spec: one, imageKey: HASH, bad: LATE }), isFirst);
  });

  it('is let alone where it is of the revision of the good one, also when that was to be restarted', () => {
    assert.equal(rolledBack(isGood, { spec: one, imageKey: HASH, bad: LATE }), isGood);
    const again = { ...one, restartedAt: 'now' };
    const restarted = wanted(isGood, attempt(again), NOW_MS);
    assert.equal(restarted.verdict, 'new');
    assert.equal(rolledBack(restarted, { spec: again, imageKey: HASH, bad: LATE }), restarted);
  });

  it('leaves its refusals to none other', () => {
    assert.deepEqual(rolledBack(isNew, { spec: three, imageKey: HASH, bad: LATE }), {
      ...isBad,
      attempt: attempt(three),
      refusals: 0,
    });
  });

  it('of the same spec is bad by the image that it was made of, where both are known', () => {
    const good = { ...GOOD, image: 'sha256:a' };
    const again = { ...one, restartedAt: 'now' };
    const failed = { spec: again, imageKey: HASH, bad: LATE };
    const before: Rollout = { verdict: 'new', attempt: attempt(again), refusals: 0, good };
    for (const image of [{}, { image: 'sha256:a' }])
      assert.equal(rolledBack(before, { ...failed, ...image }), before);
    const after = rolledBack(before, { ...failed, image: 'sha256:b' });
    assert.deepEqual(after, { ...before, ...LATE, verdict: 'bad', image: 'sha256:b' });
    // Its own image is gone: there is nothing to come back.
    const isLost: Rollout = { verdict: 'good', attempt: attempt(one), good };
    assert.equal(rolledBack(isLost, { ...failed, spec: one, image: 'sha256:b' }), isLost);
  });

  it('of the same spec from other sources is another one', () => {
    const other = 'b'.repeat(64);
    const after = rolledBack(isGood, { spec: one, imageKey: other, bad: LATE });
    assert.deepEqual(after, { ...isBad, attempt: attemptOf(one, other), refusals: 0 });
  });
});

describe('an attempt that the engine refuses to start', () => {
  const refusal = { revision: 2, reason: 'StartFailed', message: 'no such device' };
  const again = (before: Rollout, message = refusal.message): Rollout =>
    refused(before, { spec: two, imageKey: HASH, bad: { ...refusal, message } }, NOW_MS);
  const after = (refusals: number): Rollout => ({ ...isNew, refusals });
  const nextAt = timestamp(NOW_MS + 60_000);

  it('is bad, counts that, and is tried again in a minute', () => {
    assert.deepEqual(again(after(0)), {
      ...{ verdict: 'bad', attempt: attempt(two), refusals: 1, good: GOOD, nextAt },
      ...{ ...refusal, reason: 'StartFailed' },
    });
    const second = again(wanted(again(after(0)), attempt(two), NOW_MS + 60_000));
    assert.equal(second.verdict === 'bad' && second.refusals, 2);
  });

  it('is given up at the fifth time, and not before', () => {
    const fourth = again(after(3));
    assert.deepEqual(fourth.verdict === 'bad' && [fourth.refusals, fourth.nextAt], [4, nextAt]);
    const fifth = again(after(4));
    assert.deepEqual(fifth.verdict === 'bad' && [fifth.refusals, 'nextAt' in fifth], [5, false]);
  });

  it('is never given up where that is the fault of the machine', () => {
    for (const message of [
      'write: No space left on device',
      'disk quota exceeded',
      'too many open files',
      'cannot allocate memory',
    ]) {
      const tenth = again(after(9), message);
      assert.deepEqual(tenth.verdict === 'bad' && [tenth.refusals, tenth.nextAt], [10, nextAt], message);
    }
  });

  it('is let alone where no other can come back', () => {
    assert.equal(refused(isFirst, { spec: one, imageKey: HASH, bad: refusal }, NOW_MS), isFirst);
    assert.equal(refused(isGood, { spec: one, imageKey: HASH, bad: refusal }, NOW_MS), isGood);
  });
});

describe('a run of a container', () => {
  const container = containerOf('a', one);
  const { startedAtMs } = container;
  const start = memoryOf({ containers: { a: { settings: SETTINGS }, b: {} } });
  const after = (end: RunEnd) => ended(start, container, end);
  const ENDS: readonly RunEnd[] = ['asked', 'unhealthy', 'crashed', 'finished', 'withEngine'];

  it('comes to any end, once, beside what else is known of it and of others', () => {
    assert.equal(endOf(start, container), undefined);
    for (const end of ENDS) {
      const run = { startedAtMs, end };
      assert.deepEqual(after(end), memoryOf({ containers: { a: { settings: SETTINGS, run }, b: {} } }), end);
      assert.equal(endOf(after(end), container), end);
    }
  });

  it('goes on from one end to another only so', () => {
    const to = (from: RunEnd) =>
      ENDS.filter((end) => endOf(ended(after(from), container, end), container) === end);
    assert.deepEqual(Object.fromEntries(ENDS.map((from) => [from, to(from)])), {
      asked: ['asked'],
      unhealthy: ENDS,
      crashed: ['asked', 'crashed'],
      finished: ['asked', 'finished'],
      withEngine: ['asked', 'withEngine'],
    });
  });

  it('that stays what it is leaves the memory the same object', () => {
    for (const from of ENDS)
      for (const end of ENDS) {
        const before = after(from);
        const next = ended(before, container, end);
        const stays = endOf(next, container) === from;
        assert.equal(next === before, stays, `${from}, then ${end}`);
      }
  });

  it('is accounted for at any end but an unhealthy one, whose end is still to come', () => {
    assert.equal(isAccounted(start, container), false);
    assert.deepEqual(
      ENDS.filter((end) => isAccounted(after(end), container)),
      ['asked', 'crashed', 'finished', 'withEngine'],
    );
  });

  it('is told from the run before, which is forgotten with its end', () => {
    const later = { ...container, startedAtMs: startedAtMs + 1 };
    for (const end of ENDS) {
      assert.equal(endOf(after(end), later), undefined, end);
      const next = ended(after(end), later, 'crashed');
      assert.equal(endOf(next, later), 'crashed');
      assert.equal(endOf(next, container), undefined);
    }
  });
});
