import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  askedAgain,
  nowReady,
  numberTaken,
  refused,
  rolledBack,
  wanted,
} from '../../../controller/program/transitions.ts';
import { emptyMemory, type Rollout } from '../../../schemas/memory.ts';
import { attemptOf, revisionHash } from '../../../schemas/spec-hash.ts';
import { NOW_MS, specOf } from './situation-fixture.ts';

/** Specs of which the last two are one revision, restarted; and what they are built from. */
const SPECS = [
  specOf({ env: { A: '1' } }),
  specOf({ env: { A: '2' } }),
  specOf({ env: { A: '2' }, restartedAt: 'now' }),
];
const IMAGES = ['a'.repeat(64), 'b'.repeat(64)];

interface Step {
  name: string;
  apply(rollout: Rollout, nowMs: number): Rollout;
}

const attempts = fc.record({
  spec: fc.constantFrom(...SPECS),
  image: fc.constantFrom(...IMAGES),
  revision: fc.integer({ min: 1, max: 4 }),
});

const steps: fc.Arbitrary<Step> = fc
  .record({
    kind: fc.constantFrom('wanted', 'askedAgain', 'nowReady', 'numberTaken', 'rolledBack', 'refused'),
    of: attempts,
    message: fc.constantFrom('no such device', 'no space left on device'),
  })
  .map(({ kind, of: { spec, image, revision }, message }) => ({
    name: `${kind} ${SPECS.indexOf(spec)} from ${image.slice(0, 1)} as ${revision}`,
    apply(rollout, nowMs) {
      const bad = { revision, reason: 'ProgressDeadlineExceeded', message };
      const failed = { spec, imageKey: image, bad };
      if (kind === 'wanted') return wanted(rollout, attemptOf(spec, image), nowMs);
      if (kind === 'askedAgain') return askedAgain(rollout);
      if (kind === 'numberTaken') return numberTaken(rollout, revision);
      if (kind === 'rolledBack') return rolledBack(rollout, failed);
      if (kind === 'refused') return refused(rollout, failed, nowMs);
      const hash = revisionHash(spec, image);
      return nowReady(rollout, { revision, hash, imageKey: image, buildId: '', spec });
    },
  }));

/** What a rollout says that can not be, or undefined. */
function wrong(rollout: Rollout): string | undefined {
  const { verdict, attempt, good } = rollout;
  const isOfGood = good !== undefined && attemptOf(good.spec, good.imageKey) === attempt;
  if (verdict !== 'good' && !(rollout.refusals >= 0)) return `${rollout.refusals} refusals`;
  if (verdict === 'good') return isOfGood ? undefined : 'good is another attempt than the good one';
  if (isOfGood) return `the good one is ${verdict}`;
  if (verdict === 'new') return 'nextAt' in rollout || 'reason' in rollout ? 'new, with a reason' : undefined;
  if (good === undefined) return 'bad with nothing to come back';
  const isSame = SPECS.some((spec) =>
    IMAGES.some((image) => attemptOf(spec, image) === attempt && revisionHash(spec, image) === good.hash),
  );
  return isSame ? 'bad is of the revision that is good' : undefined;
}

test('whatever comes after what, a bad attempt has another revision to come back', () => {
  const verdicts = new Set<string>();
  fc.assert(
    fc.property(
      fc.array(fc.tuple(steps, fc.integer({ min: 0, max: 70_000 })), { maxLength: 30 }),
      (story) => {
        let { rollout } = emptyMemory();
        let nowMs = NOW_MS;
        for (const [step, passedMs] of story) {
          nowMs += passedMs;
          rollout = step.apply(rollout, nowMs);
          verdicts.add(rollout.verdict);
          assert.equal(wrong(rollout), undefined, step.name);
        }
      },
    ),
    { numRuns: 500 },
  );
  assert.deepEqual([...verdicts].sort(), ['bad', 'good', 'new'], 'the stories come by all of them');
});
