import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindWords, known, sorted, total } from '../../../api/ui/screens/host/kinds.ts';
import {
  movedManifests,
  onBranch,
  type Warning,
  warningWords,
} from '../../../api/ui/screens/host/warning-words.ts';
import { plain } from '../../../api/ui/words/words.ts';

const warning = (code: string, more: Partial<Warning> = {}): Warning => ({
  ...{ code, message: 'it is so', names: [], confirm: '', since: '2026-11-28T00:00:00Z' },
  ...more,
});

test('manifests that are gone at once are told by their number', () => {
  const words = warningWords(warning('PrunePaused', { names: ['a', 'b', 'c'] }), 4, true);
  assert.equal(words.title, '3 of 4 manifests are gone at once');
  assert.equal(words.role, 'bad');
  assert.match(plain(words.todo, 0), /git checkout HEAD -- programs/);
});

test('a warning that this page does not know has its code and the words of the host', () => {
  const words = warningWords(warning('SomethingNew'), 1, false);
  assert.deepEqual([words.title, words.says], ['SomethingNew', 'It is so.']);
});

test('commands name the branch that is followed', () => {
  const words = onBranch(warningWords(warning('RemoteDiverged'), 1, true), 'live');
  assert.match(plain(words.todo, 0), /git reset --hard hersh-host\/live/);
});

test('which of those that a prune lets go were only moved is data', () => {
  const moved = warning('ManifestMoved', { names: ['old'] });
  assert.deepEqual(movedManifests([moved, warning('PrunePaused', { names: ['a', 'old'] })]), ['old']);
  assert.equal(warningWords(moved, 2, true).title, 'The manifest of old was moved');
});

test('disk by kind: the largest first, and what nobody measured last', () => {
  const kinds = [
    { kind: 'volume', count: 1, bytes: null },
    { kind: 'sources', count: 3, bytes: null },
    { kind: 'context', count: 2, bytes: 10 },
    { kind: 'image', count: 1, bytes: 20 },
  ];
  assert.deepEqual(
    sorted(kinds).map(({ kind, bytes }) => [kind, bytes]),
    [
      ['image', 20],
      ['context', 10],
      ['sources', null],
      ['volume', null],
    ],
  );
  assert.deepEqual(total(kinds), { bytes: 30, isAll: false });
  assert.equal(kindWords('new-kind').label, 'new-kind');
});

test('a sum of what is known says of how many', () => {
  assert.deepEqual(known([1, null, 2, undefined]), { sum: 3, of: 2 });
  assert.equal(known([null]), null);
});
