import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { extract } from 'tar-stream';
import { openContexts } from '../../../registry/contexts/contexts.ts';
import { buildIdOfFiles, readSource, writeSources } from '../../../registry/contexts/sources.ts';
import { AppError } from '../../../schemas/errors.ts';
import type { BuildSpec } from '../../../schemas/program.ts';
import { smallDisk } from '../disk.ts';
import { tempFolder, writeTree } from '../folder.ts';

const build = (rest: Partial<BuildSpec> = {}): BuildSpec => ({
  context: 'sources/a',
  dockerfile: 'Dockerfile',
  args: {},
  ...rest,
});
const LATER = 60_000;

/** A registry with a context in it, and a clock that says all files have stood still for long. */
async function start(t: TestContext, files: Record<string, string | Uint8Array> = {}, snapshots?: string) {
  const root = await tempFolder(t);
  const kept = snapshots ?? join(root, 'data', 'contexts');
  await mkdir(kept, { recursive: true });
  const folder = join(root, 'sources', 'a');
  await writeTree(folder, { Dockerfile: 'FROM scratch\n', ...files });
  const open = () => openContexts(root, kept, () => Date.now() + LATER);
  return { root, folder, kept, open, contexts: open() };
}

const fails = (message: RegExp) => (error: unknown) =>
  error instanceof AppError && error.reason === 'BuildFailed' && message.test(error.message);

const unavailable = (message: RegExp) => (error: unknown) =>
  error instanceof AppError && error.reason === 'RegistryUnavailable' && message.test(error.message);

async function untar(path: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const unpacked = createReadStream(path).pipe(extract());
  for await (const entry of unpacked) {
    const { name, type, mode, linkname, uid, gid, mtime } = entry.header;
    assert.deepEqual([uid, gid, mtime?.getTime()], [0, 0, 0]);
    const chunks: Buffer[] = [];
    for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
    found[name] = `${type} ${mode?.toString(8)} ${linkname ?? Buffer.concat(chunks).toString()}`;
  }
  return found;
}

test('every change that a build can see changes the hash, and no other does', async (t) => {
  const { folder, root, contexts, open } = await start(t, { 'src/a.js': '1', run: '#!' });
  const seen = new Set<string>();
  const look = async () => (await contexts.look(build())).hash;
  const changes = async (what: string) => {
    const hash = await look();
    assert.equal(seen.has(hash), false, what);
    seen.add(hash);
    assert.equal((await open().look(build())).hash, hash, `${what}, looked at afresh`);
  };
  await changes('at first');
  await writeFile(join(folder, 'src/a.js'), '2');
  await changes('contents of equal length');
  await chmod(join(folder, 'run'), 0o755);
  await changes('the executable bit');
  await mkdir(join(folder, 'empty'));
  await changes('an empty folder');
  await symlink('a.js', join(folder, 'src/link'));
  await changes('a link');
  await rename(join(folder, 'src/a.js'), join(folder, 'src/b.js'));
  await changes('a name');
  await writeFile(join(folder, '.dockerignore'), 'run\n');
  await changes('the ignore file');
  const before = await look();
  await writeFile(join(folder, 'run'), 'other');
  await chmod(join(folder, 'src/b.js'), 0o600);
  await utimes(join(folder, 'Dockerfile'), 1, 1);
  await writeTree(root, { 'sources/b/x': '', 'sources/a/.hersh-tmp-1': '' });
  assert.equal(await look(), before);
  assert.notEqual((await contexts.look(build({ args: { A: '1' } }))).hash, before);
});

test('what did not change is not read again', async (t) => {
  const { folder, contexts } = await start(t, { big: 'x'.repeat(1000) });
  const { hash } = await contexts.look(build());
  const { ino, mtime } = await stat(join(folder, 'big'));
  assert.equal((await contexts.look(build())).hash, hash);
  // An edit in place that takes the old time back still shows.
  await writeFile(join(folder, 'big'), 'y'.repeat(1000));
  await utimes(join(folder, 'big'), mtime, mtime);
  assert.equal((await stat(join(folder, 'big'))).ino, ino);
  assert.notEqual((await contexts.look(build())).hash, hash);
});

