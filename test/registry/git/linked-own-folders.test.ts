import assert from 'node:assert/strict';
import { lstat, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { isThere } from '../../../registry/files/is-there.ts';
import { mayBeInGit } from '../../../registry/git/folders.ts';
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

  test('where git is not installed, links are used as ever, with a warning', async (t) => {
    const { stage, elsewhere } = await createLinkStage(t);
    await symlink(elsewhere, join(stage.root, 'data'));
    const { PATH } = process.env;
    process.env.PATH = elsewhere;
    t.after(() => {
      process.env.PATH = PATH;
    });
    const registry = await stage.open();
    assert.ok((await readdir(elsewhere)).includes('builds'));
    assert.match(registry.health().warnings.join(), /has a .git, but git does not work there.*ENOENT/);
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

  for (const isMerging of [false, true]) {
    test(`links deep in data/, that come while the host runs${isMerging ? ' and stands on a merge' : ''}`, async (t) => {
      const { stage, elsewhere, commitLink } = await createLinkStage(t);
      const registry = await stage.open();
      await stage.write('data/revisions/a/kept', '');
      const links = ['data/events/evil.ndjson', 'data/revisions/evil'];
      for (const path of links) await commitLink(path);
      if (isMerging) await stage.write('.git/MERGE_HEAD', await stage.git('rev-parse', 'HEAD'));
      await stage.turning(registry.look());
      for (const path of links) assert.ok(!(await isThere(join(stage.root, path))), path);
      assert.equal(stage.warnings.filter((line) => line.startsWith('a commit put a link')).length, 2);
      await stage.turning(registry.look());
      assert.equal(await stage.read('data/revisions/a/kept'), '');
      await stage.git('checkout', '-q', '--', 'data/revisions/evil');
      await stage.turning(registry.look());
      assert.ok(!(await isThere(join(stage.root, 'data/revisions/evil'))), 'once more');
      assert.deepEqual(await readdir(elsewhere), []);
    });
  }

  test('a followed branch: such a commit is not taken over, and one without it is', async (t) => {
    const { stage: origin, elsewhere, commitLink } = await createLinkStage(t);
    const stage = await createGitStage(t, { init: false });
    const registry = await stage.open({ url: origin.root, branch: 'main', intervalMs: 2_000 });
    for (const path of ['data/events/evil.ndjson', 'status/x']) {
      await commitLink(path);
      await stage.until(() => registry.remoteTrouble() !== undefined, 8_000);
      const { reason, message } = registry.remoteTrouble() ?? {};
      assert.equal(reason, 'RemoteBlocked');
      assert.match(message ?? '', new RegExp(`${path} leads elsewhere by that commit.*git rm -r --cached`));
      assert.ok(!(await isThere(join(stage.root, path))));
      await origin.git('rm', '-q', '--cached', path);
      await origin.git('commit', '-q', '-m', 'without');
      await stage.until(() => registry.remoteTrouble() === undefined, 8_000);
    }
    assert.equal(await stage.git('rev-parse', 'HEAD'), await origin.git('rev-parse', 'HEAD'));
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

test('git is not asked where it could find no repository from the folder upwards', async (t) => {
  const top = await mkdtemp(join(tmpdir(), 'hersh-above-'));
  t.after(() => rm(top, { recursive: true, force: true }));
  const root = join(top, 'one/two');
  await mkdir(root, { recursive: true });
  assert.equal(await mayBeInGit(root), false);
  for (const name of ['.git', 'HEAD']) {
    await symlink('nowhere', join(top, name));
    assert.equal(await mayBeInGit(root), true, name);
    await rm(join(top, name));
  }
  assert.equal(await mayBeInGit(join(root, 'gone')), true, 'nothing is known of it');
});
