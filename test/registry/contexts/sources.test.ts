import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { openContexts } from '../../../registry/contexts/contexts.ts';
import { buildIdOfFiles, readSource, writeSources } from '../../../registry/contexts/sources.ts';
import { AppError } from '../../../schemas/errors.ts';
import { smallDisk } from '../disk.ts';
import { tempFolder, writeTree } from '../folder.ts';
import { build, LATER } from './stage.ts';

const FILES = new Map([
  ['Dockerfile', 'FROM scratch\n'],
  ['src/deep/ä.js', 'let x;\r\n'],
  ['empty', ''],
]);
const ID = await buildIdOfFiles(FILES);

async function start(t: TestContext): Promise<string> {
  const root = await tempFolder(t);
  await mkdir(join(root, 'sources'));
  return root;
}

test('files are written with their folders, and read again', async (t) => {
  const root = await start(t);
  const { context } = await writeSources(root, ID, FILES);
  assert.equal(context, `sources/${ID}`);
  assert.equal((await stat(join(root, context, 'Dockerfile'))).mode & 0o111, 0);
  const source = await readSource(root, { context, dockerfile: 'Dockerfile', args: {} });
  assert.deepEqual(source, Object.fromEntries(FILES));
  assert.deepEqual(await readdir(join(root, 'sources')), [ID]);
});

test('a folder that holds the same is shared', async (t) => {
  const root = await start(t);
  const { context: first } = await writeSources(root, ID, FILES);
  const { ino } = await stat(join(root, first));
  assert.deepEqual(await writeSources(root, ID, FILES), { context: first, isNew: false });
  assert.equal((await stat(join(root, first))).ino, ino);
});

test('the same files written many times at once make one folder, and no error', async (t) => {
  const root = await start(t);
  const placed = await Promise.all(Array.from({ length: 20 }, () => writeSources(root, ID, FILES)));
  assert.deepEqual([...new Set(placed.map(({ context }) => context))], [`sources/${ID}`]);
  assert.equal(placed.filter(({ isNew }) => isNew).length, 1);
  assert.deepEqual(await readdir(join(root, 'sources')), [ID]);
});

/** What somebody can do to a folder so that it is not what was written any more. */
const CHANGES: [string, (folder: string) => Promise<unknown>][] = [
  ['another content', (folder) => writeFile(join(folder, 'empty'), 'x')],
  ['a file more', (folder) => writeFile(join(folder, 'more'), '')],
  ['a file less', (folder) => rm(join(folder, 'empty'))],
  ['an empty folder more', (folder) => mkdir(join(folder, 'folder'))],
  ['an executable bit', (folder) => chmod(join(folder, 'empty'), 0o755)],
  [
    'a file instead of the folder',
    async (folder) => {
      await rm(folder, { recursive: true });
      await writeFile(folder, '');
    },
  ],
  [
    'a dead link instead of the folder',
    async (folder) => {
      await rm(folder, { recursive: true });
      await symlink('nowhere', folder);
    },
  ],
  [
    'a link that reads as the file did',
    async (folder) => {
      await rm(join(folder, 'src'), { recursive: true });
      await mkdir(join(folder, 'src/deep'), { recursive: true });
      await symlink('let x;\r\n', join(folder, 'src/deep/ä.js'));
    },
  ],
];
for (const [what, change] of CHANGES) {
  test(`a folder that somebody changed is left alone: ${what}`, async (t) => {
    const root = await start(t);
    const folder = join(root, (await writeSources(root, ID, FILES)).context);
    await change(folder);
    const { context: other } = await writeSources(root, ID, FILES);
    assert.match(other, new RegExp(`^sources/${ID}-[0-9a-f]{8}$`));
    assert.equal(await readFile(join(root, other, 'src/deep/ä.js'), 'utf8'), 'let x;\r\n');
    assert.equal((await readdir(join(root, 'sources'))).length, 2);
  });
}