test('a file, or a folder, that was touched just now is looked at again', async (t) => {
  const { root, folder, kept } = await start(t, { a: '1' });
  const changed = Number((await stat(join(folder, 'a'))).ctimeMs);
  let now = changed + 10;
  const contexts = openContexts(root, kept, () => now);
  const look = await contexts.look(build());
  assert.ok(look.againMs > 0 && look.againMs <= 51, String(look.againMs));
  now += look.againMs + 50;
  assert.equal((await contexts.look(build())).againMs, 0);
  // An editor removes the file before it writes it anew.
  await rm(join(folder, 'Dockerfile'));
  now = Number((await stat(folder)).ctimeMs) + 10;
  assert.ok((await contexts.look(build())).againMs > 0, 'not failed yet');
  now += 100;
  await assert.rejects(contexts.look(build()), fails(/^sources\/a\/Dockerfile does not exist$/));
});

test('a clock that jumped back holds nothing up', async (t) => {
  const { root, kept } = await start(t);
  assert.equal((await openContexts(root, kept, () => 0).look(build())).againMs, 0);
});

test('.dockerignore: exceptions, folders, the Dockerfile itself', async (t) => {
  const { contexts } = await start(t, {
    '.dockerignore': '*\n!src\nsrc/*.log\n!.hidden/deep/kept\n',
    'src/a.js': '',
    'src/a.log': '',
    'other/b': '',
    '.hidden/deep/kept': '',
    '.hidden/deep/lost': '',
  });
  const { hash } = await contexts.look(build());
  const names = Object.keys(await untar(await contexts.snapshot(build(), hash)));
  assert.deepEqual(names, ['.dockerignore', '.hidden/deep/kept', 'Dockerfile', 'src', 'src/a.js']);
});

test('a Dockerfile has its own ignore file before the common one', async (t) => {
  const { contexts } = await start(t, {
    'docker/Dockerfile': '',
    'docker/Dockerfile.dockerignore': 'b\ndocker\n',
    '.dockerignore': 'a\n',
    a: '',
    b: '',
  });
  const spec = build({ dockerfile: 'docker/Dockerfile' });
  const names = Object.keys(await untar(await contexts.snapshot(spec, (await contexts.look(spec)).hash)));
  assert.deepEqual(names, [
    '.dockerignore',
    'Dockerfile',
    'a',
    'docker/Dockerfile',
    'docker/Dockerfile.dockerignore',
  ]);
});

test('an ignore file that can not be used fails the build, rather than send what it was to keep out', async (t) => {
  const { folder, contexts } = await start(t, { '.dockerignore': 'a\n[\n' });
  await assert.rejects(
    contexts.look(build()),
    fails(/^sources\/a\/\.dockerignore can not be used: line 2: /),
  );
  await rm(join(folder, '.dockerignore'));
  await mkdir(join(folder, '.dockerignore'));
  await assert.rejects(contexts.look(build()), fails(/\.dockerignore can not be used/));
  await rm(join(folder, '.dockerignore'), { recursive: true });
  await symlink('/dev/zero', join(folder, '.dockerignore'));
  await assert.rejects(contexts.look(build()), fails(/\.dockerignore can not be used/));
});

test('contexts that are gone, no folder, or lead out of the registry', async (t) => {
  const { root, folder, contexts } = await start(t);
  await assert.rejects(
    contexts.look(build({ context: 'sources/no' })),
    fails(/^sources\/no does not exist$/),
  );
  await assert.rejects(contexts.look(build({ context: 'sources/a/Dockerfile' })), fails(/is not a folder$/));
  await assert.rejects(contexts.look(build({ dockerfile: 'No' })), fails(/^sources\/a\/No does not exist$/));
  await symlink('/etc', join(root, 'sources/out'));
  await symlink(join(root, 'data'), join(root, 'sources/data'));
  await symlink('loop', join(root, 'sources/loop'));
  await symlink('a', join(root, 'sources/in'));
  await assert.rejects(
    contexts.look(build({ context: 'sources/out' })),
    fails(/^sources\/out leads out of the registry$/),
  );
  await assert.rejects(
    contexts.look(build({ context: 'sources/data' })),
    fails(/leads out of the registry$/),
  );
  await assert.rejects(contexts.look(build({ context: 'sources/loop' })), fails(/can not be read/));
  assert.equal(
    (await contexts.look(build({ context: 'sources/in' }))).hash,
    (await contexts.look(build())).hash,
  );
  await rm(folder, { recursive: true });
  await assert.rejects(contexts.look(build()), fails(/^sources\/a does not exist$/));
});

