import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSent } from '../../api/ui/screens/watcher/parse-sent.ts';
import {
  Changes,
  partOf,
  prettyOf,
  timeOf,
  uptimeOf,
  variablesOf,
} from '../../api/ui/screens/watcher/watcher-data.ts';

test('answers of any version of the framework become pairs and lists', () => {
  assert.deepEqual(partOf({ config: { serverPort: 8080, on: true }, timestamp: 'x' }).pairs, [
    { name: 'serverPort', text: '8080' },
    { name: 'on', text: 'true' },
  ]);
  assert.deepEqual(partOf({ entries: { a: null, b: { c: [1] } }, count: 2 }).pairs, [
    { name: 'a', text: null },
    { name: 'b', text: '{"c":[1]}' },
  ]);
  const signals = partOf({
    varSigCount: 3,
    recentSignals: [{ type: 'var', content: 'btc updated', createdAt: '2026-11-22T10:00:00.5Z' }, 'odd'],
  });
  assert.deepEqual(signals.pairs, [{ name: 'varSigCount', text: '3' }]);
  assert.deepEqual(signals.listed, [
    { kind: 'var', text: 'btc updated', ms: Date.parse('2026-11-22T10:00:00.500Z') },
    { kind: '', text: 'odd', ms: undefined },
  ]);
  for (const odd of [null, 'text', 5, [], { recentSignals: null }])
    assert.ok(partOf(odd).listed.length === 0);
});

test('variables: those with values, and those that are only watched', () => {
  assert.deepEqual(variablesOf({ variables: { b: 1, a: 'x' } }, { watchedVars: ['b', 'c'], count: 2 }), [
    { name: 'a', text: 'x' },
    { name: 'b', text: '1' },
    { name: 'c', text: null },
  ]);
  assert.deepEqual(variablesOf(undefined, undefined), []);
});

test('a change is one that was seen', () => {
  const changes = new Changes();
  assert.equal(changes.note('a', '1', 10), undefined);
  assert.equal(changes.note('a', '1', 20), undefined);
  assert.equal(changes.note('a', '2', 30), 30);
  assert.equal(changes.note('a', '2', 40), 30);
});

test('texts', () => {
  assert.equal(uptimeOf('5h31m2.123456789s'), '5h31m2s');
  assert.equal(timeOf('0001-01-01T00:00:00Z'), undefined);
  assert.equal(timeOf('12:00'), undefined);
  assert.equal(prettyOf('{"a":1}'), '{\n  "a": 1\n}');
  assert.equal(prettyOf('{"a'), '{"a');
  assert.deepEqual(parseSent('[{"text":"a","at":1},{"at":2},5]'), [{ text: 'a', at: 1 }]);
  assert.deepEqual(parseSent('{'), []);
});
