import assert from 'node:assert/strict';
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createLeftMove } from '../../../registry/git/left-move.ts';
import { createMover } from '../../../registry/git/move.ts';
import { createGitRun, type GitRun } from '../../../registry/git/run.ts';
import { createTimers } from '../../../registry/git/timers.ts';
import { createGitStage, type GitStage, imageManifest } from './stage.ts';

/** What a host leaves that is killed when it has moved HEAD, and has not brought the submodule of that commit. */
async function endedInBetween(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'hersh-config-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  process.env.GIT_CONFIG_GLOBAL = join(folder, 'config');
  t.after(() => delete process.env.GIT_CONFIG_GLOBAL);
  // git 2.39 takes submodules from folders of this machine only where that is allowed.
  await writeFile(process.env.GIT_CONFIG_GLOBAL, '[protocol "file"]\n\tallow = always\n');
  const inner = await createGitStage(t);
  await inner.write('Dockerfile', 'FROM one\n');
  await inner.commitAll('inner');
  const origin = await createGitStage(t);
  await origin.git('-c', 'protocol.file.allow=always', 'submodule', '-q', 'add', inner.root, 'sub');
  await origin.write('programs/a.yaml', imageManifest('a'));
  const to = await origin.commitAll('one');
  const stage = await createGitStage(t);
  await stage.git('pull', '-q', '--no-recurse-submodules', origin.root, 'main');
  await stage.write('.git/hersh-move', JSON.stringify({ from: '', to, dirty: [] }));
  const away = async ({ root }: GitStage) => {
    await rename(root, `${root}-away`);
    t.after(() => rename(`${root}-away`, root));
  };
  return { stage, inner, origin, away, remote: { url: origin.root, branch: 'main', intervalMs: 2_000 } };
}

const notes = async ({ root }: GitStage) =>
  (await readdir(join(root, '.git'))).filter((name) => /^hersh-(move|submodules)/.test(name));

describe('git: a host that ends between a move and its submodules', () => {
  test('the next one brings them before it takes up HEAD, though the remote is away', async (t) => {
    const { stage, remote, origin, away } = await endedInBetween(t);
    await away(origin);
    const registry = await stage.open(remote);
    assert.equal(await stage.read('sub/Dockerfile'), 'FROM one\n');
    assert.ok(registry.get('a'));
    assert.equal(registry.remoteTrouble()?.reason, 'RemoteUnreachable');
    assert.deepEqual(await notes(stage), []);
  });

  test('so does one that follows nothing any more', async (t) => {
    const { stage } = await endedInBetween(t);
    const registry = await stage.open();
    await stage.until(() => registry.get('a') !== undefined, 10_000);
    assert.equal(await stage.read('sub/Dockerfile'), 'FROM one\n');
    assert.deepEqual(await notes(stage), []);
  });

  test('those that can not be had are waited for once', async (t) => {
    const { stage, remote, inner, origin, away } = await endedInBetween(t);
    await away(origin);
    await away(inner);
    const registry = await stage.open(remote);
    assert.ok(registry.get('a'));
    assert.match(registry.remoteTrouble()?.message ?? '', /can not be fetched.*submodules of main.* sub \(/);
    assert.deepEqual(await notes(stage), []);
  });

  test('a clone that was killed in its first moments is gone on with', async (t) => {
    const { stage, inner, remote } = await endedInBetween(t);
    // What git 2.39 leaves then: it says "Unable to find current revision", and afterwards that all is well.
    await stage.git('init', '-q', '--bare', '.git/modules/sub');
    const half = { 'core.bare': 'false', 'core.worktree': '../../../sub', 'remote.origin.url': inner.root };
    for (const [key, value] of Object.entries(half))
      await stage.git('config', '-f', '.git/modules/sub/config', key, value);
    await stage.write('sub/.git', 'gitdir: ../.git/modules/sub\n');
    const registry = await stage.open(remote);
    assert.equal(await stage.read('sub/Dockerfile'), 'FROM one\n');
    assert.equal(registry.remoteTrouble(), undefined);
  });

  test('those of a HEAD that somebody moved on meanwhile are not its affair', async (t) => {
    const { stage } = await endedInBetween(t);
    await rm(join(stage.root, '.git/hersh-move'));
    await stage.write('.git/hersh-submodules', await stage.git('rev-parse', 'HEAD'));
    await stage.git('commit', '-q', '--allow-empty', '-m', 'by hand');
    const registry = await stage.open();
    assert.ok(registry.get('a'));
    assert.deepEqual(await notes(stage), []);
    assert.deepEqual(await readdir(join(stage.root, 'sub')), []);
  });

  test('what was ended with the host is owed; what failed is not', async (t) => {
    const { stage } = await endedInBetween(t);
    const { root } = stage;
    const gitDir = join(root, '.git');
    const head = async () => ({ id: await stage.git('rev-parse', 'HEAD') });
    const ends = new AbortController();
    const real = createGitRun(root, ends.signal);
    const dying: GitRun = (args, options) => {
      if (args.includes('update')) ends.abort();
      return real(args, options);
    };
    const mover = createMover(root, gitDir, dying, head, ends.signal);
    assert.equal(await mover.takeBack(), '');
    assert.match(await mover.bring(), /the host ends/);
    assert.ok(mover.isMoving(), 'in what time is left nothing is taken up');
    const failing: GitRun = async (args, options) =>
      args.includes('update') ? { code: 1, stdout: '', stderr: 'away' } : createGitRun(root)(args, options);
    const next = createMover(root, gitDir, failing, head, new AbortController().signal);
    assert.equal(await next.takeBack(), '');
    assert.ok(next.owesSubmodules() && next.isMoving());
    assert.equal(await next.bring(), 'sub (away)');
    assert.ok(!next.owesSubmodules() && !next.isMoving());
    assert.deepEqual(await notes(stage), []);
  });

  test('what goes wrong otherwise is told, and holds nothing up', async (t) => {
    const { stage } = await endedInBetween(t);
    const { root } = stage;
    const gitDir = join(root, '.git');
    const head = async () => ({ id: await stage.git('rev-parse', 'HEAD') });
    const full: GitRun = async (args, options) => {
      if (args.includes('update')) throw new Error('no room');
      return createGitRun(root)(args, options);
    };
    const mover = createMover(root, gitDir, full, head, new AbortController().signal);
    assert.equal(await mover.takeBack(), '');
    assert.equal(await mover.bring(), 'no room');
    assert.ok(!mover.isMoving());
    assert.deepEqual(await notes(stage), []);
  });

  test('a move that can not be taken back at once is taken back at the next try', async (t) => {
    const { stage } = await endedInBetween(t);
    const gitDir = join(stage.root, '.git');
    const id = await stage.git('rev-parse', 'HEAD');
    let fails = true;
    const head = async () => {
      if (fails) throw new Error('no such device');
      return { id };
    };
    const { signal } = new AbortController();
    const mover = createMover(stage.root, gitDir, createGitRun(stage.root), head, signal);
    const timers = createTimers(stage.clock, () => undefined);
    const warnings: object[] = [];
    const left = createLeftMove(mover, true, timers, (fields) => warnings.push(fields));
    await left.settle();
    await stage.pass(2_500);
    assert.deepEqual(warnings, [{ why: 'no such device' }]);
    assert.ok(mover.isUnderWay());
    fails = false;
    await stage.until(() => !mover.isUnderWay());
    assert.ok(mover.owesSubmodules());
    timers.close();
  });
});
