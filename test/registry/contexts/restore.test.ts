import assert from 'node:assert/strict';
import { chmod, lstat, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppError } from '../../../schemas/errors.ts';
import { build, start } from './stage.ts';

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
    const { path } = await contexts.snapshot(build(), hash);
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
