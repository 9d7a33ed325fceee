import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { RevisionView } from '../../api/program-answers.ts';
import { fileChanges, isOtherBuild } from '../../api/ui/screens/revisions/file-changes.ts';
import { changesOf, madeOf, outcomeWords, pairOf } from '../../api/ui/screens/revisions/revision-rows.ts';
import { specText } from '../../api/ui/screens/revisions/spec-text.ts';
import { sourceFiles } from '../../api/ui/screens/sources/source-files.ts';

const revision = (n: number, more: Partial<RevisionView> = {}): RevisionView => ({
  revision: n,
  ...{ created_at: '', author: 'ana', commit: '', build_id: 'build-1', image_id: '', message: '', log: '' },
  ...{ outcome: 'Ready', current: false, spec: {} },
  ...more,
});

test('a spec is written as YAML that reads as the same spec', () => {
  const spec = {
    userId: 'ana',
    build: { context: 'sources/a b', args: {} },
    image: null,
    env: {
      A: '6',
      B: 'yes',
      C: '',
      D: ' x',
      E: 'a: b',
      F: 'x #y',
      G: '0x1f',
      H: '- a',
      'I J': 'é',
      K: '1e3',
      L: '12:30',
    },
    command: ['node', '--flag', 'a\nb'],
    readiness: { kind: 'http', expect: [200, '300-399'], headers: { 'x-a': '*' } },
    list: [{ a: 1, b: [2] }, [], 'null'],
    cpus: 0.5,
  };
  const text = specText(spec);
  assert.deepEqual(parse(text), spec);
  assert.match(text, /^userId: ana\nbuild:\n {2}context: sources\/a b\n {2}args: \{\}\nimage: null\n/);
});

test('what a revision changed against the one before', () => {
  const before = revision(1, { spec: { env: { A: '1' }, runtime: 'runc' } });
  const after = revision(2, { spec: { env: { A: '2' }, runtime: 'runc' }, build_id: 'build-2' });
  assert.equal(changesOf(after, before), 'env.A: 1 → 2 · other sources');
  assert.equal(changesOf(before, undefined), '');
  const many = revision(3, {
    spec: { env: Object.fromEntries('ABCDEFG'.split('').map((key) => [key, key])) },
  });
  assert.match(changesOf(many, revision(2, { spec: { env: {} } })), /C → ?|3 more fields$/);
  assert.deepEqual(madeOf(before, after), [{ what: 'build', from: 'build-1', to: 'build-2' }]);
});

test('which two are compared', () => {
  const all = [revision(9), revision(8, { current: true }), revision(7)];
  assert.deepEqual(pairOf(all, 9, null), { from: 8, to: 9 });
  assert.deepEqual(pairOf(all, 8, null), { from: 7, to: 8 });
  assert.deepEqual(pairOf(all, 9, '7..9'), { from: 7, to: 9 });
  assert.deepEqual(pairOf(all, 9, '2..9'), { from: 8, to: 9 }, 'one that is not kept');
  assert.equal(pairOf([revision(1)], 1, null), undefined);
  assert.equal(pairOf([], 0, 'x'), undefined);
});

test('what it came to, in a shape and a word', () => {
  assert.equal(outcomeWords(revision(1, { current: true }), 'Ready').word, 'serves');
  assert.equal(
    outcomeWords(revision(1, { current: true, outcome: 'Failed' }), 'Ready').word,
    'serves, failing',
  );
  assert.equal(
    outcomeWords(revision(1, { current: true }), 'Error').word,
    'was ready, current',
    'it is down',
  );
  assert.deepEqual(outcomeWords(revision(1, { outcome: 'Superseded' }), 'Ready'), {
    ...{ shape: 'Created', role: 'rest', word: 'never ran' },
  });
});

test('files: the Dockerfile first, folders last, sizes in bytes where they are known', () => {
  const files = sourceFiles({ 'src/a.go': 'é', b: 'x\uFFFD', Dockerfile: '', a: 'ab' });
  assert.deepEqual(
    files.map(({ name, size }) => [name, size]),
    [
      ['Dockerfile', 0],
      ['a', 2],
      ['b', null],
      ['src/a.go', 2],
    ],
  );
});

test('of two revisions that were built of other files it is told which', () => {
  const file = (name: string, sha256: string, mode = '100644') => ({ name, mode, sha256 });
  const before = [file('Dockerfile', 'a'), file('go.mod', 'b'), file('run', 'c'), file('old', 'd')];
  const after = [file('Dockerfile', 'a'), file('go.mod', 'x'), file('run', 'c', '100755'), file('new', 'd')];
  assert.deepEqual(
    fileChanges(before, after)?.map(({ what, name }) => `${what} ${name}`),
    ['changed go.mod', 'added new', 'removed old', 'changed run'],
  );
  assert.deepEqual(fileChanges(before, before), []);
  assert.equal(fileChanges(null, after), undefined, 'not kept any more');
  const [one, other] = [revision(1, { build_id: 'build-a' }), revision(2, { build_id: 'build-b' })];
  assert.deepEqual([isOtherBuild(one, other), isOtherBuild(one, one)], [true, false]);
  assert.equal(isOtherBuild(one, { ...other, build_id: '' }), false, 'one names its image');
});