test('many files go fast', async (t) => {
  const root = await start(t);
  const files = new Map(
    Array.from({ length: 300 }, (_, index) => [`d${index % 10}/f${index}`, String(index)]),
  );
  await writeSources(root, 'build-many', files);
  assert.equal(
    Object.keys(await readSource(root, { context: 'sources/build-many', dockerfile: 'D', args: {} })).length,
    300,
  );
});

test('on a full disk nothing half-made is left', async (t) => {
  const root = await smallDisk(t, 128);
  await mkdir(join(root, 'sources'));
  const files = new Map([...FILES, ['big', 'x'.repeat(200_000)]]);
  await assert.rejects(
    writeSources(root, 'build-x', files),
    (error) => error instanceof AppError && error.reason === 'RegistryUnavailable',
  );
  assert.deepEqual(await readdir(join(root, 'sources')), []);
});

test('the Dockerfile is given under its common name too; links as what they say', async (t) => {
  const root = await start(t);
  await writeTree(root, { 'app/docker/File': 'FROM x', 'app/a': '1' });
  await symlink('a', join(root, 'app/link'));
  assert.deepEqual(await readSource(root, { context: 'app', dockerfile: 'docker/File', args: {} }), {
    'docker/File': 'FROM x',
    Dockerfile: 'FROM x',
    a: '1',
    link: 'a',
  });
});

test('sources that are gone, lead out or are too large are not given', async (t) => {
  const root = await start(t);
  const read = (context: string) => readSource(root, { context, dockerfile: 'Dockerfile', args: {} });
  const isReason = (reason: string) => (error: unknown) =>
    error instanceof AppError && error.reason === reason;
  await assert.rejects(read('sources/no'), isReason('NotFound'));
  await symlink('/etc', join(root, 'sources/out'));
  await assert.rejects(read('sources/out'), isReason('NotFound'));
  await writeTree(root, { 'sources/big/a': Buffer.alloc(33 * 2 ** 20) });
  await assert.rejects(read('sources/big'), isReason('PayloadTooLarge'));
});

test("a malformed .dockerignore among the files is the sender's mistake", async () => {
  await assert.rejects(
    buildIdOfFiles(new Map([...FILES, ['.dockerignore', '[']])),
    (error) => error instanceof AppError && error.reason === 'BadRequest' && /line 1/.test(error.message),
  );
});

const PIECES = ['a', 'b', 'src', 'x.js', 'y.log', 'ä', '.env', 'constructor', 'status'];
const names = fc
  .array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/'));
const rules = fc.array(
  fc.constantFrom(
    '*',
    '**',
    '*.log',
    '**/*.js',
    '!**/x.js',
    'src',
    '!src/a',
    'a/',
    '/b',
    '!.env',
    'src/**',
    '# c',
    '',
    '?',
    '[a-s]*',
    'Dockerfile',
    '.dockerignore',
  ),
  { maxLength: 4 },
);

test('files that a POST brings have the id of the folder they are written to', async (t) => {
  const root = await tempFolder(t);
  await mkdir(join(root, 'sources'), { recursive: true });
  const contexts = openContexts(root, '', () => Date.now() + LATER);
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(names, fc.string(), { maxKeys: 6 }),
      fc.option(rules),
      async (tree, ignore) => {
        const files = new Map<string, string>();
        files.set('Dockerfile', 'FROM scratch\n');
        if (ignore !== null) files.set('.dockerignore', ignore.join('\n'));
        for (const [name, text] of Object.entries(tree)) {
          const clashes = [...files.keys()].some(
            (other) => other.startsWith(`${name}/`) || name.startsWith(`${other}/`),
          );
          if (!clashes) files.set(name, text);
        }
        const buildId = await buildIdOfFiles(files);
        const { context } = await writeSources(root, buildId, files);
        assert.equal((await contexts.look(build({ context }))).buildId, buildId);
        await rm(join(root, context), { recursive: true });
      },
    ),
    { numRuns: 35 },
  );
});
