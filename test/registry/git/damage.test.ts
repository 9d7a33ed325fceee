import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Registry } from '../../../registry/registry.ts';
import type { AppError } from '../../../schemas/errors.ts';
import { brought, createGitStage, type GitStage, imageManifest, SOMEBODY } from './stage.ts';

const ASKED = { author: 'ann', message: 'stop a' };

async function two(stage: GitStage): Promise<Registry> {
  await stage.write('programs/a.yaml', imageManifest('a'));
  await stage.write('programs/b.yaml', imageManifest('b'));
  await stage.commitAll('two programs');
  return stage.open();
}

function refused(http: number, words: RegExp) {
  return (error: AppError) => {
    assert.equal(error.http, http, error.message);
    assert.match(error.message, words);
    assert.ok(error.hint, 'says what to do');
    return true;
  };
}

/** The lock that a host left which was killed at that point. */
function leftLock(pid: number, message: string, ...paths: string[]): string {
  const hershHost = { pid, startTime: '1', bootId: 'of another boot', about: 'Hersh Host' };
  return `${JSON.stringify({ hershHost, intent: { author: 'ann', message }, paths })}\n`;
}

describe('git: locks and half-done operations', () => {
  test('an index that stays locked is 503 after 5 s, and the files are as before', async (t) => {
    const stage = await createGitStage(t);
    const registry = await two(stage);
    await stage.write('.git/index.lock', '');
    const before = await stage.read('programs/a.yaml');
    const startedMs = stage.clock.monotonic();
    const edits = [
      registry.editSpec('a', { desiredState: 'Stopped' }, ASKED),
      registry.createFromSources('c', brought()),
    ];
    await Promise.all(
      edits.map((edit) =>
        assert.rejects(stage.turning(edit), refused(503, /index .* locked by another process/)),
      ),
    );
    const tookMs = stage.clock.monotonic() - startedMs;
    assert.ok(tookMs >= 5_000 && tookMs < 5_500, `${tookMs} ms for both`);
    assert.equal(await stage.read('programs/a.yaml'), before);
    assert.deepEqual(await readdir(join(stage.root, 'sources')), []);
    assert.equal(await stage.read('.git/index.lock'), '', 'the lock of the other one is still there');
    await rm(join(stage.root, '.git/index.lock'));
    await registry.editSpec('a', { desiredState: 'Stopped' }, ASKED);
    assert.equal(await stage.git('status', '--porcelain'), '');
  });

  test('a lock that is given back in time is waited for, and so are the files that come under it', async (t) => {
    const stage = await createGitStage(t);
    const registry = await two(stage);
    await stage.write('.git/index.lock', '');
    const edit = registry.editSpec('a', { desiredState: 'Stopped' }, ASKED);
    await stage.pass(1_500);
    await stage.write('programs/x.yaml', imageManifest('x'));
    await registry.look();
    await stage.pass(1_500);
    assert.equal(registry.get('x'), undefined, 'a checkout may be half way');
    await rm(join(stage.root, '.git/index.lock'));
    await stage.turning(edit);
    assert.equal(await stage.git('log', '-1', '--format=%s'), 'stop a');
    await stage.until(() => registry.get('x') !== undefined);
  });

  test('a lock that nobody gives back, as a git that crashed leaves it, holds files up for ten seconds, once', async (t) => {
    const stage = await createGitStage(t);
    const registry = await two(stage);
    await stage.write('.git/index.lock', '');
    await stage.write('programs/x.yaml', imageManifest('x'));
    await registry.look();
    await stage.pass(9_000);
    assert.equal(registry.get('x'), undefined);
    await stage.until(() => registry.get('x') !== undefined);
    await stage.write('programs/y.yaml', imageManifest('y'));
    await registry.look();
    assert.ok(registry.get('y'));
  });

  test('a reference that is locked: 503, and the edit is taken back', async (t) => {
    const stage = await createGitStage(t);
    const registry = await two(stage);
    await stage.write('.git/refs/heads/main.lock', '');
    const edit = registry.createFromSources('c', brought());
    await assert.rejects(stage.turning(edit), refused(503, /main\.lock/));
    assert.equal(await stage.git('status', '--porcelain'), '');
    assert.deepEqual(await readdir(join(stage.root, 'sources')), []);
    assert.equal(registry.get('c'), undefined);
  });

  for (const operation of ['merge', 'cherry-pick', 'revert', 'rebase'] as const) {
    test(`a ${operation} in progress: 409, files untouched, until it ends`, async (t) => {
      const stage = await createGitStage(t);
      const registry = await two(stage);
      const conflict = async (text: string) => {
        await stage.write('clash.txt', text);
        return stage.commitAll(text);
      };
      await conflict('base');
      await stage.git('checkout', '-q', '-b', 'other');
      const theirs = await conflict('theirs');
      await stage.git('checkout', '-q', 'main');
      await conflict('ours');
      const target = operation === 'revert' ? 'HEAD~' : operation === 'cherry-pick' ? theirs : 'other';
      await assert.rejects(stage.git(operation, target));
      const before = await stage.git('status', '--porcelain');
      await assert.rejects(
        registry.editSpec('a', { desiredState: 'Stopped' }, ASKED),
        refused(409, new RegExp(`a ${operation}.* is in progress`)),
      );
      assert.equal(await stage.git('status', '--porcelain'), before);
      await stage.git(operation, '--abort');
      await registry.editSpec('a', { desiredState: 'Stopped' }, ASKED);
    });
  }

  test('bisect in progress: 409', async (t) => {
    const stage = await createGitStage(t);
    const registry = await two(stage);
    await stage.git('bisect', 'start');
    await assert.rejects(registry.remove('a'), refused(409, /a bisect is in progress/));
  });

  test('the host killed after the write: the next start commits it and removes the lock', async (t) => {
    const stage = await createGitStage(t);
    await stage.write('programs/a.yaml', imageManifest('a'));
    await stage.write('programs/b.yaml', imageManifest('b'));
    await stage.commitAll('two');
    await stage.write('programs/a.yaml', imageManifest('a', { desiredState: 'Stopped' }));
    await stage.write('sources/build-0123456789ab/Dockerfile', 'FROM scratch\n');
    await stage.write('unrelated.txt', 'x');
    const paths = ['programs/a.yaml', 'sources/build-0123456789ab'];
    await stage.write('.git/index.lock', leftLock(1, 'stop a', ...paths));
    await stage.write('.git/hersh-index-dead', 'half an index');
    const registry = await stage.open();
    assert.match(await stage.git('log', '-1', '--format=%an %B'), /^ann stop a\n\nHersh-Recovered: /);
    assert.equal(await stage.git('status', '--porcelain'), '?? unrelated.txt');
    assert.deepEqual(
      (await readdir(join(stage.root, '.git'))).filter((name) => /hersh|lock/.test(name)),
      [],
    );
    assert.equal(registry.commitOf('a', undefined), await stage.git('rev-parse', 'HEAD'));
  });

  test('the host killed after the commit, or before the write: nothing is made twice', async (t) => {
    const stage = await createGitStage(t);
    const registry = await two(stage);
    const index = await stage.git('rev-parse', 'HEAD');
    await stage.write('.git/index.lock', leftLock(1, 'stop a', 'programs/a.yaml', 'programs/never.yaml'));
    await registry.editSpec('b', { desiredState: 'Stopped' }, { author: 'ann', message: 'stop b' });
    assert.equal(await stage.git('log', '-1', '--format=%s %P'), `stop b ${index}`);
    // The commit is made, the index is still the one before it.
    await stage.write('programs/a.yaml', imageManifest('a', { userId: 'bob' }));
    await stage.git('add', '-A');
    await stage.git('commit', '-q', '-m', 'as the host made it');
    await stage.git('reset', '-q', 'HEAD~', '--', 'programs/a.yaml');
    const head = await stage.git('rev-parse', 'HEAD');
    await stage.write('.git/index.lock', leftLock(1, 'put manifest a', 'programs/a.yaml'));
    await registry.close();
    await stage.open();
    assert.equal(await stage.git('rev-parse', 'HEAD'), head);
    assert.equal(await stage.git('status', '--porcelain'), '');
  });

  test('a lock of ours whose owner lives is not taken over', async (t) => {
    const stage = await createGitStage(t);
    const registry = await two(stage);
    const other = spawn('git', ['cat-file', '--batch'], { cwd: stage.root, env: SOMEBODY });
    other.unref();
    t.after(() => other.kill());
    const { identify } = await import('../../../registry/records/lock.ts');
    const owner = { ...(await identify(other.pid ?? 0)), pid: other.pid, about: 'another host' };
    await stage.write('.git/index.lock', JSON.stringify({ hershHost: owner, intent: ASKED, paths: [] }));
    await assert.rejects(stage.turning(registry.remove('a')), refused(503, /locked/));
  });

  test('.git that goes away: edits are 503, what is there goes on, and all works when it is back', async (t) => {
    const stage = await createGitStage(t);
    const registry = await two(stage);
    await stage.git('clone', '-q', '--bare', '.', join(stage.root, 'data', 'copy.git'));
    await rm(join(stage.root, '.git'), { recursive: true });
    await registry.look();
    assert.equal(registry.list().length, 2);
    assert.equal(registry.commitOf('a', undefined), '');
    await assert.rejects(registry.editSpec('a', { desiredState: 'Stopped' }, ASKED), refused(503, /\.git/));
    assert.equal(await stage.read('programs/a.yaml'), imageManifest('a'));
    await stage.git('init', '-q', '-b', 'main');
    await stage.git('fetch', '-q', join(stage.root, 'data', 'copy.git'), 'main');
    await stage.git('reset', '-q', 'FETCH_HEAD');
    await registry.editSpec('a', { desiredState: 'Stopped' }, ASKED);
    assert.equal(await stage.git('log', '-1', '--format=%s'), 'stop a');
  });
});

