import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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
  assert.deepEqual(numbers(await store.list('p')), [2, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
});

test('the last ready one that differs from what serves stays, however often that is made anew', async (t) => {
  const store = openRevisionStore(await tempFolder(t));
  const put = (number: number, hash: string, outcome: Revision['outcome'] = 'Ready') =>
    store.put('p', { ...revision(number, outcome), hash });
  await put(1, 'older');
  await put(2, 'a');
  for (let number = 3; number <= 14; number++) await put(number, `failed ${number}`, 'Failed');
  await put(15, 'b');
  assert.deepEqual(numbers(await store.list('p')), [2, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  for (let number = 16; number <= 30; number++) await put(number, 'b');
  assert.deepEqual(numbers(await store.list('p')), [2, 22, 23, 24, 25, 26, 27, 28, 29, 30]);
});

test('what never ran goes first, and what is damaged; what older hosts called Failed goes by its age', async (t) => {
  const folder = await tempFolder(t);
  const store = openRevisionStore(folder);
  await store.put('p', revision(1));
  const overtaken = { ...revision(2, 'Failed'), hash: 'x', reason: 'Overtaken', log: '' };
  await store.put('p', overtaken);
  assert.deepEqual(await store.get('p', 2), overtaken);
  for (let number = 3; number <= 5; number++) await store.put('p', revision(number, 'Superseded'));
  for (let number = 6; number <= 10; number++) await store.put('p', revision(number, 'Failed'));
  await writeFile(join(folder, 'p', '7.yaml'), 'torn: [');
  for (let number = 11; number <= 14; number++) await store.put('p', revision(number, 'Failed'));
  assert.deepEqual(numbers(await store.list('p')), [1, 2, 6, 8, 9, 10, 11, 12, 13, 14]);
  await store.put('p', revision(15, 'Superseded'));
  assert.deepEqual(numbers(await store.list('p')), [1, 6, 8, 9, 10, 11, 12, 13, 14, 15]);
});

test('what can not be read does not go: it may be the way back', async (t) => {
  const folder = await tempFolder(t);
  const store = openRevisionStore(folder);
  for (let number = 1; number <= 10; number++) await store.put('p', revision(number, 'Failed'));
  await rm(join(folder, 'p', '1.yaml'));
  await mkdir(join(folder, 'p', '1.yaml'));
  for (let number = 11; number <= 12; number++) await store.put('p', revision(number, 'Failed'));
  assert.deepEqual(numbers(await store.list('p')), [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  assert.deepEqual((await readdir(join(folder, 'p'))).includes('1.yaml'), true);
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
