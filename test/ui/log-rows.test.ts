import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bordersBetween,
  borderWords,
  type LogRow,
  mergeRuns,
  nanosOfId,
  plainText,
  rowsOf,
  stampOf,
} from '../../api/ui/screens/logs/log-rows.ts';
import type { LogLine, LogRun } from '../../schemas/log-line.ts';

const run = (n: number, more: Partial<LogRun> = {}): LogRun => ({
  ...{ id: `r${n}`, container_id: 'c', revision: n, started: `2026-11-22T10:0${n}:00.000Z` },
  ...{ finished: `2026-11-22T10:0${n}:30.000Z`, exit_code: 1, exit: 'exit code 1', kept: null },
  ...more,
});
const line = (text: string, of: string | null): LogLine => ({
  ...{
    id: `c.1.o.${text}`,
    time: '2026-11-22T10:00:00.120000001Z',
    stream: 'stdout',
    run: of,
    text,
    cut_bytes: 0,
  },
});
const words = (rows: readonly LogRow[]) =>
  rows.map((row) =>
    row.kind === 'line' ? row.text : row.kind === 'says' ? row.text : `${row.kind} ${row.run.id}`,
  );

test('runs are divided where one line is of another run than the one before', () => {
  const runs = [run(1), run(2), run(3, { finished: null, exit_code: null, exit: '' })];
  for (const [name, items, before, wanted] of [
    ['the first line has no border before it', [line('a', 'r1')], undefined, ['a']],
    ['a run goes on', [line('a', 'r1'), line('b', 'r1')], 'r1', ['a', 'b']],
    ['one ends and the next begins', [line('a', 'r2')], 'r1', ['ends r1', 'begins r2', 'a']],
    [
      'one that printed nothing',
      [line('a', 'r3')],
      'r1',
      ['ends r1', 'begins r2', 'ends r2', 'begins r3', 'a'],
    ],
    ['a line of which the run is not known', [line('a', null), line('b', 'r1')], 'r1', ['a', 'b']],
    ['a run that is not known', [line('a', 'r9')], 'r1', ['ends r1', 'a']],
    ['a gap', [line('a', 'r1'), { gap: 'gone' }, line('b', 'r1')], 'r1', ['a', 'gone', 'b']],
  ] as const)
    assert.deepEqual(words(rowsOf(items, runs, before)), wanted, name);
});

test('borders at the ends of what is there', () => {
  const runs = [run(1, { kept: 'last words' }), run(2), run(3)];
  assert.deepEqual(words(bordersBetween(undefined, 'r2', runs)), [
    'begins r1',
    'kept r1',
    'ends r1',
    'begins r2',
  ]);
  assert.deepEqual(words(bordersBetween('r3', undefined, runs)), ['ends r3']);
  assert.deepEqual(words(bordersBetween('r2', undefined, runs)), ['ends r2', 'begins r3', 'ends r3']);
  assert.deepEqual(words(bordersBetween(undefined, undefined, [])), []);
});

test('how a run ended is said with how long it was on, and bad is what nobody asked for', () => {
  const said = (more: Partial<LogRun>, kind: 'begins' | 'ends' = 'ends') => {
    const { who, says, firm, rest, isBad } = borderWords({ kind, run: run(2, more) });
    return [`${who}${says}${firm}${rest}`, isBad];
  };
  assert.deepEqual(said({}), ['A run of r2 ended: exit code 1 after 30 s', true]);
  assert.deepEqual(said({ exit_code: 0, exit: 'exit code 0' }), [
    'A run of r2 ended: exit code 0 after 30 s',
    false,
  ]);
  assert.deepEqual(said({ exit_code: 143, exit: 'SIGTERM' })[1], false);
  assert.deepEqual(said({ exit_code: null, exit: '' }), [
    'A run of r2 ended: how is not known after 30 s',
    false,
  ]);
  assert.deepEqual(said({ revision: null }, 'begins'), ['A run begins', false]);
});

test('the newest word on a run counts, and runs stand by their beginnings', () => {
  const merged = mergeRuns([run(2, { finished: null }), run(3)], [run(1), run(2)]);
  assert.deepEqual(
    merged.map(({ id, finished }) => [id, finished !== null]),
    [
      ['r1', true],
      ['r2', true],
      ['r3', true],
    ],
  );
});

test('what colours a terminal is left out, and other signs are shown', () => {
  for (const [raw, wanted] of [
    ['plain', 'plain'],
    ['\x1b[1;31merror\x1b[0m: no', 'error: no'],
    ['\x1b]8;;http://x\x07link\x1b]8;;\x1b\\ on', 'link on'],
    ['\x1b[2K\x1b[1Gdone\r', 'done'],
    ['a\tb', 'a\tb'],
    ['10 %\r20 %', '10 %␍20 %'],
    ['bell\x07', 'bell␇'],
    ['\x1b(Bx', 'x'],
    ['cut \x1b[3', 'cut ␛[3'],
  ] as const)
    assert.equal(plainText(raw), wanted, JSON.stringify(raw));
});

test('times of lines', () => {
  const ms = Date.parse('2026-11-22T10:00:00.007Z');
  assert.equal(stampOf('clock', ms, undefined), '10:00:00.007');
  assert.equal(stampOf('run', ms, ms - 12_340), '+  12.3');
  assert.equal(stampOf('run', ms, undefined), '–');
  assert.equal(stampOf('none', ms, ms), '');
  assert.equal(nanosOfId('c0ffee012345.1795341600000000001.o.0'), '1795341600000000001');
  assert.equal(nanosOfId('none'), undefined);
});
