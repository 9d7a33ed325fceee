import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failedBuild, linesAround, placeIn } from '../../../../api/ui/screens/program/failed-build.ts';
import { emptyBuild } from '../../../../schemas/build-step.ts';

test('a failed build is told by its step, or by its own words where it has none', () => {
  const step = { number: 4, name: 'RUN make', cached: false, started: null, completed: null };
  const build = { ...emptyBuild('build-1'), outcome: 'Failed' as const, error: 'it failed' };
  const failed = failedBuild({
    ...build,
    steps: [{ ...step, error: 'exit code: 2', output: ['cc', 'oops'] }],
  });
  assert.deepEqual(failed, { where: 'step 4, RUN make', text: 'cc\noops\nexit code: 2', line: null });
  assert.equal(failedBuild({ ...build, dockerfile_line: 3 })?.text, 'it failed');
  assert.equal(failedBuild({ ...build, outcome: 'Succeeded' }), undefined);
});

test('lines around one of them keep their numbers', () => {
  assert.deepEqual(linesAround('a\nb\nc\nd\ne', 4, 1), { first: 3, text: 'c\nd\ne' });
  assert.deepEqual(linesAround('a\nb\nc', 1, 1), { first: 1, text: 'a\nb' });
});

test('the place of a problem is in its words', () => {
  assert.deepEqual(placeIn('programs/x.yaml:14:5: must be an integer'), {
    line: 14,
    says: 'must be an integer',
  });
  assert.equal(placeIn('it went wrong'), undefined);
});
