import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beyond, inTurn, judge, median, quantile, type Row, turned } from './stats.ts';

const row: Row = { name: 'x', unit: 'ms', ours: [], bare: [], against: '', limit: null };

test('the median is the middle one, or between the two in the middle, in whatever order they came', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 100, 2]), 3);
  assert.equal(median([7]), 7);
  assert.ok(Number.isNaN(median([])));
  // As numbers, not as text.
  assert.equal(median([10, 9, 100]), 10);
});

test('a ratio at its limit holds, one beyond it is missed, both ways', () => {
  const atMost = { kind: 'at most', value: 1.5 } as const;
  const atLeast = { kind: 'at least', value: 1.5 } as const;
  const cases = [
    { ours: [300], bare: [200], limit: atMost, ok: true },
    { ours: [301], bare: [200], limit: atMost, ok: false },
    { ours: [300], bare: [200], limit: atLeast, ok: true },
    { ours: [299], bare: [200], limit: atLeast, ok: false },
  ];
  for (const { ok, ...samples } of cases) assert.equal(judge({ ...row, ...samples }).ok, ok);
});

test('one outlier moves no verdict', () => {
  const limit = { kind: 'at most', value: 1.1 } as const;
  const verdict = judge({ ...row, ours: [100, 101, 9000], bare: [100, 100, 100], limit });
  assert.equal(verdict.ratio, 1.01);
  assert.equal(verdict.ok, true);
});

test('a machine that is slow for some rounds, on both sides, moves no verdict', () => {
  const ours = [110, 1100, 111, 1090, 109];
  const bare = [100, 1000, 100, 1000, 100];
  assert.equal(judge({ ...row, ours, bare }).ratio.toFixed(2), '1.10');
});

test('where there is nothing to compare with, the limit is on the value itself', () => {
  const limit = { kind: 'at most', value: 0 } as const;
  assert.equal(judge({ ...row, ours: [0, 0], limit }).ok, true);
  assert.equal(judge({ ...row, ours: [1, 1], limit }).ok, false);
  assert.ok(Number.isNaN(judge({ ...row, ours: [0], limit }).ratio));
});

test('what must never happen is judged by its worst round', () => {
  const limit = { kind: 'each at most', value: 0 } as const;
  assert.equal(judge({ ...row, ours: [0, 0, 0], limit }).ok, true);
  assert.equal(judge({ ...row, ours: [0, 1, 0], limit }).ok, false);
  assert.equal(judge({ ...row, ours: [], limit }).ok, false);
});

test('nothing measured, or nonsense measured, is a miss', () => {
  const limit = { kind: 'at least', value: 0 } as const;
  assert.equal(judge({ ...row, limit }).ok, false);
  assert.equal(judge({ ...row, ours: [1, Number.NaN, 1], bare: [1, 1, 1], limit }).ok, false);
  assert.equal(judge({ ...row, ours: [1, 1], bare: [1], limit }).ok, false);
  assert.equal(judge({ ...row, ours: [1], bare: [0], limit: { kind: 'at most', value: 1 } }).ok, false);
});

test('everybody comes first equally often', () => {
  const rounds = [0, 1, 2, 3].map((round) => turned(['a', 'b', 'c'], round).join(''));
  assert.deepEqual(rounds, ['abc', 'bca', 'cab', 'abc']);
});

test('a quantile lies between its two neighbours, and at the ends it is the least and the most', () => {
  const samples = [30, 10, 20, 40];
  assert.deepEqual(
    [0, 0.5, 0.75, 1].map((part) => quantile(samples, part)),
    [10, 25, 32.5, 40],
  );
  assert.equal(quantile([7], 0.99), 7);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

test('what is beyond is told round by round, and a missing other side is no figure', () => {
  assert.deepEqual(beyond([5, 9], [3, 10]), [2, -1]);
  assert.deepEqual(beyond([5, 9], [3]), [2, Number.NaN]);
});

test('what is measured in turn is begun by another each round, and the first round is not counted', async () => {
  const order: string[] = [];
  const contestant = (name: string) => async (round: number) => {
    order.push(`${name}${round}`);
    return round;
  };
  const samples = await inTurn(2, { a: contestant('a'), b: contestant('b') });
  assert.deepEqual(samples, { a: [0, 1], b: [0, 1] });
  assert.deepEqual(order, ['a-1', 'b-1', 'a0', 'b0', 'b1', 'a1']);
});