test('links: inside they are kept as links, loops and dead ends too; outside they are refused', async (t) => {
  const { root, folder, contexts } = await start(t, { 'src/a': '1' });
  await writeTree(root, { 'status/x.yaml': 'secret', 'shared/s': '' });
  await symlink('src/a', join(folder, 'in'));
  await symlink('loop', join(folder, 'loop'));
  await symlink('/nowhere/at/all', join(folder, 'dead'));
  await symlink('../../shared/s', join(folder, 'beside'));
  const tar = await untar(await contexts.snapshot(build(), (await contexts.look(build())).hash));
  assert.equal(tar.in, 'symlink 777 src/a');
  assert.equal(tar.loop, 'symlink 777 loop');
  assert.equal(tar.dead, 'symlink 777 /nowhere/at/all');
  for (const target of ['/etc/passwd', '../../status/x.yaml']) {
    await symlink(target, join(folder, 'out'));
    await assert.rejects(
      contexts.look(build()),
      fails(/^sources\/a\/out is a link that leads out of the registry$/),
    );
    await rm(join(folder, 'out'));
  }
});

test('special files are refused, and left out where they are ignored', async (t) => {
  const { folder, contexts } = await start(t);
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  await assert.rejects(
    contexts.look(build()),
    fails(/^sources\/a\/pipe is neither a file, a folder nor a link$/),
  );
  await writeFile(join(folder, '.dockerignore'), 'pipe\n');
  await contexts.look(build());
});

