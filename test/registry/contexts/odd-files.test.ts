import assert from 'node:assert/strict';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSource } from '../../../registry/contexts/sources.ts';
import { tempFolder, writeTree } from '../folder.ts';
import { build, fails, start } from './stage.ts';

const ODD = Buffer.from('caf\xe9', 'latin1');
const inFolder = (folder: string, ...names: (string | Buffer)[]): Buffer =>
  Buffer.concat([folder, ...names].flatMap((name) => [Buffer.from('/'), Buffer.from(name)]).slice(1));

test('a name that is not UTF-8 is refused by name, and is ignored where a rule says so', async (t) => {
  const { root, folder, contexts } = await start(t, { a: '' });
  const { hash } = await contexts.look(build());
  await writeFile(inFolder(folder, ODD), 'x');
  await assert.rejects(contexts.look(build()), fails(/^sources\/a\/caf\\xE9 has a name that is not UTF-8$/));
  assert.deepEqual(Object.keys(await readSource(root, build())).sort(), ['Dockerfile', 'a', 'caf\uFFFD']);
  await writeFile(join(folder, '.dockerignore'), 'caf?\n.dockerignore\n');
  assert.equal((await contexts.look(build())).hash, hash);
});

test('nor is what lies in such a folder left out in silence', async (t) => {
  const { folder, contexts } = await start(t, { '.dockerignore': '*\n!**/keep\n' });
  await mkdir(inFolder(folder, ODD));
  await contexts.look(build());
  await writeFile(inFolder(folder, ODD, 'keep'), 'x');
  await assert.rejects(
    contexts.look(build()),
    fails(/^sources\/a\/caf\\xE9\/keep has a name that is not UTF-8$/),
  );
});

test('a file that never stands still is named after three tries, and forgotten when it does', async (t) => {
  const { folder, contexts } = await start(t, { 'logs/app': '0' });
  const tryOnce = async (round: number): Promise<void> => {
    const { hash } = await contexts.look(build());
    await writeFile(join(folder, 'logs/app'), String(round));
    await contexts.snapshot(build(), hash);
  };
  for (const round of [1, 2]) await assert.rejects(tryOnce(round), { reason: 'ContextChanged' });
  for (const round of [3, 4])
    await assert.rejects(tryOnce(round), fails(/^sources\/a\/logs\/app does not stand still/));
  await contexts.snapshot(build(), (await contexts.look(build())).hash);
  await writeFile(join(folder, 'logs/app'), 'other');
  await assert.rejects(tryOnce(5), { reason: 'ContextChanged' });
});

test('sources that are a link to another disk are sources; one to what is above the registry is not', async (t) => {
  const { root, contexts } = await start(t, { a: '' });
  const { hash } = await contexts.look(build());
  const disk = await tempFolder(t);
  await rename(join(root, 'sources'), join(disk, 'sources'));
  await symlink(join(disk, 'sources'), join(root, 'sources'));
  await symlink('../b/x', join(root, 'sources/a/beside'));
  await writeTree(root, { 'sources/b/x': '' });
  assert.notEqual((await contexts.look(build())).hash, hash, 'with a link beside');
  await rm(join(root, 'sources/a/beside'));
  assert.equal((await contexts.look(build())).hash, hash);
  await contexts.snapshot(build(), hash);
  const { context } = await contexts.restore(build(), hash, 'build-000000000000');
  assert.equal(context, 'sources/build-000000000000');
  await symlink('/etc', join(root, 'sources/a/out'));
  await assert.rejects(contexts.look(build()), fails(/leads out of the registry$/));
  await rm(join(root, 'sources'));
  await symlink('..', join(root, 'sources'));
  await writeTree(join(root, '..', `beside-${hash.slice(0, 8)}`), { Dockerfile: '' });
  t.after(() => rm(join(root, '..', `beside-${hash.slice(0, 8)}`), { recursive: true }));
  await assert.rejects(
    contexts.look(build({ context: `sources/beside-${hash.slice(0, 8)}` })),
    fails(/leads out of the registry$/),
  );
});
