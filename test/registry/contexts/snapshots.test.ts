import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openContexts } from '../../../registry/contexts/contexts.ts';
import { smallDisk } from '../disk.ts';
import { build, LATER, start, unavailable, untar } from './stage.ts';

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
  const { path } = await contexts.snapshot(build(), hash);
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
  assert.equal((await contexts.snapshot(build(), hash)).path, path, 'what is kept is not made again');
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
  assert.equal(new Set(paths.map(({ path }) => path)).size, 1);
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
  assert.equal((await contexts.snapshot(build(), hash)).path, join(kept, `${hash}.tar`));
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

test('what a snapshot was made of is told file by file, also when the sources have changed since', async (t) => {
  const { folder, contexts } = await start(t, { a: '1', 'deep/run': 'x' });
  await chmod(join(folder, 'deep', 'run'), 0o755);
  const { hash } = await contexts.look(build());
  assert.equal(await contexts.filesOf(build(), hash), undefined, 'nothing is kept yet');
  await contexts.snapshot(build(), hash);
  await writeFile(join(folder, 'a'), '2');
  const found = (await contexts.filesOf(build(), hash))?.map(
    ({ name, mode }) => `${mode.toString(8)} ${name}`,
  );
  assert.deepEqual(found?.filter((one) => !one.endsWith('Dockerfile')).sort(), [
    '100644 a',
    '100755 deep/run',
  ]);
});
