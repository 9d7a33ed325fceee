import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figuresOf, type Reading, unknownFigures } from '../../../controller/usage/rates.ts';

const SECOND = 1e9;

const reading = (more: Partial<Reading> = {}): Reading => ({
  run: 'c@1',
  cpuNanos: 10 * SECOND,
  memoryBytes: 5_000,
  cpuLimit: 2,
  memoryLimitBytes: 10_000,
  fromMs: 100_000,
  toMs: 100_000,
  ...more,
});
const after = (more: Partial<Reading> = {}) => reading({ fromMs: 115_000, toMs: 115_000, ...more });

test('CPU is what was used between two readings, as a fraction of one core', () => {
  const figures = figuresOf(reading(), after({ cpuNanos: 32.5 * SECOND }), 7);
  assert.deepEqual(figures, {
    ...{ cpu: 1.5, memoryBytes: 5_000, cpuLimit: 2, memoryLimitBytes: 10_000 },
    ...{ sampledAtMs: 7, reason: '' },
  });
  assert.equal(figuresOf(reading(), after(), 7).cpu, 0, 'nothing was used, which is known');
});

test('of the first reading of a run CPU is unknown, with words, and memory is told', () => {
  const firsts: [string, Reading | undefined, Reading][] = [
    ['no reading before', undefined, after()],
    [
      'another run of the container, whose counter is lower',
      reading(),
      after({ run: 'c@2', cpuNanos: SECOND }),
    ],
    ['and one whose counter is higher already', reading(), after({ run: 'c@2', cpuNanos: 40 * SECOND })],
    ['a counter that began anew before the status tells', reading(), after({ cpuNanos: SECOND })],
    ['unknown before', reading({ cpuNanos: null }), after()],
  ];
  for (const [what, before, now] of firsts) {
    const { cpu, memoryBytes, reason } = figuresOf(before, now, 0);
    assert.deepEqual([cpu, memoryBytes], [null, 5_000], what);
    assert.match(reason, /this is the first/, what);
  }
});

test('an engine that answered late makes no peak', () => {
  // The counter may have been read anywhere between: 15 s of one core, and the answers a second apart.
  const slow = reading({ fromMs: 100_000, toMs: 114_000 });
  const { cpu } = figuresOf(slow, after({ cpuNanos: 25 * SECOND }), 0);
  assert.equal(cpu, 1);
});

test('readings on top of each other are no rate', () => {
  const { cpu, reason } = figuresOf(reading(), reading({ cpuNanos: 11 * SECOND }), 0);
  assert.equal(cpu, null);
  assert.match(reason, /just before/);
});

test('what is not counted is unknown, with words for each', () => {
  const { cpu, memoryBytes, reason } = figuresOf(reading(), after({ cpuNanos: null, memoryBytes: null }), 0);
  assert.deepEqual([cpu, memoryBytes], [null, null]);
  assert.equal(reason, 'its CPU is not counted on this machine; its memory is not counted on this machine');
  assert.deepEqual(unknownFigures('it does not run', 5), {
    ...{ cpu: null, memoryBytes: null, cpuLimit: null, memoryLimitBytes: null },
    ...{ sampledAtMs: 5, reason: 'it does not run' },
  });
});
