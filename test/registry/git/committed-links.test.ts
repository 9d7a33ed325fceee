import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createCommittedLinks } from '../../../registry/git/committed-links.ts';
import { createGitQuestions } from '../../../registry/git/questions.ts';
import { createGitRun } from '../../../registry/git/run.ts';
import { createGitStage, gitIn, imageManifest } from './stage.ts';

const IS_COMMITTED = /is a link that git tracks, and leads out of the registry/;

/** A registry in git, and a manifest elsewhere that no commit has. */
async function createLinkStage(t: TestContext) {
  const disk = await realpath(await mkdtemp(join(tmpdir(), 'hersh-disk-')));
  t.after(() => rm(disk, { recursive: true, force: true }));
  const secret = join(disk, 'x.yaml');
  await writeFile(secret, imageManifest('x'));
  const stage = await createGitStage(t);
  await stage.write('README', '');
  await stage.commitAll('zero');
  const questions = createGitQuestions(
    createGitRun(stage.root),
    () => false,
    (path) => [path],
  );
  const { refusal } = createCommittedLinks(stage.root, questions);
  const link = async (target: string, path: string) => {
    await mkdir(join(stage.root, path, '..'), { recursive: true });
    await symlink(target, join(stage.root, path));
  };
  return { stage, disk, secret, refusal, link };
}

describe('git: links of commits, behind other links', () => {
  test('in a folder that programs/ is a link to', async (t) => {
    const { stage, secret, refusal, link } = await createLinkStage(t);
    await link(secret, 'm/x.yaml');
    await link('m', 'programs');
    await stage.commitAll('one');
    assert.equal(await refusal('programs'), '');
    assert.match(await refusal('programs/x.yaml'), IS_COMMITTED);
    await stage.git('rm', '-q', '--cached', 'm/x.yaml');
    assert.match(await refusal('programs/x.yaml'), IS_COMMITTED, 'HEAD has it still');
    await stage.git('commit', '-q', '-m', 'two');
    assert.equal(await refusal('programs/x.yaml'), '');
  });

  test('in a submodule that programs/ is', async (t) => {
    const { stage, secret, refusal } = await createLinkStage(t);
    const inner = await createGitStage(t);
    await symlink(secret, join(inner.root, 'x.yaml'));
    await inner.commitAll('one');
    await stage.git('-c', 'protocol.file.allow=always', 'submodule', '-q', 'add', inner.root, 'programs');
    await stage.commitAll('one');
    assert.match(await refusal('programs/x.yaml'), IS_COMMITTED);
  });

  test('that a link of the operator leads through', async (t) => {
    const { stage, disk, refusal, link } = await createLinkStage(t);
    await link(disk, 'm/deep');
    await stage.commitAll('one');
    await link('m/deep', 'programs');
    await link('../m/deep/x.yaml', 'other/x.yaml');
    assert.match(await refusal('programs'), IS_COMMITTED);
    assert.match(await refusal('other/x.yaml'), IS_COMMITTED);
  });

  test('on a disk of the operator: the git there says whose they are', async (t) => {
    const { disk, secret, refusal, link } = await createLinkStage(t);
    const folder = join(disk, 'programs');
    await mkdir(folder);
    await symlink(secret, join(folder, 'out.yaml'));
    await symlink('own', join(folder, 'in.yaml'));
    await writeFile(join(folder, 'own'), imageManifest('in'));
    await link(folder, 'programs');
    for (const path of ['programs', 'programs/in.yaml', 'programs/out.yaml'])
      assert.equal(await refusal(path), '', path);
    await gitIn(folder, 'init', '-q');
    await gitIn(folder, 'add', '-A');
    assert.equal(await refusal('programs/in.yaml'), '', 'it leads to what the same git has');
    assert.match(await refusal('programs/out.yaml'), IS_COMMITTED);
  });

  test('where git does not say, none that leads out is followed', async (t) => {
    const { stage, secret, refusal, link } = await createLinkStage(t);
    await stage.write('m/own.yaml', imageManifest('own'));
    await link(secret, 'programs/x.yaml');
    await link('../m/own.yaml', 'programs/own.yaml');
    await stage.commitAll('one');
    for (const path of ['.git/index', '.git/HEAD']) {
      await stage.write(path, 'broken');
      assert.match(
        await refusal('programs/x.yaml'),
        /git does not say whether|is a link that git tracks/,
        path,
      );
      assert.equal(await refusal('programs/own.yaml'), '');
    }
  });
});
