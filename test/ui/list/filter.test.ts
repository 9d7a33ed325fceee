import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matcher, needsFigures, parseQuery, queryText, turned } from '../../../api/ui/screens/list/filter.ts';
import { hintsFor } from '../../../api/ui/screens/list/hints.ts';
import { type Figures, seen } from '../../../api/ui/screens/list/seen.ts';
import { isDown, type SortKey, sorted, sortOf, sortText } from '../../../api/ui/screens/list/sort.ts';
import { programBody } from '../program-body.ts';

const ALL = [
  programBody({
    program_id: 'grid-btc',
    restart_count: 7,
    proxy_url: 'http://localhost:19008',
    revision: 12,
  }),
  programBody({ program_id: 'grid-eth', user_id: 'marek', commit: null, wanted_commit: 'abcdef0' }),
  programBody({
    program_id: 'sentiment',
    state: 'Error',
    reason: 'ImageNotFound',
    error_msg: 'Manifest unknown',
    updated_at: '2026-11-28T02:00:00.000Z',
  }),
  programBody({ program_id: 'vol', runtime: 'runsc', state: 'Error', reason: 'DiskFull', proxy_url: '' }),
].map(seen);

const FIGURES: Record<string, Figures> = {
  'grid-btc': { cpu: 0.9, memory: 0.2 },
  'grid-eth': { cpu: 0.1, memory: 0.94 },
};
const figuresOf = (name: string) => FIGURES[name] ?? { cpu: null, memory: null };

function found(text: string): string[] {
  const matches = matcher(parseQuery(text));
  return ALL.filter((one) => matches(one, () => figuresOf(one.name))).map(({ name }) => name);
}

test('tokens and words find programs', () => {
  const cases: [string, string[]][] = [
    ['', ['grid-btc', 'grid-eth', 'sentiment', 'vol']],
    ['is:down', ['sentiment', 'vol']],
    ['-is:down', ['grid-btc', 'grid-eth']],
    ['is:down reason:diskfull', ['vol']],
    ['reason:DiskFull reason:ImageNotFound', ['sentiment', 'vol']],
    ['user:MAREK', ['grid-eth']],
    ['state:error manifest UNKNOWN', ['sentiment']],
    ['commit:7d6a', ['grid-btc', 'sentiment', 'vol']],
    ['commit:abc', ['grid-eth']],
    ['port:19008', ['grid-btc']],
    ['runtime:runsc', ['vol']],
    ['-runtime:RUNSC', ['grid-btc', 'grid-eth', 'sentiment']],
    ['mem:>85', ['grid-eth']],
    ['-mem:>85', ['grid-btc', 'sentiment', 'vol']],
    ['cpu:>5 cpu:<50', ['grid-eth']],
    ['restarts:7', ['grid-btc']],
    ['mem:much', []],
    ['user:', ['grid-btc', 'grid-eth', 'sentiment', 'vol']],
    ['no:such', []],
  ];
  for (const [text, names] of cases) assert.deepEqual(found(text), names, text);
});

test('the text of a query is what it was made of, tokens first', () => {
  assert.equal(queryText(parseQuery('  btc user:ana user:ana  x:y ')), 'user:ana btc x:y');
  assert.equal(needsFigures(parseQuery('-mem:>85')), true);
  assert.equal(needsFigures(parseQuery('memory')), false);
});

test('a token takes the place of another of its key, and goes with a second click', () => {
  assert.deepEqual(turned(['is:down', 'user:ana'], 'is:look'), ['user:ana', 'is:look']);
  assert.deepEqual(turned(['is:down', 'user:ana'], 'is:down'), ['user:ana']);
});

test('hints name keys, then values with how many they find', () => {
  const hints = (text: string) => hintsFor(text, ALL, figuresOf);
  assert.deepEqual(hints('btc -us'), [{ text: '-user:', note: 'user' }]);
  assert.deepEqual(hints('reason:d'), [{ text: 'reason:DiskFull', note: '1' }]);
  assert.deepEqual(hints('runtime:runs'), [{ text: 'runtime:runsc', note: '1' }]);
  assert.deepEqual(hints('mem:'), [
    { text: 'mem:>50', note: '1' },
    { text: 'mem:>85', note: '1' },
  ]);
  assert.deepEqual(hints('no:such'), []);
  assert.deepEqual(hints('x/y'), []);
  assert.equal(hints('').length, 10);
});

test('columns sort: figures from the greatest, names from the first, unknown last', () => {
  const by = (text: string) => sorted(ALL, sortOf(text), figuresOf).map(({ name }) => name);
  assert.deepEqual(by(''), ['vol', 'sentiment', 'grid-btc', 'grid-eth']);
  assert.deepEqual(by('mem'), ['grid-eth', 'grid-btc', 'sentiment', 'vol']);
  assert.deepEqual(by('-name'), ['vol', 'sentiment', 'grid-eth', 'grid-btc']);
  assert.deepEqual(by('restarts')[0], 'grid-btc');
  assert.deepEqual(by('port')[0], 'vol');
});

test('a second click turns a column round, a third turns it back', () => {
  const clicks = (by: SortKey, text = '') => {
    const first = sortText(sortOf(text), by);
    const second = sortText(sortOf(first), by);
    return [first, second, sortText(sortOf(second), by)];
  };
  assert.deepEqual(clicks('cpu'), ['cpu', '-cpu', 'cpu']);
  assert.deepEqual(clicks('state', 'cpu'), ['', '-state', '']);
  assert.deepEqual(
    [isDown(sortOf('cpu')), isDown(sortOf('-cpu')), isDown(sortOf('no such'))],
    [true, false, false],
  );
});