test('the registry itself as a context, by whatever path, holds nothing reserved', async (t) => {
  const { root, contexts } = await start(t, { x: '1' });
  await writeTree(root, { Dockerfile: '', 'status/s': '', 'data/d': '', '.git/g': '', 'a/status/kept': '' });
  await symlink('..', join(root, 'sources/self'));
  for (const context of ['.', 'sources/self']) {
    const spec = build({ context });
    await rm(join(root, 'sources/self'), { force: true });
    if (context !== '.') await symlink('..', join(root, 'sources/self'));
    const names = Object.keys(await untar(await contexts.snapshot(spec, (await contexts.look(spec)).hash)));
    for (const reserved of ['status', 'data', '.git', 'status/s'])
      assert.equal(names.includes(reserved), false, reserved);
    assert.ok(names.includes('a/status/kept'));
    const source = await readSource(root, spec);
    assert.deepEqual(
      Object.keys(source).filter((name) => /^(status|data|\.git)\//.test(name)),
      [],
    );
  }
});

test('a snapshot holds just what was hashed, and is the same bytes each time', async (t) => {
  const long = 'ä'.repeat(100);
  const { folder, root, contexts, kept } = await start(t, {
    run: '#!/bin/sh\n',
    [`deep/${long}/x`]: '1',
    empty: '',
    big: Buffer.alloc(3_000_000, 'x'),
  });
  await chmod(join(folder, 'run'), 0o755);
  const { hash, buildId } = await contexts.look(build());
  assert.equal(buildId, `build-${hash.slice(0, 12)}`);
  const path = await contexts.snapshot(build(), hash);
  assert.equal(path, join(kept, `${hash}.tar`));
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const tar = await untar(path);
  assert.equal(tar.run, 'file 755 #!/bin/sh\n');
  assert.equal(tar.empty, 'file 644 ');
  assert.equal(tar.deep, 'directory 755 ');
  assert.equal(tar[`deep/${long}/x`], 'file 644 1');
  assert.equal(tar.big?.length, 3_000_009);
  const digest = async () =>
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  const first = await digest();
  await rm(path);
  await utimes(join(folder, 'run'), 1, 1);
  await openContexts(root, kept, () => Date.now() + LATER).snapshot(build(), hash);
  assert.equal(await digest(), first);
  await writeFile(join(folder, 'run'), 'changed');
  assert.equal(await contexts.snapshot(build(), hash), path, 'what is kept is not made again');
});

test('what is read of a context is known until it is not to be kept, and is read again then', async (t) => {
  const bytes = 8_000_000;
  const { contexts, root } = await start(t, { big: Buffer.alloc(bytes) });
  await writeTree(join(root, 'sources', 'b'), { Dockerfile: 'FROM scratch\n', big: Buffer.alloc(bytes) });
  const other = build({ context: 'sources/b' });
  const looks = async () => [(await contexts.look(build())).hash, (await contexts.look(other)).hash];
  const readBy = async (work: () => Promise<unknown>): Promise<number> => {
    const soFar = async () => Number(/rchar: (\d+)/.exec(await readFile('/proc/self/io', 'utf8'))?.[1]);
    const before = await soFar();
    await work();
    return (await soFar()) - before;
  };
  const hashes = await looks();
  assert.ok((await readBy(looks)) < bytes / 2, 'nothing changed');
  contexts.keepOnly([other]);
  assert.ok((await readBy(() => contexts.look(other))) < bytes / 2, 'this one is kept');
  assert.ok((await readBy(() => contexts.look(build()))) >= bytes, 'this one is not');
  assert.deepEqual(await looks(), hashes);
});

test('a context that changed is not kept as what it was', async (t) => {
  const { folder, contexts, kept } = await start(t, { a: '1' });
  const { hash } = await contexts.look(build());
  await writeFile(join(folder, 'a'), '2');
  await assert.rejects(contexts.snapshot(build(), hash), { reason: 'ContextChanged' });
  assert.deepEqual(await readdir(kept), []);
});

test('many snapshots of one context at once give one file', async (t) => {
  const { contexts, kept } = await start(t, { a: 'x'.repeat(100_000) });
  const { hash } = await contexts.look(build());
  const paths = await Promise.all(Array.from({ length: 8 }, () => contexts.snapshot(build(), hash)));
  assert.equal(new Set(paths).size, 1);
  assert.deepEqual(await readdir(kept), [`${hash}.tar`]);
});

test('a snapshot on a full disk fails with a word, and leaves no file and no handle behind', async (t) => {
  const disk = await smallDisk(t, 64);
  const { contexts } = await start(t, { big: Buffer.alloc(2_000_000), small: 'x' }, disk);
  const { hash } = await contexts.look(build());
  await assert.rejects(contexts.snapshot(build(), hash), unavailable(/^the context can not be kept: ENOSPC/));
  assert.deepEqual(await readdir(disk), []);
  const open = (
    await Promise.all(
      (
        await readdir('/proc/self/fd')
      ).map((fd) =>
        import('node:fs/promises').then(({ readlink }) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
      ),
    )
  ).filter((path) => path.includes('sources/a/'));
  assert.deepEqual(open, []);
});

test('a snapshot that has no folder to go to is no failed build, and is made when there is one', async (t) => {
  const { contexts, kept } = await start(t, { a: '1' });
  const { hash } = await contexts.look(build());
  await rm(kept, { recursive: true });
  await assert.rejects(contexts.snapshot(build(), hash), unavailable(/^the context can not be kept: ENOENT/));
  await writeFile(kept, 'no folder');
  await assert.rejects(
    contexts.snapshot(build(), hash),
    unavailable(/^the context can not be kept: ENOTDIR/),
  );
  await rm(kept);
  await mkdir(kept);
  assert.equal(await contexts.snapshot(build(), hash), join(kept, `${hash}.tar`));
});

test('a source that goes while its context is kept has changed', async (t) => {
  const { contexts, folder, kept } = await start(t, { big: Buffer.alloc(2 ** 25), z: '1' });
  const { hash } = await contexts.look(build());
  const snapshot = contexts.snapshot(build(), hash);
  let ended = false;
  const outcome = assert.rejects(snapshot, { reason: 'ContextChanged' }).finally(() => {
    ended = true;
  });
  while (!ended && (await readdir(kept)).length === 0) await stat(kept);
  await rm(join(folder, 'z'), { force: true });
  await outcome;
  assert.deepEqual(await readdir(kept), []);
});

test('while others write, a look gives a hash or says to look again, and never breaks', async (t) => {
  const { root, folder, contexts } = await start(t, { a: '1' });
  let stop = false;
  const writer = (async () => {
    for (let index = 0; !stop; index++) {
      const path = join(folder, `f${index % 7}`);
      if (index % 3 === 0) await rm(path, { recursive: true, force: true });
      else await writeTree(folder, { [`f${index % 7}/x${index % 5}`]: String(index) });
    }
  })();
  for (let index = 0; index < 100; index++) await contexts.look(build());
  stop = true;
  await writer;
  const spec = build();
  assert.equal(
    (await contexts.look(spec)).hash,
    (await openContexts(root, '', () => Date.now() + LATER).look(spec)).hash,
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
        const buildId = buildIdOfFiles(files);
        const { context } = await writeSources(root, buildId, files);
        assert.equal((await contexts.look(build({ context }))).buildId, buildId);
        await rm(join(root, context), { recursive: true });
      },
    ),
    { numRuns: 35 },
  );
});

