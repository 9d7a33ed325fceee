import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countRows, type DiffRow, diffRows, type Fold, folded } from '../../api/ui/parts/diff-rows.ts';
import { mergeLines } from '../../api/ui/parts/merge-lines.ts';

const drawn = (rows: readonly (DiffRow | Fold)[]) =>
  rows.map((row) =>
    row.kind === 'fold'
      ? `…${row.rows.length}`
      : `${{ gone: '-', new: '+', same: ' ' }[row.kind]}${row.text}`,
  );
const text = (...lines: string[]) => `${lines.join('\n')}\n`;

test('lines that differ, numbered in both texts', () => {
  const rows = diffRows(text('a', 'b', 'c'), text('a', 'B', 'c', 'd'));
  assert.deepEqual(drawn(rows), [' a', '-b', '+B', ' c', '+d']);
  assert.deepEqual(rows.at(-1), { kind: 'new', text: 'd', to: 4 });
  assert.deepEqual(countRows(rows), { added: 2, gone: 1 });
});

test('line ends of Windows are no difference, a missing last one is', () => {
  assert.deepEqual(drawn(diffRows('a\r\nb\r\n', 'a\nb\n')), [' a', ' b']);
  assert.deepEqual(drawn(diffRows('a\n', 'a')), [' a', '-']);
});

test('what is far from a change is folded, but not a single line', () => {
  const many = Array.from({ length: 9 }, (_, at) => `${at}`);
  const rows = diffRows(text(...many), text(...many.with(4, 'x')));
  assert.deepEqual(drawn(folded(rows, 1)), ['…3', ' 3', '-4', '+x', ' 5', '…3']);
  assert.deepEqual(drawn(folded(rows, 3)).slice(0, 2), [' 0', ' 1']);
});

test('texts that have next to nothing in common are all gone and all new', () => {
  const of = (word: string) => text(...Array.from({ length: 9_000 }, (_, at) => `${word} ${at}`));
  assert.deepEqual(countRows(diffRows(of('a'), of('b'))), { added: 9_000, gone: 9_000 });
});

const BASE = text('a', 'b', 'c', 'd', 'e');
const MERGES: readonly [why: string, mine: string, theirs: string, want: string | undefined][] = [
  ['apart', text('A', 'b', 'c', 'd', 'e'), text('a', 'b', 'c', 'd', 'E'), text('A', 'b', 'c', 'd', 'E')],
  [
    'the same twice',
    text('a', 'X', 'c', 'd', 'e'),
    text('a', 'X', 'c', 'd', 'e'),
    text('a', 'X', 'c', 'd', 'e'),
  ],
  ['one line', text('a', 'X', 'c', 'd', 'e'), text('a', 'Y', 'c', 'd', 'e'), undefined],
  ['next to each other', text('a', 'X', 'c', 'd', 'e'), text('a', 'b', 'Y', 'd', 'e'), undefined],
  ['two put at one place', text('a', '1', 'b', 'c', 'd', 'e'), text('a', '2', 'b', 'c', 'd', 'e'), undefined],
  [
    'taken out and put in',
    text('b', 'c', 'd', 'e'),
    text('a', 'b', 'c', 'd', 'e', 'f'),
    text('b', 'c', 'd', 'e', 'f'),
  ],
];
for (const [why, mine, theirs, want] of MERGES)
  test(`two changes: ${why}`, () => {
    assert.equal(mergeLines(BASE, mine, theirs), want);
    assert.equal(mergeLines(BASE, theirs, mine), want);
  });

test('a change goes to its own place, and not to another that reads the same', () => {
  const probes = (a: string, b: string, more: string[] = []) =>
    text('readiness:', `  path: ${a}`, '  period: 2', ...more, 'liveness:', `  path: ${b}`, '  period: 2');
  const merged = mergeLines(probes('/x', '/x'), probes('/x', '/y'), probes('/x', '/x', ['  failures: 3']));
  assert.equal(merged, probes('/x', '/y', ['  failures: 3']));
  const apart = mergeLines(
    probes('/x', '/x', ['1', '2']),
    probes('/x', '/y', ['1', '2']),
    probes('/x', '/x', ['1', 'more', '2']),
  );
  assert.equal(apart, probes('/x', '/y', ['1', 'more', '2']));
});
