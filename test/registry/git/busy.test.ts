import assert from 'node:assert/strict';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openGit } from '../../../registry/git/git.ts';
import { SourcesHeld } from '../../../registry/git/sources-held.ts';
import type { Registry } from '../../../registry/registry.ts';
import type { BuildSpec } from '../../../schemas/program.ts';
import { createGitStage, enlist, type GitStage, imageManifest } from './stage.ts';

const BUILD: BuildSpec = { context: 'sources/a', dockerfile: 'Dockerfile', args: {} };
const MAIN = 'sources/a/main.js';

const builtManifest = (version: string) =>
  imageManifest('a', { image: undefined, build: { context: 'sources/a' }, env: { VERSION: version } });

const versionOf = (registry: Registry) =>
  (registry.get('a')?.program?.rawSpec.env as { VERSION?: string } | undefined)?.VERSION;

async function writeVersion(stage: GitStage, version: string): Promise<void> {
  await stage.write('programs/a.yaml', builtManifest(version));
  await stage.write('sources/a/Dockerfile', 'FROM scratch\n');
  await stage.write(MAIN, `${version}\n`);
}

/** One program in two versions: `main` holds `ours`, the branch `other` holds `theirs`, and neither follows on the other. */
async function twoVersions(stage: GitStage): Promise<void> {
  await writeVersion(stage, 'base');
  await stage.commitAll('base');
  await stage.git('checkout', '-q', '-b', 'other');
  await stage.write(MAIN, 'theirs\n');
  await stage.commitAll('theirs');
  await stage.git('checkout', '-q', 'main');
  await stage.write(MAIN, 'ours\n');
  await stage.commitAll('ours');
}

/** The paths that were told of, and the version of the manifest known at that moment. */
function listen(registry: Registry): string[] {
  const told: string[] = [];
  registry.subscribe(({ paths }) => {
    for (const path of paths) told.push(`${path} with ${versionOf(registry)}`);
  });
  return told;
}

