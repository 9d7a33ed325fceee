import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SOURCE_FILES_MAX } from '../../../api/routes/source-names.ts';
import { FILES_MAX } from '../../../api/ui/screens/deploy/limits.ts';
import { folderIn, type TreeFolder, treeOf } from '../../../api/ui/screens/deploy/tree.ts';
import { walk } from '../../../api/ui/screens/deploy/walk.ts';

const blobs = (files: Record<string, string>) =>
  Object.entries(files).map(([path, text]) => ({ path, blob: new Blob([text]) }));
const names = async (files: Record<string, string>, options = {}) =>
  (await walk(treeOf(blobs(files)), options)).files.map(({ name }) => name);

test('the limits are those of the API', () => {
  assert.equal(FILES_MAX, SOURCE_FILES_MAX);
});

test('the folder that was chosen is no part of the names, and the Dockerfile comes first', async () => {
  assert.deepEqual(await names({ 'bot/a.go': '', 'bot/Dockerfile': '', 'bot/lib/b.go': '' }), [
    'Dockerfile',
    'a.go',
    'lib/b.go',
  ]);
  assert.deepEqual(await names({ 'a.go': '', Dockerfile: '' }), ['Dockerfile', 'a.go']);
});

test('what .dockerignore names is left out, as the host leaves it out', async () => {
  const files = {
    Dockerfile: '',
    '.dockerignore': '*\n!src\nsrc/*.log\n',
    'src/a': '',
    'src/x.log': '',
    'big/b': '',
  };
  const walked = await walk(treeOf(blobs(files)));
  assert.deepEqual(
    walked.files.map(({ name }) => name),
    ['Dockerfile', '.dockerignore', 'src/a'],
  );
  assert.deepEqual(walked.leftOut.map(({ name }) => name).sort(), ['big/', 'src/x.log']);
});

test('a .dockerignore that can not be used leaves nothing out, and is told', async () => {
  const walked = await walk(treeOf(blobs({ '.dockerignore': 'a[', a: '' })));
  assert.match(walked.ignoreError, /line 1/);
  assert.equal(walked.files.length, 2);
});

test('.git never goes along, node_modules where they are asked for', async () => {
  const files = { Dockerfile: '', '.git/config': '', 'node_modules/x/y.js': '', 'lib/node_modules/z': '' };
  const { leftOut } = await walk(treeOf(blobs(files)));
  assert.deepEqual(leftOut.map(({ name, why }) => `${name} ${why}`).sort(), [
    '.git/ git',
    'lib/node_modules/ modules',
    'node_modules/ modules',
  ]);
  assert.equal((await names(files, { withModules: true })).length, 3);
});

test('what is left out is not looked into, and nothing but sizes is read', async () => {
  const forbidden: TreeFolder = {
    name: 'node_modules',
    isFolder: true,
    children: () => assert.fail('looked into'),
  };
  const large = { size: 5 * 2 ** 30, arrayBuffer: () => assert.fail('read') } as unknown as Blob;
  const root: TreeFolder = {
    name: '',
    isFolder: true,
    children: async () => [forbidden, { name: 'data.bin', isFolder: false, blob: async () => large }],
  };
  const walked = await walk(root);
  assert.equal(walked.bytes, 5 * 2 ** 30);
  assert.deepEqual(walked.largest, [{ name: 'data.bin', bytes: 5 * 2 ** 30 }]);
});

test('more files than can be sent end the walk', async () => {
  const blob = new Blob(['']);
  const many = Array.from({ length: FILES_MAX + 5 }, (_, at) => ({ path: `f${at}`, blob }));
  const walked = await walk(treeOf(many));
  assert.deepEqual([walked.isOver, walked.files.length], ['files', FILES_MAX]);
});

test('a Dockerfile further down is named, and its folder can be had', async () => {
  const root = treeOf(blobs({ 'x/a': '', 'x/bots/one/Dockerfile': '' }));
  assert.deepEqual((await walk(root)).dockerfiles, ['bots/one']);
  const inner = await folderIn(root, 'bots/one');
  assert.deepEqual(await inner?.children().then((nodes) => nodes.map(({ name }) => name)), ['Dockerfile']);
  assert.equal(await folderIn(root, 'bots/two'), undefined);
});

test('names come in the form that the host takes', async () => {
  assert.deepEqual(await names({ 'u\u0308.txt': '', Dockerfile: '' }), ['Dockerfile', '\u00fc.txt']);
});
