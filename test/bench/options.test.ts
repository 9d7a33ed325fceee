import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Measurement } from './bench.ts';
import { readOptions } from './options.ts';

const named = (name: string, more: Partial<Measurement> = {}): Measurement => ({
  ...{ name, measure: async () => [] },
  ...more,
});
const ALL = [named('quick'), named('other'), named('slow', { onlyByName: true })];
const chosen = (...argv: string[]) => readOptions(argv, ALL).chosen.map(({ name }) => name);

test('without names everything is measured but what waits to be named', () => {
  assert.deepEqual(chosen(), ['quick', 'other']);
});

test('several are named at once, and a wrong name lists all there are', () => {
  assert.deepEqual(chosen('--only', 'slow,quick'), ['quick', 'slow']);
  assert.throws(() => chosen('--only', 'quick,nothing'), /quick,other,slow/);
});

test('sizes are numbers above nothing, and those that are not said are not there', () => {
  assert.deepEqual(readOptions(['--programs', '20', '--gigabytes', '0.5'], ALL).sizes, {
    programs: 20,
    gigabytes: 0.5,
  });
  for (const wrong of ['0', '-1', 'many', ''])
    assert.throws(() => readOptions([`--minutes=${wrong}`], ALL), /--minutes/);
});

test('who measures on another engine is asked the same but for the engine', () => {
  for (const on of [['--on', '28.5'], ['--on=28.5']]) {
    const options = readOptions(['--rounds', '3', ...on, '--only', 'quick'], ALL);
    assert.equal(options.on, '28.5');
    assert.deepEqual(options.argv, ['--rounds', '3', '--only', 'quick']);
  }
});
