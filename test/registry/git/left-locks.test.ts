import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isThere } from '../../../registry/files/is-there.ts';
import { createLeftLocks } from '../../../registry/git/left-locks.ts';
import { createGitStage, gitIn, imageManifest, SOMEBODY } from './stage.ts';

/** Where git 2.39 was seen to lock, or says that it does. */
const LOCKS = [
  ...['HEAD.lock', 'config.lock', 'packed-refs.lock', 'shallow.lock', 'refs/heads/main.lock'],
  ...['modules/libs/a/HEAD.lock', 'modules/libs/a/index.lock', 'modules/libs/a/refs/heads/x/y.lock'],
  ...['modules/libs/a/modules/b/config.lock', 'reftable/tables.list.lock'],
];

describe('git: locks that a killed git of the host left', () => {
  test('those since it began go; older ones, the index, and whatever a living one may hold stay', async (t) => {
    const stage = await createGitStage(t);
    const { root, clock } = stage;
    const gitDir = join(root, '.git');
    const locks = createLeftLocks({ top: root, gitDir, commonDir: gitDir }, clock);
    await stage.write('.git/modules/libs/a/HEAD', '');
    await stage.write('.git/modules/libs/a/modules/b/HEAD', '');
    await locks.begin();
    for (const path of [...LOCKS, 'index.lock', 'ORIG_HEAD.lock']) await stage.write(`.git/${path}`, '');
    await utimes(join(gitDir, 'ORIG_HEAD.lock'), 1, 1);
    const left = async () =>
      (await readdir(gitDir, { recursive: true })).filter((path) => path.endsWith('.lock')).sort();
    const all = await left();
    const stay = ['ORIG_HEAD.lock', 'index.lock'];

    // Waits on its input for as long as that is open.
    const git = spawn('git', ['-C', root, 'cat-file', '--batch'], { env: SOMEBODY });
    const said = once(git.stdout, 'data');
    git.stdin.write('HEAD\n');
    await said;
    await stage.meanwhile(locks.clear());
    assert.deepEqual(await left(), all, 'a git lives there');
    git.stdin.end();
    await once(git, 'close');
    const held = await open(join(gitDir, 'config.lock'));
    await stage.turning(locks.clear());
    assert.deepEqual(await left(), [...stay, 'config.lock'].sort(), 'one that somebody has open');
    await held.close();
    await stage.turning(locks.clear());
    assert.deepEqual(await left(), stay);
    await stage.write('.git/HEAD.lock', '');
    await stage.turning(locks.clear());
    assert.deepEqual(await left(), ['HEAD.lock', ...stay], 'nothing of ours was at work');
  });

  test('neither edits nor the look at the remote are held up by them for ever', async (t) => {
    const stage = await createGitStage(t);
    await stage.write('programs/a.yaml', imageManifest('a'));
    await stage.commitAll('one');
    await stage.write('.git/hersh-work', '');
    for (const name of ['refs/heads/main', 'HEAD']) await stage.write(`.git/${name}.lock`, '');
    const registry = await stage.open();
    const edit = registry.editSpec('a', { desiredState: 'Stopped' }, { author: 'ann', message: 'stop a' });
    await stage.turning(edit);
    assert.equal(await stage.git('log', '-1', '--format=%s'), 'stop a');
    await stage.turning(registry.close());

    const elsewhere = await createGitStage(t);
    await gitIn(elsewhere.root, 'pull', '-q', stage.root, 'main');
    await elsewhere.write('programs/b.yaml', imageManifest('b'));
    await elsewhere.commitAll('two');
    await stage.write('.git/hersh-work', '');
    for (const name of ['refs/heads/main', 'refs/remotes/hersh-host/main', 'HEAD'])
      await stage.write(`.git/${name}.lock`, '');
    const next = await stage.open({ url: elsewhere.root, branch: 'main', intervalMs: 2_000 });
    await stage.until(() => next.get('b') !== undefined, 8_000);
    assert.equal(next.remoteTrouble(), undefined);
    assert.deepEqual(
      (await readdir(join(stage.root, '.git'))).filter((name) => /hersh|lock/.test(name)),
      [],
    );
  });

  test('one that was held at a look goes at a later one, though work began anew meanwhile', async (t) => {
    const stage = await createGitStage(t);
    const gitDir = join(stage.root, '.git');
    const locks = createLeftLocks({ top: stage.root, gitDir, commonDir: gitDir }, stage.clock);
    const path = join(gitDir, 'HEAD.lock');
    await locks.begin();
    await stage.write('.git/HEAD.lock', '');
    const held = await open(path);
    await stage.turning(locks.clear());
    // As old as the note: no clock has to go on for that.
    await utimes(join(gitDir, 'hersh-work'), 2, 2);
    await utimes(path, 2, 2);
    await locks.begin();
    await stage.turning(locks.clear());
    assert.ok(await isThere(path));
    await held.close();
    await stage.turning(locks.clear());
    assert.ok(!(await isThere(path)));
    assert.ok(!(await isThere(join(gitDir, 'hersh-work'))), 'nothing is left of it');
  });

  test('of the first work tree, beside which the registry is another, the index stays locked', async (t) => {
    const stage = await createGitStage(t);
    const commonDir = join(stage.root, '.git');
    const gitDir = join(commonDir, 'worktrees/registry');
    await mkdir(gitDir, { recursive: true });
    const locks = createLeftLocks({ top: join(stage.root, 'registry'), gitDir, commonDir }, stage.clock);
    await locks.begin();
    for (const name of ['index', 'HEAD', 'packed-refs', 'worktrees/registry/HEAD'])
      await stage.write(`.git/${name}.lock`, '');
    await stage.turning(locks.clear());
    const left = (await readdir(commonDir, { recursive: true })).filter((path) => path.endsWith('.lock'));
    assert.deepEqual(left, ['index.lock']);
  });

  test('an edit that is committed counts as done, though the note of it stays', async (t) => {
    const stage = await createGitStage(t);
    await stage.write('programs/a.yaml', imageManifest('a'));
    await stage.commitAll('one');
    // What can be neither written nor removed as a file, also by root.
    await mkdir(join(stage.root, '.git/hersh-work'));
    const registry = await stage.open();
    await stage.turning(
      registry.editSpec('a', { desiredState: 'Stopped' }, { author: 'ann', message: 'stop a' }),
    );
    assert.equal(await stage.git('log', '-1', '--format=%s'), 'stop a');
    assert.equal(await stage.git('status', '--porcelain'), '');
  });
});
