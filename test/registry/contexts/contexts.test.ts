import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openContexts } from '../../../registry/contexts/contexts.ts';
import { readSource } from '../../../registry/contexts/sources.ts';
import { asideName } from '../../../registry/contexts/tar.ts';
import { writeTree } from '../folder.ts';
import { build, fails, LATER, start, untar } from './stage.ts';

/** Where a snapshot has them when no COPY is to see them. */
const ASIDE = ['.dockerignore', 'Dockerfile'].map(asideName);

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
  const names = Object.keys(await untar((await contexts.snapshot(build(), hash)).path));
  assert.deepEqual(names, [...ASIDE, '.hidden/deep/kept', 'src', 'src/a.js']);
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
  const names = Object.keys(
    await untar((await contexts.snapshot(spec, (await contexts.look(spec)).hash)).path),
  );
  const aside = ['docker/Dockerfile', 'docker/Dockerfile.dockerignore'].map(asideName);
  assert.deepEqual(names, ['.dockerignore', ...aside, 'Dockerfile', 'a']);
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
  const tar = await untar((await contexts.snapshot(build(), (await contexts.look(build())).hash)).path);
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
    const names = Object.keys(
      await untar((await contexts.snapshot(spec, (await contexts.look(spec)).hash)).path),
    );
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
