import assert from 'node:assert/strict';
import { lstat, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { refuseLinkedOwnFolders } from '../../../registry/git/linked-own-folders.ts';
import type { AppError } from '../../../schemas/errors.ts';
import { brought, createGitStage, imageManifest } from './stage.ts';

/** A registry in git, and a folder elsewhere in which the host has nothing to write. */
async function createLinkStage(t: TestContext) {
  const elsewhere = await mkdtemp(join(tmpdir(), 'hersh-elsewhere-'));
  t.after(() => rm(elsewhere, { recursive: true, force: true }));
  const stage = await createGitStage(t);
  await stage.write('programs/a.yaml', imageManifest('a'));
  await stage.commitAll('one');
  const commitLink = async (path: string) => {
    await mkdir(join(stage.root, path, '..'), { recursive: true });
    await rm(join(stage.root, path), { recursive: true, force: true });
    await symlink(elsewhere, join(stage.root, path));
    await stage.git('add', '-f', path);
    await stage.git('commit', '-q', '-m', path);
  };
  return { stage, elsewhere, commitLink };
}

const isRefused = (path: string) => (error: AppError) =>
  error.message.startsWith(`${path} leads elsewhere by a commit`) &&
  /git rm -r --cached/.test(error.hint ?? '');

describe("git: a commit that says where the host's own folders are", () => {
  for (const path of ['status', 'data', 'data/builds', 'data/revisions/a']) {
    test(`${path}: the host does not start, and nothing is written there`, async (t) => {
      const { stage, elsewhere, commitLink } = await createLinkStage(t);
      await commitLink(path);
      await assert.rejects(refuseLinkedOwnFolders(stage.root), isRefused(path));
      await assert.rejects(stage.open(), isRefused(path));
      await stage.git('rm', '-q', '--cached', path);
      await assert.rejects(stage.open(), isRefused(path), 'HEAD has it still');
      assert.deepEqual(await readdir(elsewhere), []);
    });
  }

  test('one that whoever runs the host made is used', async (t) => {
    const { stage, elsewhere } = await createLinkStage(t);
    await symlink(elsewhere, join(stage.root, 'data'));
    await stage.open();
    assert.ok((await readdir(elsewhere)).includes('builds'));
  });

  test('where git can not be asked, a link is refused, and folders are used', async (t) => {
    const { stage, elsewhere } = await createLinkStage(t);
    await stage.write('.git/HEAD', 'broken');
    await mkdir(join(stage.root, 'status'));
    await refuseLinkedOwnFolders(stage.root);
    await symlink(elsewhere, join(stage.root, 'data'));
    await assert.rejects(refuseLinkedOwnFolders(stage.root), /data is a link, and git does not say/);
  });

  test('one that comes while the host runs is removed, and the folder made again', async (t) => {
    const { stage, elsewhere, commitLink } = await createLinkStage(t);
    const registry = await stage.open();
    await commitLink('data');
    await stage.turning(registry.look());
    assert.deepEqual([await lstat(join(stage.root, 'data')).catch(() => 'gone')], ['gone']);
    await stage.pass(2_000);
    await stage.turning(registry.look());
    assert.ok((await lstat(join(stage.root, 'data/builds'))).isDirectory());
    assert.ok(stage.warnings.some((line) => line.startsWith('a commit put a link where the host writes')));
    assert.deepEqual(await readdir(elsewhere), []);
  });

  test('sources: a POST is refused', async (t) => {
    const { stage, elsewhere, commitLink } = await createLinkStage(t);
    await commitLink('sources');
    const registry = await stage.open();
    const post = registry.createFromSources('c', brought(), { author: 'ann', message: 'create c' });
    await assert.rejects(stage.turning(post), /sources is a link that git tracks/);
    assert.deepEqual(await readdir(elsewhere), []);
  });
});
