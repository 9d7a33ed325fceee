import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openRevisionStore } from '../../../registry/records/revision-store.ts';
import { resolveSpec } from '../../../schemas/resolve.ts';
import type { Revision } from '../../../schemas/revision.ts';
import { tempFolder } from '../folder.ts';

const rawSpec = { userId: 'u', image: 'nginx', env: { YES: 'no', TIME: '2026-01-01', LINES: 'a\n  b\n' } };

const revision = (number: number, outcome: Revision['outcome'] = 'Ready'): Revision => ({
  number,
  hash: 'h',
  createdAt: '2026-01-01T00:00:00.000Z',
  commit: '',
  buildId: '',
  buildHash: '',
  imageId: 'sha256:a',
  spec: resolveSpec(rawSpec, 'runc'),
  rawSpec,
  author: 'u',
  outcome,
  message: '',
});
const numbers = (revisions: Revision[]) => revisions.map(({ number }) => number);

test('a revision reads back as it was put, and can be put again', async (t) => {
  const folder = await tempFolder(t);
  const store = openRevisionStore(folder);
  await store.put('p', revision(1, 'Pending'));
  assert.deepEqual(await store.get('p', 1), revision(1, 'Pending'));
  await store.put('p', { ...revision(1), message: 'it: serves # now' });
  assert.deepEqual(await openRevisionStore(folder).get('p', 1), {
    ...revision(1),
    message: 'it: serves # now',
  });
  assert.deepEqual(await readdir(join(folder, 'p')), ['1.yaml']);
  assert.match(
    await readFile(join(folder, 'p', '1.yaml'), 'utf8'),
    /^apiVersion: hersh\.dev\/v1\nkind: ProgramRevision\n/,
  );
});

test('the newest 10 are kept, in the order of their numbers', async (t) => {
  const store = openRevisionStore(await tempFolder(t));
  for (let number = 1; number <= 12; number++) await store.put('p', revision(number));
  assert.deepEqual(numbers(await store.list('p')), [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  assert.equal(await store.get('p', 2), undefined);
});

test('the last one that was ready outlives any number of failures', async (t) => {
  const store = openRevisionStore(await tempFolder(t));
  await store.put('p', revision(1));
  await store.put('p', revision(2));
  for (let number = 3; number <= 20; number++) await store.put('p', revision(number, 'Failed'));
  assert.deepEqual(numbers(await store.list('p')), [2, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
  await store.put('p', revision(20));
  assert.deepEqual(numbers(await store.list('p')), [11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
});

test('damaged files and foreign ones are left out', async (t) => {
  const folder = await tempFolder(t);
  const store = openRevisionStore(folder);
  await store.put('p', revision(1));
  await store.put('p', revision(2));
  const files = {
    '1.yaml': 'torn: [',
    '3.yaml': '',
    '4.yaml': 'revision: {number: 5}',
    '05.yaml': '',
    'x.yaml': '',
    '.hersh-tmp-a': '',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, 'p', name), text);
  await mkdir(join(folder, 'p', '6.yaml'));
  assert.deepEqual(numbers(await store.list('p')), [2]);
});

test('what is removed is gone, and a program without revisions has none', async (t) => {
  const store = openRevisionStore(await tempFolder(t));
  await store.put('p', revision(1));
  await store.remove('p');
  await store.remove('p');
  assert.deepEqual(await store.list('p'), []);
});
