import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elapse, systemClock } from '../../schemas/clock.ts';
import { dropCondition, findCondition, setCondition } from '../../schemas/conditions.ts';
import { AppError, codeOf, describeProblem, messageOf, REASONS, type Reason } from '../../schemas/errors.ts';
import { nearest } from '../../schemas/nearest.ts';
import type { Condition } from '../../schemas/program.ts';
import { proxyUrl, timestamp } from '../../schemas/program.ts';

test('a condition moves its time only when its status changes', () => {
  const ready = { type: 'Ready', status: 'True', reason: 'ProbeSucceeded', message: '' } as const;
  const first = setCondition([], ready, 1000);
  assert.equal(first[0]?.lastTransitionTime, '1970-01-01T00:00:01.000Z');
  const again = setCondition(first, { ...ready, reason: 'Other', message: 'm' }, 2000);
  assert.deepEqual(again[0], {
    ...ready,
    reason: 'Other',
    message: 'm',
    lastTransitionTime: first[0]?.lastTransitionTime,
  });
  const down = setCondition(again, { ...ready, status: 'False' }, 3000);
  assert.equal(down[0]?.lastTransitionTime, '1970-01-01T00:00:03.000Z');
  assert.equal(first[0]?.status, 'True', 'the given list stays as it is');
});

test('conditions are sorted by type, found and dropped', () => {
  const one = (type: Condition['type']) => ({ type, status: 'True', reason: '', message: '' }) as const;
  const all = setCondition(
    setCondition(setCondition([], one('Valid'), 0), one('Ready'), 0),
    one('Progressing'),
    0,
  );
  assert.deepEqual(
    all.map(({ type }) => type),
    ['Progressing', 'Ready', 'Valid'],
  );
  assert.equal(findCondition(all, 'Ready')?.type, 'Ready');
  assert.equal(findCondition(dropCondition(all, 'Ready'), 'Ready'), undefined);
});

test('every reason has a meaning in words and an HTTP status', () => {
  for (const [reason, { http, means }] of Object.entries(REASONS)) {
    assert.match(reason, /^[A-Z][A-Za-z]+$/);
    assert.match(means, /^\S.+\.$/s, reason);
    assert.ok(http >= 400 && http < 600, reason);
    assert.equal(new AppError(reason as Reason, 'm').http, http);
  }
});

test('errors keep their cause, hint and details', () => {
  const cause = Object.assign(new Error('inner'), { code: 'ENOENT' });
  const error = new AppError('NotFound', 'outer', {
    cause,
    hint: 'do this',
    details: [{ path: 'a', message: 'b' }],
  });
  assert.equal(error.cause, cause);
  assert.equal(error.retry, 'never');
  assert.equal(messageOf(error), 'outer');
  assert.equal(messageOf('text'), 'text');
  assert.equal(codeOf(cause), 'ENOENT');
  for (const thrown of [null, undefined, 'x', {}, { code: 7 }]) assert.equal(codeOf(thrown), '');
});

test('a problem reads as the contract shows it', () => {
  const problem = { path: 'spec.publishPort', message: 'spec.publishPort must be an integer' };
  assert.equal(
    describeProblem({ ...problem, file: 'programs/x.yaml', line: 12, column: 16 }),
    'programs/x.yaml:12:16: spec.publishPort must be an integer',
  );
  assert.equal(
    describeProblem({ ...problem, file: 'programs/x.yaml' }),
    `programs/x.yaml: ${problem.message}`,
  );
  assert.equal(describeProblem(problem), problem.message);
});

test('the nearest word is what was meant, or none', () => {
  const known = ['userId', 'publishPort', 'env', 'readiness'];
  assert.equal(nearest('publishport', known), 'publishPort');
  assert.equal(nearest('user_id', known), 'userId');
  assert.equal(nearest('envs', known), 'env');
  assert.equal(nearest('replicas', known), undefined);
  assert.equal(nearest('x'.repeat(1e6), known), undefined);
  assert.equal(nearest('', []), undefined);
});

test('times and addresses', () => {
  assert.equal(timestamp(0), '1970-01-01T00:00:00.000Z');
  assert.equal(proxyUrl(19001), 'http://localhost:19001');
  assert.equal(proxyUrl(0), '');
});

test('the system clock fires, and does not when cancelled', async () => {
  const before = systemClock.monotonic();
  let fired = false;
  const cancel = systemClock.after(0, () => {
    fired = true;
  });
  cancel();
  // The clock's own timers hold no process open, so something else has to.
  const hold = setTimeout(() => undefined, 60_000);
  await elapse(systemClock, 2);
  clearTimeout(hold);
  assert.equal(fired, false);
  assert.ok(systemClock.monotonic() >= before);
});
