import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Registry } from '../../registry/registry.ts';
import { createGitStage, enlist, type GitStage, imageManifest } from './git-stage.ts';

const NAMES = Array.from({ length: 10 }, (_, at) => `p${at}`);

/** Ten committed programs, all of which the host keeps running. */
async function ten(stage: GitStage): Promise<Registry> {
  for (const name of NAMES) await stage.write(`programs/${name}.yaml`, imageManifest(name));
  await stage.commitAll('ten programs');
  const registry = await stage.open();
  for (const name of NAMES) await enlist(registry, name);
  return registry;
}

const gone = (registry: Registry) => NAMES.filter((name) => registry.wanted(name).kind === 'gone');

async function removeFiles(stage: GitStage, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(join(stage.root, `programs/${name}.yaml`));
}

describe('git: when an absence is believed', () => {
  test('most files removed: paused; once that is committed: obeyed', async (t) => {
    const stage = await createGitStage(t);
    const registry = await ten(stage);
    const most = NAMES.slice(0, 8);
    await removeFiles(stage, most);
    await registry.look();
    await stage.pass(2_000);
    assert.deepEqual(gone(registry), []);
    assert.deepEqual(registry.health().paused, most);
    await stage.git('commit', '-q', '-a', '-m', 'eight programs go');
    await stage.until(() => gone(registry).length === 8);
    assert.deepEqual(gone(registry), most);
    assert.deepEqual(registry.health().paused, []);
  });

  test('the same when the deletion was committed while no host ran', async (t) => {
    const stage = await createGitStage(t);
    const registry = await ten(stage);
    await stage.turning(registry.close());
    await stage.git('rm', '-q', ...NAMES.slice(0, 8).map((name) => `programs/${name}.yaml`));
    await stage.git('commit', '-q', '-m', 'eight programs go');
    assert.deepEqual(gone(await stage.open()), NAMES.slice(0, 8));
  });

  test('a deletion that is staged, or committed and staged again, is no deletion in HEAD', async (t) => {
    const stage = await createGitStage(t);
    const registry = await ten(stage);
    await stage.git('rm', '-q', ...NAMES.slice(0, 8).map((name) => `programs/${name}.yaml`));
    await registry.look();
    await stage.pass(2_000);
    assert.deepEqual(gone(registry), []);
    await stage.git('commit', '-q', '-m', 'go');
    const back = NAMES.slice(0, 6);
    await stage.git('checkout', 'HEAD~', '--', ...back.map((name) => `programs/${name}.yaml`));
    await removeFiles(stage, back);
    await registry.look();
    assert.deepEqual(gone(registry), NAMES.slice(6, 8));
  });

  test('a HEAD without any program is not believed', async (t) => {
    const stage = await createGitStage(t);
    const registry = await ten(stage);
    await stage.git('rm', '-q', '-r', 'programs');
    await stage.git('commit', '-q', '-m', 'everything goes');
    await stage.write('programs/.gitkeep', '');
    await registry.look();
    await stage.pass(2_000);
    assert.deepEqual(gone(registry), []);
    assert.deepEqual(registry.health().paused, NAMES);
    await stage.git('revert', '--no-edit', 'HEAD');
    await stage.until(() => registry.health().paused.length === 0);
    assert.equal(registry.list().length, 10);
  });

  test('programs that git never had do not count as committed deletions', async (t) => {
    const stage = await createGitStage(t);
    await stage.write('programs/kept.yaml', imageManifest('kept'));
    await stage.commitAll('one');
    for (const name of NAMES) await stage.write(`programs/${name}.yaml`, imageManifest(name));
    const registry = await stage.open();
    for (const name of NAMES) await enlist(registry, name);
    await removeFiles(stage, NAMES);
    await registry.look();
    await stage.pass(2_000);
    assert.deepEqual(gone(registry), []);
    assert.deepEqual(registry.health().paused, NAMES);
  });

  test('.git removed with the files: nothing is believed', async (t) => {
    const stage = await createGitStage(t);
    const registry = await ten(stage);
    for (const folder of ['.git', 'programs']) await rm(join(stage.root, folder), { recursive: true });
    await registry.look();
    await stage.pass(3_000);
    assert.deepEqual(gone(registry), []);
    assert.match(registry.health().message, /programs\/ can not be read/);
  });

  test('in a rebase that stands still, what is missing is not believed gone, not even one', async (t) => {
    const stage = await createGitStage(t);
    const registry = await ten(stage);
    await stage.write('clash.txt', 'base');
    await stage.commitAll('base');
    await stage.git('checkout', '-q', '-b', 'feature');
    await stage.write('clash.txt', 'feature');
    await stage.commitAll('clash');
    await stage.write('programs/late.yaml', imageManifest('late'));
    await stage.commitAll('add late');
    await registry.look();
    await enlist(registry, 'late');
    await stage.git('branch', 'target', 'main');
    await stage.git('checkout', '-q', 'target');
    await stage.write('clash.txt', 'target');
    await stage.commitAll('target');
    await stage.git('checkout', '-q', 'feature');
    await registry.look();
    await assert.rejects(stage.git('rebase', '-q', 'target'));
    for (let second = 0; second < 15; second++) {
      await stage.pass(1_000);
      assert.equal(registry.wanted('late').kind === 'gone', false, `after ${second} s`);
    }
    await stage.write('clash.txt', 'both');
    await stage.git('add', '-A');
    await stage.git('-c', 'core.editor=true', 'rebase', '--continue');
    await stage.until(() => registry.wanted('late').kind === 'present');
    const head = await stage.git('rev-parse', 'HEAD');
    await stage.until(() => registry.commitOf('late', undefined) === head);
  });
});

describe('git: the commit that programs come from', () => {
  test('follows commits, edits and reverts, for manifest and context', async (t) => {
    const stage = await createGitStage(t);
    const spec = { image: undefined, build: { context: 'sources/a' } };
    await stage.write('programs/a.yaml', imageManifest('a', spec));
    await stage.write('sources/a/Dockerfile', 'FROM scratch\n');
    await stage.write('programs/b.yaml', imageManifest('b'));
    const first = await stage.commitAll('first');
    const registry = await stage.open();
    const told: string[] = [];
    registry.subscribe(({ names, paths }) => told.push(...names, ...paths));
    const of = () => [registry.commitOf('a', 'sources/a'), registry.commitOf('b', undefined)];
    assert.deepEqual(of(), [first, first]);

    await stage.write('sources/a/sub/new.txt', 'untracked');
    await registry.look();
    await stage.pass(10_500);
    assert.deepEqual(of(), ['', first], 'an untracked file in the context');
    told.length = 0;
    const second = await stage.commitAll('second');
    await stage.until(() => of().join() === [second, second].join());
    // Whoever is built from it is looked at again.
    await stage.until(() => told.includes('sources/a/sub/new.txt'));
    assert.ok(!told.includes('b'), 'others are not');

    await stage.write('programs/b.yaml', imageManifest('b', { userId: 'bob' }));
    await registry.look();
    assert.deepEqual(of(), [second, '']);
    told.length = 0;
    const third = await stage.commitAll('third');
    await stage.until(() => of().join() === [third, third].join());
    await stage.until(() => told.includes('b'));
    await stage.git('reset', '-q', '--hard', first);
    await registry.look();
    assert.deepEqual(of(), [first, first]);
    await stage.git('pack-refs', '--all');
    await stage.git('gc', '-q');
    await registry.look();
    assert.deepEqual(of(), [first, first]);
  });
});
