import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bySpan, ends, type Look, type Sample, spreadMs, summaryOf } from './figures.ts';

const sample = (atMs: number, ms: number | null): Sample => ({ atMs, ms });

test('what failed is counted, and is in no quantile', () => {
  const { count, failed, p50 } = summaryOf([sample(0, 10), sample(1, null), sample(2, 30), sample(3, 20)]);
  assert.deepEqual({ count, failed, p50 }, { count: 4, failed: 1, p50: 20 });
});

test('spans are in order of time, and one in which nothing began is left out', () => {
  const spans = bySpan([sample(2_500, 5), sample(100, 1), sample(900, 3), sample(2_000, null)], 1_000);
  assert.deepEqual(
    spans.map(({ atMs, count, failed, p50 }) => [atMs, count, failed, p50]),
    [
      [0, 2, 0, 2],
      [2_000, 2, 1, 5],
    ],
  );
});

test('growth is from the first tenth that was warm to the last', () => {
  const looks: Look[] = Array.from({ length: 40 }, (_, index) => ({
    ...{ atMs: index * 1_000, rssMb: index < 20 ? 500 : index, files: 7, cpuMs: 0 },
  }));
  assert.deepEqual(
    ends(looks, ({ rssMb }) => rssMb, 20_000),
    { start: 20.5, end: 38.5 },
  );
});

test('nobody is hit again before it has had its rest, however few there are', () => {
  assert.equal(spreadMs(500, 2_000, 620_000), 2_000);
  assert.equal(spreadMs(31, 2_000, 620_000), 20_000);
});