describe('git: where it is on', () => {
  test('not in a folder that the repository above ignores, nor where git refuses to work', async (t) => {
    const stage = await createGitStage(t);
    const { openGit } = await import('../../../registry/git/git.ts');
    await stage.write('inner/programs/a.yaml', imageManifest('a'));
    await stage.write('.gitignore', '/inner/programs/*\n');
    const open = (root: string, warned: string[] = []) =>
      openGit({ root, clock: stage.clock, onWarning: (_fields, message) => warned.push(message) });
    assert.equal(await open(join(stage.root, 'inner')), undefined);
    assert.notEqual(await open(stage.root), undefined);
    const warned: string[] = [];
    await stage.write('inner/.git', 'gitdir: /nowhere\n');
    assert.equal(await open(join(stage.root, 'inner'), warned), undefined);
    assert.equal(warned.length, 1);
  });

  test('where git refuses to work, /readyz says why and what to do', async (t) => {
    const stage = await createGitStage(t, { init: false });
    await stage.write('.git', 'gitdir: /nowhere\n');
    const registry = await stage.open();
    assert.deepEqual(registry.health().warnings, [
      'the registry has a .git, but git does not work there, so edits are no commits: fatal: not a git repository: /nowhere. Mend that as the user the host runs as, and start the host again',
    ]);
    const { findFolders } = await import('../../../registry/git/folders.ts');
    const stderr = `fatal: detected dubious ownership in repository at '/srv/registry'
To add an exception for this directory, call:

\tgit config --global --add safe.directory /srv/registry
`;
    const told: string[] = [];
    const run = async () => ({ code: 128, stdout: '', stderr });
    assert.equal(await findFolders(stage.root, run, (why) => told.push(why)), undefined);
    assert.match(told.join(), /call: git config --global --add safe\.directory \/srv\/registry\. Mend that/);
  });

  test('in a linked work tree and by way of a link', async (t) => {
    const stage = await createGitStage(t);
    await stage.write('programs/a.yaml', imageManifest('a'));
    await stage.commitAll('one');
    const { symlink } = await import('node:fs/promises');
    const { openGit } = await import('../../../registry/git/git.ts');
    const linked = join(stage.root, 'data', 'linked');
    await stage.git('worktree', 'add', '-q', '-b', 'side', linked);
    await symlink(linked, join(stage.root, 'data', 'link'));
    const git = await openGit({
      root: join(stage.root, 'data', 'link'),
      clock: stage.clock,
      // A commit that does not come to be is told there: it is what fails below.
      onWarning: (fields, message) => assert.fail(`${message} ${JSON.stringify(fields)}`),
    });
    assert.ok(git);
    const { writeFile } = await import('node:fs/promises');
    await git.record(ASKED, 'programs/a.yaml', async (commit) => {
      await writeFile(join(linked, 'programs/a.yaml'), imageManifest('a', { userId: 'bob' }));
      await commit(['programs/a.yaml']);
    });
    assert.equal(await stage.git('log', '-1', '--format=%s', 'side'), 'stop a');
    assert.equal(await stage.git('-C', linked, 'status', '--porcelain'), '');
  });
});
