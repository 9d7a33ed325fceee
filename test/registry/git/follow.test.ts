import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { redactUrl } from '../../../registry/git/follow.ts';
import type { AppError } from '../../../schemas/errors.ts';
import { brought, createGitStage, type GitStage, gitIn, imageManifest } from './stage.ts';

/** A bare repository elsewhere with one program on main, and a clone in which somebody works on it. */
async function origin(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'hersh-origin-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const url = join(folder, 'origin.git');
  const clone = join(folder, 'clone');
  await gitIn(folder, 'init', '-q', '--bare', '-b', 'main', url);
  await gitIn(folder, 'clone', '-q', url, clone);
  const push = async (path: string, text: string, message = path) => {
    await gitIn(clone, 'checkout', '-q', '-B', 'main');
    await writeFile(join(clone, path), text);
    await gitIn(clone, 'add', '-A');
    await gitIn(clone, 'commit', '-q', '-m', message);
    await gitIn(clone, 'push', '-q', '--force', 'origin', 'main');
    return gitIn(clone, 'rev-parse', 'HEAD');
  };
  await mkdir(join(clone, 'programs'));
  await push('programs/a.yaml', imageManifest('a'));
  return { url, clone, push, remote: { url, branch: 'main', intervalMs: 2_000 } };
}

const following = (stage: GitStage, remote: { url: string; branch: string; intervalMs: number }) =>
  stage.open(remote);