describe('git: while it is in the middle of something', () => {
  test('a merge that stands on a conflict in sources: nobody is told of them, until it is aborted', async (t) => {
    const stage = await createGitStage(t);
    await twoVersions(stage);
    const registry = await stage.open();
    const { hash } = await registry.contexts.look(BUILD);
    const told = listen(registry);
    await assert.rejects(stage.git('merge', '-q', 'other'));
    assert.match(await stage.read(MAIN), /<<<<<<< HEAD/);
    await stage.until(() => registry.health().message !== '');
    assert.match(
      registry.health().message,
      /^a merge is in progress in the registry since 2026-01-01T.*: manifests and sources are taken up when it is finished or aborted/,
    );
    await stage.pass(70_000);
    assert.deepEqual(told, []);
    await assert.rejects(
      registry.contexts.look(BUILD),
      (error) => error instanceof SourcesHeld && error.lasts,
    );
    await assert.rejects(
      registry.contexts.snapshot(BUILD, hash),
      SourcesHeld,
      'what is there is none of that hash',
    );
    assert.equal(stage.warnings.filter((line) => line.includes('a merge is in progress')).length, 1);
    await stage.git('merge', '--abort');
    await stage.until(() => registry.health().message === '');
    assert.equal((await registry.contexts.look(BUILD)).hash, hash);
  });

  test('a rebase that stands still: no manifest of a step between is taken, and its sources are when it ends', async (t) => {
    const stage = await createGitStage(t);
    await twoVersions(stage);
    await stage.git('checkout', '-q', 'other');
    await stage.git('commit', '-q', '--amend', '-m', 'conflicts');
    await stage.git('checkout', '-q', '-b', 'feature', 'main~');
    await stage.write('programs/a.yaml', builtManifest('between'));
    await stage.commitAll('between');
    await stage.git('cherry-pick', 'other');
    await stage.write('programs/a.yaml', builtManifest('last'));
    await stage.commitAll('last');
    const registry = await stage.open();
    await enlist(registry, 'a');
    assert.equal(versionOf(registry), 'last');
    await assert.rejects(stage.git('rebase', '-q', 'main'));
    assert.equal(await stage.read('programs/a.yaml'), builtManifest('between'));
    for (let second = 0; second < 15; second++) {
      await stage.pass(1_000);
      assert.equal(versionOf(registry), 'last', `after ${second} s`);
    }
    assert.match(registry.health().message, /a rebase is in progress/);
    await assert.rejects(registry.confirmPrune(), /a rebase is in progress/);
    await stage.write(MAIN, 'both\n');
    await stage.git('add', '-A');
    await stage.git('-c', 'core.editor=true', 'rebase', '--continue');
    const head = await stage.git('rev-parse', 'HEAD');
    await stage.until(() => registry.commitOf('a', 'sources/a') === head && registry.health().message === '');
    await registry.contexts.look(BUILD);
    assert.equal(versionOf(registry), 'last');
  });

  test('a stash that comes back with conflicts, of which no file of git tells: the same', async (t) => {
    const stage = await createGitStage(t);
    await writeVersion(stage, 'base');
    await stage.commitAll('base');
    await stage.write(MAIN, 'stashed\n');
    await stage.git('stash', '-q');
    await stage.write(MAIN, 'ours\n');
    await stage.commitAll('ours');
    const registry = await stage.open();
    const told = listen(registry);
    await assert.rejects(stage.git('stash', 'pop', '-q'));
    assert.match(await stage.read(MAIN), /<<<<<<< /);
    await stage.until(() => /a merge is in progress/.test(registry.health().message));
    await stage.pass(70_000);
    assert.deepEqual(told, []);
    await assert.rejects(
      registry.contexts.look(BUILD),
      (error) => error instanceof SourcesHeld && error.lasts,
    );
    await stage.write(MAIN, 'both\n');
    await stage.git('add', '-A');
    await stage.until(() => told.length > 0 && registry.health().message === '');
    await registry.contexts.look(BUILD);
  });

  test('a bisect: edits by hand are taken up when it is reset', async (t) => {
    const stage = await createGitStage(t);
    await twoVersions(stage);
    const registry = await stage.open();
    const told = listen(registry);
    await stage.git('bisect', 'start');
    await stage.until(() => /a bisect is in progress/.test(registry.health().message));
    await stage.write('programs/b.yaml', imageManifest('b'));
    await stage.write(MAIN, 'by hand\n');
    await stage.pass(15_000);
    assert.equal(registry.get('b'), undefined);
    assert.deepEqual(told, []);
    await stage.git('bisect', 'reset');
    await stage.until(() => registry.get('b') !== undefined && registry.health().message === '');
    await stage.until(() => told.length > 0);
  });

  test('files that are written under the lock come as one: the manifest first, and then its sources', async (t) => {
    const stage = await createGitStage(t);
    await writeVersion(stage, '1');
    await stage.commitAll('one');
    const registry = await stage.open();
    await enlist(registry, 'a');
    const told = listen(registry);
    await stage.write('.git/index.lock', '');
    await stage.write(MAIN, '2\n');
    await stage.pass(3_000);
    await assert.rejects(
      registry.contexts.look(BUILD),
      (error) => error instanceof SourcesHeld && !error.lasts,
    );
    await stage.write('programs/a.yaml', builtManifest('2'));
    await stage.pass(3_000);
    assert.deepEqual([versionOf(registry), ...told], ['1']);
    await rm(join(stage.root, '.git/index.lock'));
    await stage.git('add', '-A');
    // The lock is gone, and nobody has looked yet.
    await assert.rejects(registry.contexts.look(BUILD), SourcesHeld);
    await stage.until(() => told.length > 0);
    assert.deepEqual([...new Set(told)], [`${MAIN} with 2`]);
    await registry.contexts.look(BUILD);
  });

  test("the moments after the lock is gone are git's own: HEAD moves, or a merge says that it stands still", async (t) => {
    const stage = await createGitStage(t);
    await twoVersions(stage);
    const git = await openGit({ ...stage, onWarning: () => undefined });
    assert.ok(git);
    git.looked(await git.stand());
    await stage.write(MAIN, 'more\n');
    await stage.git('add', '-A');
    const { ctimeMs } = await stat(join(stage.root, '.git/index'));
    stage.clock.now = () => ctimeMs + 20;
    assert.equal((await git.stand()).waitMs, 100);
    stage.clock.now = () => ctimeMs + 60;
    const stand = await git.stand();
    assert.equal(stand.waitMs, 0);
    await stage.git('commit', '-q', '-m', 'more');
    stage.clock.now = () => Date.now() + 60_000;
    assert.equal((await git.stand(stand)).waitMs, 100, 'it went on while somebody looked');
  });

  test('a host that starts in the middle of a merge shows what it has, and removes nothing', async (t) => {
    const stage = await createGitStage(t);
    await twoVersions(stage);
    const before = await stage.open();
    await enlist(before, 'a');
    await stage.turning(before.close());
    await assert.rejects(stage.git('merge', '-q', 'other'));
    await stage.write('programs/new.yaml', imageManifest('new'));
    const registry = await stage.open();
    await stage.pass(70_000);
    const { scanned, message, paused } = registry.health();
    assert.deepEqual([scanned, paused], [false, []]);
    assert.match(message, /a merge is in progress/);
    assert.deepEqual([registry.missing(), registry.wanted('a').kind], [['a'], 'unknown']);
    assert.equal(registry.get('new'), undefined);
    await stage.git('merge', '--abort');
    await stage.until(() => registry.health().scanned && registry.wanted('a').kind === 'present');
    assert.deepEqual([registry.missing(), registry.health().message], [[], '']);
    assert.ok(registry.get('new'));
  });
});
