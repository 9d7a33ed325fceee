import assert from 'node:assert/strict';
import { chmod, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Registry } from '../../../registry/registry.ts';
import type { AppError } from '../../../schemas/errors.ts';
import { brought, createGitStage, enlist, type GitStage, imageManifest } from './stage.ts';

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

describe('git: the confirmation of what is missing', () => {
  const most = NAMES.slice(0, 8);
  const asked = () => ({ author: 'ann', message: 'prune 8 programs' });

  /** Eight of ten are missing, two of which were built from sources that a `POST` brought. */
  async function eightMissing(stage: GitStage): Promise<Registry> {
    const registry = await ten(stage);
    const { buildId } = brought();
    const rawSpec = { userId: 'ann', build: { context: `sources/${buildId}` } };
    for (const name of ['p0', 'p1']) {
      await registry.remove(name);
      await registry.createFromSources(name, brought());
      await enlist(registry, name, rawSpec);
    }
    await removeFiles(stage, most);
    await registry.look();
    await stage.pass(2_000);
    assert.deepEqual(registry.health().paused, most);
    return registry;
  }

  test('is a commit of just these manifests, and of the sources that nothing else names', async (t) => {
    const stage = await createGitStage(t);
    const registry = await eightMissing(stage);
    await stage.write('notes.txt', 'staged\n');
    await stage.git('add', 'notes.txt');
    await stage.write('programs/p9.yaml', imageManifest('p9', { userId: 'robert' }));
    assert.deepEqual(await stage.turning(registry.confirmPrune(asked)), most);
    assert.deepEqual(gone(registry), most);
    assert.equal(await stage.git('log', '-1', '--format=%an %s'), 'ann prune 8 programs');
    assert.deepEqual((await stage.git('show', '--name-status', '--format=', 'HEAD')).split('\n'), [
      ...most.map((name) => `D\tprograms/${name}.yaml`),
      `D\tsources/${brought().buildId}/Dockerfile`,
    ]);
    assert.equal(await stage.git('status', '--porcelain'), 'A  notes.txt\n M programs/p9.yaml');
    await registry.look();
    assert.deepEqual(gone(registry), most);
  });

  test('takes nothing that came back while git was waited for', async (t) => {
    const stage = await createGitStage(t);
    const registry = await eightMissing(stage);
    const head = await stage.git('rev-parse', 'HEAD');
    await stage.write('.git/index.lock', '');
    const answer = registry.confirmPrune(asked).then(
      () => 'done',
      (error: AppError) => `${error.http} ${error.message}`,
    );
    await stage.pass(1_000);
    await stage.write('programs/p3.yaml', imageManifest('p3', { userId: 'ann' }));
    await rm(join(stage.root, '.git/index.lock'));
    assert.match(await stage.turning(answer), /^409 programs\/p3\.yaml came back meanwhile/);
    assert.equal(await stage.git('rev-parse', 'HEAD'), head);
    assert.ok((await readdir(join(stage.root, 'programs'))).includes('p3.yaml'));
    assert.deepEqual(gone(registry), []);
  });

  test('confirms nothing where git refuses the commit', async (t) => {
    const stage = await createGitStage(t);
    const registry = await eightMissing(stage);
    const before = [await stage.git('status', '--porcelain'), await stage.git('rev-parse', 'HEAD')];
    const trash = await readdir(join(stage.root, 'data/trash'));
    const refused = async (http: number, words: RegExp) => {
      await assert.rejects(stage.turning(registry.confirmPrune(asked)), (error: AppError) => {
        assert.equal(error.http, http);
        assert.match(error.message, words);
        return true;
      });
      assert.deepEqual(gone(registry), []);
      const after = [await stage.git('status', '--porcelain'), await stage.git('rev-parse', 'HEAD')];
      assert.deepEqual(after, before);
      assert.deepEqual(await readdir(join(stage.root, 'data/trash')), trash);
    };
    await stage.write('.git/MERGE_HEAD', `${before[1]}\n`);
    await refused(409, /a merge is in progress/);
    await rm(join(stage.root, '.git/MERGE_HEAD'));
    await registry.look();
    await stage.write('.git/index.lock', '');
    await refused(503, /locked by another process/);
    await rm(join(stage.root, '.git/index.lock'));
    await stage.write('.git/hooks/pre-commit', '#!/bin/sh\necho "not on a Friday" >&2\nexit 1\n');
    await chmod(join(stage.root, '.git/hooks/pre-commit'), 0o755);
    await refused(409, /not on a Friday/);
    await rm(join(stage.root, '.git/hooks/pre-commit'));
    await stage.turning(registry.confirmPrune(asked));
    assert.deepEqual(gone(registry), most);
  });

  test('leaves alone what came back meanwhile, and needs no commit of what HEAD has not', async (t) => {
    const stage = await createGitStage(t);
    const registry = await ten(stage);
    await removeFiles(stage, NAMES);
    await registry.look();
    await stage.git('commit', '-q', '-a', '-m', 'everything goes');
    const head = await stage.git('rev-parse', 'HEAD');
    await stage.pass(1_000);
    assert.deepEqual(registry.health().paused, NAMES);
    await stage.write('programs/p0.yaml', imageManifest('p0'));
    await stage.pass(60);
    const others = NAMES.slice(1);
    assert.deepEqual(await stage.turning(registry.confirmPrune(asked)), others);
    assert.deepEqual(gone(registry), others);
    assert.equal(await stage.git('rev-parse', 'HEAD'), head);
  });

  test('is refused where the manifests are those of a remote', async (t) => {
    const stage = await createGitStage(t);
    await ten(stage).then((registry) => stage.turning(registry.close()));
    await stage.git('clone', '-q', '--bare', '.', join(stage.root, 'data/origin.git'));
    const url = join(stage.root, 'data/origin.git');
    const registry = await stage.open({ url, branch: 'main', intervalMs: 60_000 });
    await removeFiles(stage, most);
    await registry.look();
    await stage.pass(2_000);
    await assert.rejects(stage.turning(registry.confirmPrune(asked)), /follows branch main of /);
    assert.deepEqual([gone(registry), registry.health().paused], [[], most]);
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