test('what was kept comes back, where it is not there already', async (t) => {
  const { root, folder, contexts } = await start(t, {
    'src/a': '1',
    run: 'x',
    '.dockerignore': 'lost\nsrc\n!src/a\n',
    lost: '',
  });
  await chmod(join(folder, 'run'), 0o755);
  await symlink('run', join(folder, 'link'));
  const { hash, buildId } = await contexts.look(build());
  await contexts.snapshot(build(), hash);
  await rm(folder, { recursive: true });
  const restored = await Promise.all([1, 2, 3].map(() => contexts.restore(build(), hash, buildId)));
  assert.deepEqual([...new Set(restored.map(({ context }) => context))], [`sources/${buildId}`]);
  assert.equal(restored.filter(({ isNew }) => isNew).length, 1);
  assert.equal((await contexts.look(build({ context: `sources/${buildId}` }))).hash, hash);
  assert.deepEqual(await readdir(join(root, 'sources')), [buildId]);
  assert.equal((await lstat(join(root, 'sources', buildId, 'link'))).isSymbolicLink(), true);
  await writeFile(join(root, 'sources', buildId, 'run'), 'somebody changed it');
  const other = await contexts.restore(build(), hash, buildId);
  assert.match(other.context, new RegExp(`^sources/${buildId}-[0-9a-f]{8}$`));
  await assert.rejects(
    contexts.restore(build(), 'none', buildId),
    (error) => error instanceof AppError && error.reason === 'Conflict',
  );
});

for (const [damage, spoil] of [
  // Between two entries: to whoever unpacks it that is the end of a whole one.
  ['cut between two entries', (tar: Buffer) => tar.subarray(0, 1024)],
  ['cut inside of one', (tar: Buffer) => tar.subarray(0, 700)],
  ['empty', () => Buffer.alloc(0)],
  ['nothing but noise', () => Buffer.alloc(4096, 'x')],
  [
    'changed in one place',
    (tar: Buffer) => Buffer.from(tar.toString('latin1').replace('# one', '# 0ne'), 'latin1'),
  ],
] as const) {
  test(`what is kept is ${damage}: it is never taken for whole, and written anew where the folder has it still`, async (t) => {
    const { root, folder, contexts } = await start(t, {
      Dockerfile: 'FROM scratch\n# one\n',
      'main.js': 'main',
    });
    const { hash, buildId } = await contexts.look(build());
    const path = await contexts.snapshot(build(), hash);
    const tar = await readFile(path);
    assert.equal(await contexts.has(build(), hash), true);
    await writeFile(path, spoil(tar));
    assert.equal(await contexts.has(build(), hash), false);
    const isDamaged = (reason: string) => (error: unknown) =>
      error instanceof AppError &&
      error.reason === reason &&
      error.message === `the kept sources of ${buildId} are damaged` &&
      error.hint !== undefined;
    await writeFile(join(folder, 'main.js'), 'other');
    await assert.rejects(contexts.restore(build(), hash, buildId), isDamaged('Conflict'));
    assert.deepEqual(await readdir(join(root, 'sources')), ['a']);
    await assert.rejects(contexts.snapshot(build(), hash), isDamaged('RegistryUnavailable'));
    await writeFile(join(folder, 'main.js'), 'main');
    await contexts.snapshot(build(), hash);
    assert.deepEqual(await readFile(path), tar);
    await rm(folder, { recursive: true });
    assert.equal((await contexts.restore(build(), hash, buildId)).context, `sources/${buildId}`);
  });
}
