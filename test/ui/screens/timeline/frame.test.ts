import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  endOf,
  frameOf,
  RANGES,
  rangeOf,
  ticksOf,
  usualRange,
} from '../../../../api/ui/screens/timeline/frame.ts';
import { ms } from '../../a-program.ts';

const NOW = ms('12:00');
const MINUTE = 60_000;

test('the range is the least that shows how it began, and an hour where nothing is wrong', () => {
  const key = (minutes: number) => usualRange(NOW - minutes * MINUTE, NOW).key;
  assert.deepEqual([key(5), key(40), key(55), key(600), key(60 * 24 * 30)], ['1h', '1h', '6h', '1d', '7d']);
  assert.equal(usualRange(undefined, NOW).key, '1h');
  assert.equal(rangeOf('45m'), undefined);
});

test('a place is a time and a time a place; what is outside is at the edge', () => {
  const frame = frameOf(NOW - 60 * MINUTE, NOW, 1000);
  assert.equal(Math.round(frame.timeAt(frame.x(NOW - 20 * MINUTE))), NOW - 20 * MINUTE);
  assert.equal(frame.x(NOW + MINUTE), frame.right);
  assert.equal(frame.timeAt(0), frame.from);
  assert.equal(frame.has(NOW + 1), false);
});

test('the end moves a pixel at a time', () => {
  const hour = RANGES[1];
  assert.ok(hour);
  const ends = new Set(Array.from({ length: 60 }, (_, second) => endOf(NOW + second * 1_000, hour, 900)));
  assert.ok(ends.size < 20, `${ends.size} ends in a minute`);
  assert.ok([...ends].every((end, at) => end >= NOW + at));
});

test('ticks are round, in the range, and have room', () => {
  for (const { ms: span } of RANGES) {
    for (const width of [320, 1000]) {
      const frame = frameOf(NOW - span, NOW, width);
      const { times, stepMs } = ticksOf(frame);
      assert.ok(times.length > 0 && times.every((time) => frame.has(time) && time % stepMs === 0));
      const [first = 0, second = Number.POSITIVE_INFINITY] = times.map(frame.x);
      assert.ok(second - first > 60);
    }
  }
});
