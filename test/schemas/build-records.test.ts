import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildOf } from '../../schemas/build-records.ts';
import { type BuildRecord, dockerfileLine } from '../../schemas/build-step.ts';

const ID = 'build-0123456789ab';
const AT = '2026-11-22T10:00:00.000Z';
const RECORDS: BuildRecord[] = [
  { kind: 'build', build_id: ID, started: AT },
  { kind: 'step', number: 1, name: 'FROM x', started: AT },
  { kind: 'step', number: 2, name: 'RUN make', started: AT },
  { kind: 'output', number: 2, text: 'cc' },
  { kind: 'end', number: 1, completed: AT, cached: true, error: '' },
  { kind: 'end', number: 2, completed: AT, cached: false, error: 'exit code: 3' },
  { kind: 'full' },
  { kind: 'done', ended: AT, outcome: 'Failed', error: 'dockerfile parse error on line 7: what' },
];
const text = (records: readonly BuildRecord[]) => records.map((one) => `${JSON.stringify(one)}\n`).join('');

test('a build is put together of its records', () => {
  assert.deepEqual(buildOf(ID, text(RECORDS), false), {
    ...{ id: `${ID}@${Date.parse(AT)}`, build_id: ID, started: AT, ended: AT, outcome: 'Failed' },
    ...{
      error: 'dockerfile parse error on line 7: what',
      dockerfile_line: 7,
      is_cut: true,
      is_damaged: false,
    },
    steps: [
      { number: 1, name: 'FROM x', cached: true, started: AT, completed: AT, error: '', output: [] },
      {
        ...{ number: 2, name: 'RUN make', cached: false, started: AT, completed: AT },
        ...{ error: 'exit code: 3', output: ['cc'] },
      },
    ],
  });
});

test('one without an end is running, or was interrupted, or never was', () => {
  const half = text(RECORDS.slice(0, 4));
  assert.equal(buildOf(ID, half, true).outcome, 'Running');
  assert.equal(buildOf(ID, half, false).outcome, 'Interrupted');
  assert.deepEqual([buildOf(ID, '', false).outcome, buildOf(ID, '', false).id], [null, '']);
});

test('wherever a file was cut off, what can be read is told, and that it is damaged', () => {
  const whole = text(RECORDS);
  for (let length = 0; length < whole.length; length++) {
    const build = buildOf(ID, whole.slice(0, length), false);
    const isAtEnd = length === 0 || whole[length - 1] === '\n';
    assert.equal(build.is_damaged, !isAtEnd, `${length}`);
    // Of one that is being written, that is no damage.
    assert.equal(buildOf(ID, whole.slice(0, length), true).is_damaged, false);
  }
});

test('what is no record is left out', () => {
  const odd = [
    '',
    'null',
    '[]',
    '7',
    '{"kind":"output","number":"2","text":"x"}',
    '{"kind":"toString"}',
    '\u0000',
  ];
  const step = '{"kind":"end","number":9,"completed":null,"cached":null,"error":""}';
  const time = '{"kind":"build","build_id":"b","started":"soon"}';
  for (const line of [...odd, time]) {
    const build = buildOf(ID, `${line}\n${text(RECORDS)}${step}\n`, false);
    assert.deepEqual([build.is_damaged, build.steps.length, build.outcome], [true, 3, 'Failed'], line);
    // Its beginning could not be read.
    assert.equal(build.steps[2]?.name, '');
  }
});

test('the line of a Dockerfile is told where the builder names it', () => {
  // As Docker 20.10.24 and 29.7 say it.
  assert.equal(dockerfileLine('dockerfile parse error line 2: unknown instruction: FOO'), 2);
  assert.equal(
    dockerfileLine('failed to solve: dockerfile parse error on line 12: unknown instruction: FOO'),
    12,
  );
  assert.equal(dockerfileLine('process "/bin/sh -c make" did not complete successfully: exit code: 2'), null);
});
