import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cachedWords, outcomeWords, outputPieces, stepsOf } from '../../api/ui/words/build-steps.ts';
import { takeRecord } from '../../schemas/build-records.ts';
import { type Build, type BuildRecord, type BuildStep, emptyBuild } from '../../schemas/build-step.ts';

const AT = Date.parse('2026-11-22T10:00:00.000Z');
const time = (s: number) => new Date(AT + s * 1000).toISOString();
const step = (number: number, more: Partial<BuildStep> = {}): BuildStep => ({
  ...{
    number,
    name: `[builder ${number}/4] RUN x`,
    cached: false,
    started: null,
    completed: null,
    error: '',
  },
  ...{ output: [], ...more },
});
const build = (steps: BuildStep[], more: Partial<Build> = {}): Build => ({
  ...emptyBuild('build-1'),
  ...{ started: time(0), ended: time(10), outcome: 'Succeeded' as const, steps, ...more },
});

test('the waterfall: bars by time, none for what was cached', () => {
  const [a, b, c] = stepsOf(
    build([
      step(1, { cached: true, started: time(1), completed: time(1) }),
      step(2, { started: time(1), completed: time(6) }),
      step(3, { started: time(6), completed: time(11) }),
    ]),
    AT,
  );
  assert.deepEqual([a?.mark, a?.bar, a?.stage, a?.name], ['Cached', null, '[builder 1/4]', 'RUN x']);
  assert.deepEqual([b?.mark, b?.bar, b?.ms], ['Done', { from: 0, size: 0.5 }, 5_000]);
  assert.deepEqual(c?.bar, { from: 0.5, size: 0.5 });
});

test('marks, where much is not known', () => {
  const marks = (steps: BuildStep[], more: Partial<Build> = {}) =>
    stepsOf(build(steps, more), AT + 9_000).map(({ mark, ms }) => `${mark} ${ms}`);
  const untold = { cached: null };
  const running = { outcome: 'Running' as const, ended: null };
  assert.deepEqual(marks([step(1, { ...untold, started: time(3) })], running), ['Running 6000']);
  assert.deepEqual(marks([step(1, untold), step(2, untold)], running), [
    'Done undefined',
    'Running undefined',
  ]);
  assert.deepEqual(marks([step(1, untold)]), ['Done undefined']);
  assert.deepEqual(marks([step(1, { ...untold, started: time(3) })], { outcome: 'Interrupted' }), [
    'Unended undefined',
  ]);
  assert.deepEqual(marks([step(1, { error: 'canceled' }), step(2, { error: 'exit code: 1' })]), [
    'Canceled undefined',
    'Failed undefined',
  ]);
  assert.deepEqual(marks([]), []);
});

test('how it came out', () => {
  const failed = build([step(1), step(2, { error: 'no' })], { outcome: 'Failed' });
  assert.equal(outcomeWords(failed, AT), 'Failed after 10.0 s in step 2');
  assert.equal(outcomeWords(build([]), AT), 'Built in 10.0 s');
  assert.equal(
    outcomeWords(build([], { outcome: 'Running', ended: null }), AT + 71_000),
    'It is being built, for 1 min 11 s',
  );
  assert.equal(outcomeWords(emptyBuild(''), AT), 'How it went is not known');
  assert.equal(cachedWords(build([step(1, { cached: true }), step(2)])), '1 of 2 steps were cached.');
  assert.equal(cachedWords(build([step(1, { cached: null })])), '');
  assert.deepEqual(outputPieces(['a', 'b', 'fatal: c', 'd']), [
    { text: 'a\nb\n', isTrouble: false },
    { text: 'fatal: c\n', isTrouble: true },
    { text: 'd\n', isTrouble: false },
  ]);
});

test('a build that is followed is put together of its records, whatever their order', () => {
  const followed = emptyBuild('');
  const records: BuildRecord[] = [
    { kind: 'build', build_id: 'build-1', started: time(0) },
    { kind: 'step', number: 2, name: 'b', started: time(1) },
    { kind: 'output', number: 1, text: 'x' },
    { kind: 'step', number: 1, name: 'a', started: time(0) },
    { kind: 'end', number: 2, completed: time(3), cached: false, error: '' },
    { kind: 'full' },
    { kind: 'done', ended: time(4), outcome: 'Failed', error: 'dockerfile parse error on line 3: unknown' },
  ];
  for (const record of records) takeRecord(followed, record);
  assert.deepEqual(
    followed.steps.map(({ number, name, output }) => [number, name, output]),
    [
      [1, 'a', ['x']],
      [2, 'b', []],
    ],
  );
  assert.deepEqual([followed.is_cut, followed.outcome, followed.dockerfile_line], [true, 'Failed', 3]);
  assert.equal(followed.id, `build-1@${AT}`);
});