describe('git: following a remote', () => {
  test('an empty folder becomes a clone, and stays equal to the branch', async (t) => {
    const { remote, push } = await origin(t);
    const stage = await createGitStage(t, { init: false });
    const registry = await following(stage, remote);
    assert.ok(registry.get('a')?.program, 'the first look at the remote is at the start');
    assert.deepEqual(registry.health().warnings, []);
    const next = await push('programs/b.yaml', imageManifest('b'));
    await stage.until(() => registry.get('b') !== undefined, 4_000);
    assert.equal(registry.commitOf('b', undefined), next, 'the commit is known as soon as the program is');
    assert.equal(await stage.git('status', '--porcelain'), '');
    assert.deepEqual(
      await stage.git('config', '--get-regexp', 'remote').catch(() => ''),
      '',
      'nothing is configured',
    );
  });

  test('a commit never overwrites what git ignores, ledgers and records of the host first of all', async (t) => {
    const { remote, push, clone } = await origin(t);
    const stage = await createGitStage(t, { init: false });
    const registry = await following(stage, remote);
    const record = join(stage.root, 'data/trash/record');
    await writeFile(record, 'kept');
    await push('data', 'a file in the place of the folder');
    await stage.until(() => registry.health().warnings.length === 1, 10_000);
    assert.match(registry.health().warnings[0] ?? '', /not followed/);
    assert.equal(await readFile(record, 'utf8'), 'kept');
    await gitIn(clone, 'rm', '-q', 'data');
    const mended = await push('programs/b.yaml', imageManifest('b'));
    await stage.until(() => registry.commitOf('b', undefined) === mended, 10_000);
  });

  test('edits are refused with the place to commit to, and without its password', async (t) => {
    const { remote } = await origin(t);
    const stage = await createGitStage(t, { init: false });
    const registry = await following(stage, remote);
    for (const edit of [
      () => registry.create('x', imageManifest('x')),
      () => registry.createFromSources('x', brought()),
      () => registry.editSpec('a', { desiredState: 'Stopped' }),
      () => registry.remove('a'),
      async () => registry.mustBeEditable(),
    ]) {
      await assert.rejects(edit(), (error: AppError) => {
        assert.equal(error.http, 409);
        assert.match(error.message, /follows branch main of .*origin\.git/);
        return true;
      });
    }
    assert.equal(await stage.git('status', '--porcelain'), '');
  });

  test('unreachable: a warning with words and since when, told once; it goes when the remote is back', async (t) => {
    const { url, remote, push } = await origin(t);
    const stage = await createGitStage(t, { init: false });
    const registry = await following(stage, remote);
    const told = new Set<string>();
    registry.subscribe(({ names }) => {
      for (const name of names) told.add(name);
    });
    await rename(url, `${url}.away`);
    await stage.until(() => registry.health().warnings.length === 1, 4_000);
    await stage.pass(10_000);
    assert.match(
      registry.health().warnings[0] ?? '',
      /not followed since 2026-01-01T00:00:.*can not be fetched from/,
    );
    assert.equal(stage.warnings.filter((line) => line.includes('not followed')).length, 1);
    assert.equal(registry.remoteTrouble()?.reason, 'RemoteUnreachable');
    assert.ok(told.has('a'), 'the programs are looked at, so that they say so');
    told.clear();
    assert.ok(registry.get('a')?.program);
    await rename(`${url}.away`, url);
    await push('programs/b.yaml', imageManifest('b'));
    await stage.until(
      () => registry.get('b') !== undefined && registry.health().warnings.length === 0,
      4_000,
    );
    await stage.until(() => told.has('a'), 4_000);
    assert.equal(registry.remoteTrouble(), undefined);
  });

  test('unreachable from the first start: the host is up and takes it over later', async (t) => {
    const { url, remote } = await origin(t);
    await rename(url, `${url}.away`);
    const stage = await createGitStage(t, { init: false });
    const registry = await following(stage, remote);
    assert.equal(registry.health().warnings.length, 1);
    await rename(`${url}.away`, url);
    await stage.until(() => registry.get('a') !== undefined, 4_000);
  });

  test('a remote that was rewritten, or a commit of our own: nothing changes', async (t) => {
    const { clone, remote, push } = await origin(t);
    const stage = await createGitStage(t, { init: false });
    const registry = await following(stage, remote);
    const before = await stage.git('rev-parse', 'HEAD');
    await gitIn(clone, 'commit', '-q', '--amend', '-m', 'rewritten');
    await push('programs/a.yaml', imageManifest('a', { userId: 'mallory' }));
    await stage.until(() => registry.health().warnings.length === 1, 4_000);
    assert.match(
      registry.health().warnings[0] ?? '',
      /they diverged; .* git reset --hard hersh-host\/main in/,
    );
    assert.equal(registry.remoteTrouble()?.reason, 'RemoteDiverged');
    assert.equal(await stage.git('rev-parse', 'HEAD'), before);
    assert.equal(registry.get('a')?.program?.rawSpec.userId, 'ann');
    await stage.git('reset', '-q', '--hard', 'hersh-host/main');
    await stage.until(() => registry.health().warnings.length === 0, 4_000);
    assert.equal(registry.get('a')?.program?.rawSpec.userId, 'mallory');
  });

  test('files that somebody changed here are never overwritten; others do not stand in the way', async (t) => {
    const { remote, push } = await origin(t);
    const stage = await createGitStage(t, { init: false });
    const registry = await following(stage, remote);
    const mine = imageManifest('a', { userId: 'local' });
    await stage.write('programs/a.yaml', mine);
    await stage.write('notes.txt', 'mine');
    await push('programs/b.yaml', imageManifest('b'));
    await stage.until(() => registry.get('b') !== undefined, 4_000);
    await push('programs/a.yaml', imageManifest('a', { userId: 'theirs' }));
    await stage.until(() => registry.health().warnings.length === 1, 4_000);
    assert.match(
      registry.health().warnings[0] ?? '',
      /can not be taken over: .* by merge: programs\/a\.yaml; Please commit/,
    );
    assert.equal(await stage.read('programs/a.yaml'), mine);
    await stage.git('checkout', '--', 'programs/a.yaml');
    await stage.until(() => registry.get('a')?.program?.rawSpec.userId === 'theirs', 4_000);
    await push('notes.txt', 'theirs');
    await stage.until(() => registry.health().warnings.length === 1, 4_000);
    assert.equal(await stage.read('notes.txt'), 'mine');
  });

  test('a remote of that name with another address, however it is configured: the one that was asked for counts', async (t) => {
    const { remote, push } = await origin(t);
    const stage = await createGitStage(t);
    // git 2.39 takes the first address of several, and that of the repository's configuration comes first.
    await stage.git('remote', 'add', 'hersh-host', '/nowhere/at/all.git');
    await stage.write('.git/remotes/hersh-host', 'URL: /nowhere/else.git\n');
    const registry = await following(stage, remote);
    assert.deepEqual(registry.health().warnings, []);
    await push('programs/b.yaml', imageManifest('b'));
    await stage.until(() => registry.get('b') !== undefined, 4_000);
  });

  test('another branch checked out here is left alone', async (t) => {
    const { remote, push } = await origin(t);
    const stage = await createGitStage(t, { init: false });
    const registry = await following(stage, remote);
    await stage.git('checkout', '-q', '-b', 'mine');
    await push('programs/b.yaml', imageManifest('b'));
    await stage.until(() => registry.health().warnings.length === 1, 4_000);
    assert.match(registry.health().warnings[0] ?? '', /on mine, not on main/);
    assert.equal(registry.get('b'), undefined);
  });

  test('submodules are brought and kept at the commit HEAD names; one that can not be is named', async (t) => {
    const inner = await createGitStage(t);
    await inner.write('Dockerfile', 'FROM one\n');
    await inner.commitAll('one');
    const { clone, remote, push } = await origin(t);
    // git 2.39 takes submodules from folders of this machine only where that is allowed.
    const config = join(inner.root, '.git/allow');
    await writeFile(config, '[protocol "file"]\n\tallow = always\n');
    process.env.GIT_CONFIG_GLOBAL = config;
    t.after(() => delete process.env.GIT_CONFIG_GLOBAL);
    await gitIn(clone, '-c', 'protocol.file.allow=always', 'submodule', '-q', 'add', inner.root, 'sub');
    await push('programs/b.yaml', imageManifest('b'));
    const stage = await createGitStage(t, { init: false });
    const registry = await following(stage, remote);
    assert.equal(await stage.read('sub/Dockerfile'), 'FROM one\n');

    await inner.write('Dockerfile', 'FROM two\n');
    await inner.commitAll('two');
    await gitIn(join(clone, 'sub'), 'pull', '-q', 'origin', 'main');
    const two = await push('programs/b.yaml', imageManifest('b', { userId: 'two' }));
    await stage.until(() => registry.commitOf('b', undefined) === two, 8_000);
    assert.equal(await stage.read('sub/Dockerfile'), 'FROM two\n');
    await gitIn(clone, 'config', '-f', '.gitmodules', 'submodule.other.path', 'other');
    await gitIn(clone, 'config', '-f', '.gitmodules', 'submodule.other.url', join(inner.root, 'nowhere'));
    await mkdir(join(clone, 'other'));
    await gitIn(clone, 'update-index', '--add', '--cacheinfo', `160000,${two},other`);
    await push('programs/c.yaml', imageManifest('c'));
    await stage.until(() => registry.remoteTrouble() !== undefined, 8_000);
    assert.equal(registry.remoteTrouble()?.reason, 'SubmoduleUnavailable');
    assert.match(registry.health().warnings.join(), /submodules of main .* other \(/);
    await stage.until(() => registry.get('c') !== undefined, 4_000);
  });

  test('what is named by sha256 is followed: the empty folder takes its form', async (t) => {
    const source = await createGitStage(t, { init: false });
    await source.git('init', '-q', '-b', 'main', '--object-format=sha256');
    await source.write('programs/a.yaml', imageManifest('a'));
    const id = await source.commitAll('one');
    const stage = await createGitStage(t, { init: false });
    const registry = await following(stage, { url: source.root, branch: 'main', intervalMs: 2_000 });
    assert.equal(registry.commitOf('a', undefined), id);
  });

  test('a branch that does not exist', async (t) => {
    const { remote } = await origin(t);
    const stage = await createGitStage(t, { init: false });
    const registry = await following(stage, { ...remote, branch: 'nope' });
    assert.match(registry.health().warnings[0] ?? '', /nope can not be fetched/);
  });

  test('a folder that holds files and is no work tree: a clear error at the start', async (t) => {
    const { remote } = await origin(t);
    const stage = await createGitStage(t, { init: false });
    await stage.write('programs/mine.yaml', imageManifest('mine'));
    await assert.rejects(following(stage, remote), /holds files but is not a git work tree/);
    await assert.rejects(stat(join(stage.root, '.git')));
  });

  test('passwords are shown nowhere', async (t) => {
    const stage = await createGitStage(t, { init: false });
    const url = 'http://ann:s3cret@127.0.0.1:9/repo.git?token=s3cret';
    const registry = await following(stage, { url, branch: 'main', intervalMs: 2_000 });
    await stage.until(() => registry.health().warnings.length === 1, 60_000);
    const refusal = await registry.remove('a').catch((error: AppError) => `${error.message} ${error.hint}`);
    const said = [...registry.health().warnings, ...stage.warnings, refusal].join('\n');
    assert.match(said, /127\.0\.0\.1:9\/repo\.git/);
    assert.doesNotMatch(said, /s3cret|ann:/);
    const { execFileSync } = await import('node:child_process');
    assert.throws(
      () => execFileSync('grep', ['-rl', 's3cret', stage.root], { stdio: 'ignore' }),
      'no file holds it',
    );
  });

  test('redactUrl', () => {
    assert.equal(redactUrl('https://u:p@h.example/x.git'), 'https://h.example/x.git');
    assert.equal(redactUrl('git@h.example:x.git'), 'git@h.example:x.git');
    assert.equal(redactUrl('/srv/x.git'), '/srv/x.git');
  });
});

describe('git: pushing to the registry', () => {
  test('updateInstead: pushed manifests are in the tree, edits of the API come back with a pull', async (t) => {
    const { clone, push } = await origin(t);
    const stage = await createGitStage(t);
    await stage.git('config', 'receive.denyCurrentBranch', 'updateInstead');
    const registry = await stage.open();
    await gitIn(clone, 'remote', 'set-url', 'origin', stage.root);
    await push('programs/b.yaml', imageManifest('b'));
    await stage.until(() => registry.get('a') !== undefined && registry.get('b') !== undefined);
    await registry.editSpec('a', { desiredState: 'Stopped' }, { author: 'ann', message: 'stop a' });
    await gitIn(clone, 'pull', '-q', '--ff-only', 'origin', 'main');
    assert.equal(await gitIn(clone, 'log', '-1', '--format=%an %s'), 'ann stop a');
    const head = await push('programs/c.yaml', imageManifest('c'));
    await stage.until(() => registry.commitOf('c', undefined) === head);
    await registry.look();
    assert.equal(await stage.git('status', '--porcelain'), '');
  });
});
