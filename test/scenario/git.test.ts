import assert from 'node:assert/strict';
import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { gitIn, meanwhile as turnWhile } from '../registry/git/stage.ts';
import { createStage, manifest, type Spec, type Stage } from './stage.ts';

const SHARED = { build: { context: 'sources/app' } };
const numbered = (prefix: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => `${prefix}${from + at}`);

async function startInGit(
  test: TestContext,
): Promise<Stage & { git: (...args: string[]) => Promise<string> }> {
  const stage = await createStage(test);
  const git = (...args: string[]) => gitIn(stage.root, ...args);
  await git('init', '-q', '-b', 'main');
  await stage.write('sources/app/Dockerfile', 'FROM scratch\n');
  return Object.assign(stage, { git });
}

async function programs(stage: Stage, names: readonly string[], spec: Spec = {}): Promise<void> {
  for (const name of names)
    await stage.write(`programs/${name}.yaml`, manifest(name, { ...SHARED, ...spec }));
}

const meanwhile = (stage: Stage, work: Promise<unknown>) => turnWhile(stage.clock, work);

/** Turns the clock, with the files at rest, until the promise has settled. */
async function advanceUntil(stage: Stage, work: Promise<unknown>): Promise<unknown> {
  let settled = false;
  const end = () => {
    settled = true;
  };
  work.then(end, end);
  while (!settled) await stage.host.advance(50);
  return work;
}

const ids = (stage: Stage, names: readonly string[]) =>
  names.map((name) =>
    stage
      .containers(name)
      .map(({ facts }) => `${name} ${facts.id} ${facts.state}`)
      .join(),
  );
const allReady = (stage: Stage, names: readonly string[]) => () =>
  names.every((name) => stage.host.registry.status.get(name)?.state === 'Ready');
const allGone = (stage: Stage, names: readonly string[]) => () =>
  names.every((name) => stage.host.registry.status.get(name) === undefined);

describe('a registry in git', () => {
  it('goes from branch to branch without flicker: what both have keeps its containers', async (test) => {
    const stage = await startInGit(test);
    const [same, changed, only] = [numbered('p', 0, 15), numbered('p', 15, 20), numbered('p', 20, 30)];
    await programs(stage, [...same, ...changed, ...only]);
    await stage.git('add', '-A');
    await stage.git('commit', '-q', '-m', 'main');
    await stage.git('checkout', '-q', '-b', 'other');
    await stage.git('rm', '-q', ...only.map((name) => `programs/${name}.yaml`));
    await programs(stage, changed, { env: { BRANCH: 'other' } });
    await programs(stage, numbered('q', 0, 10));
    await stage.git('add', '-A');
    await stage.git('commit', '-q', '-m', 'other');
    await stage.git('checkout', '-q', 'main');

    const host = await stage.start({ git: true, watchFiles: undefined });
    await host.until('main runs', allReady(stage, [...same, ...changed, ...only]), 120_000);
    const before = ids(stage, same);
    for (const [branch, came, went] of [
      ['other', numbered('q', 0, 10), only],
      ['main', only, numbered('q', 0, 10)],
    ] as const) {
      const replaced = ids(stage, changed);
      host.calls.length = 0;
      await meanwhile(stage, stage.git('checkout', '-q', branch));
      const head = await stage.git('rev-parse', 'HEAD');
      const taken = () =>
        [...came, ...changed].every((name) => host.registry.status.get(name)?.observedRevision === head);
      await host.until(`${branch} is seen`, taken, 2_000);
      await host.until(`${branch} runs`, allReady(stage, [...same, ...changed, ...came]), 120_000);
      await host.until('the others are gone', allGone(stage, went), 20_000);
      assert.deepEqual(ids(stage, same), before, 'the same containers run');
      assert.notDeepEqual(ids(stage, changed), replaced);
      const disturbed = host.calls.filter((call) =>
        same.some((name) => call.endsWith(`hersh-program-${name}`)),
      );
      assert.deepEqual(disturbed, []);
      assert.deepEqual(host.registry.health().paused, []);
    }
  });

  it('a revert undoes a call, and a rebase of many steps shows no step between', async (test) => {
    const stage = await startInGit(test);
    const names = numbered('p', 0, 6);
    await programs(stage, names);
    await stage.git('add', '-A');
    await stage.git('commit', '-q', '-m', 'six');
    const host = await stage.start({ git: true, watchFiles: undefined });
    await host.until('all run', allReady(stage, names));
    await host.programs.editSpec('p0', { desiredState: 'Stopped' });
    assert.equal(await stage.git('log', '-1', '--format=%an %s'), 'me stop p0');
    const [revision] = await host.registry.revisions.list('p0');
    assert.deepEqual(
      [revision?.author, revision?.commit],
      ['Somebody', await stage.git('rev-parse', 'HEAD~1')],
      'who made the commit it came with',
    );
    await stage.reach('p0', 'Stopped');
    await meanwhile(stage, stage.git('revert', '--no-edit', 'HEAD'));
    await stage.reach('p0', 'Ready', 3_000);
    await host.programs.remove('p1');
    await host.until('p1 is gone', allGone(stage, ['p1']));
    await meanwhile(stage, stage.git('revert', '--no-edit', 'HEAD'));
    await host.until('p1 is back', allReady(stage, ['p1']), 5_000);
    const reasons = (await host.registry.events.list('p0')).map(({ reason }) => reason);
    assert.ok(reasons.includes('ManifestChanged'));

    await stage.git('checkout', '-q', '-b', 'feature', 'HEAD~4');
    for (const step of numbered('', 0, 5)) {
      await programs(stage, [`late${step}`]);
      await stage.git('add', '-A');
      await stage.git('commit', '-q', '-m', `late ${step}`);
    }
    const late = numbered('late', 0, 5);
    await host.until('the branch runs', allReady(stage, [...names, ...late]), 20_000);
    const before = ids(stage, [...names, ...late]);
    host.calls.length = 0;
    await meanwhile(stage, stage.git('rebase', '-q', 'main'));
    await host.advance(3_000);
    assert.deepEqual(ids(stage, [...names, ...late]), before);
    assert.deepEqual(host.calls, []);
  });

  it('a revert of the first call of all stops its program, and the next call finds the folder there', async (test) => {
    const stage = await startInGit(test);
    await stage.git('add', '-A');
    await stage.git('commit', '-q', '-m', 'sources');
    const host = await stage.start({ git: true, watchFiles: undefined });
    await host.programs.putManifest('p0', manifest('p0', SHARED), null);
    await stage.reach('p0', 'Ready');
    await meanwhile(stage, stage.git('revert', '--no-edit', 'HEAD'));
    await host.until('it is gone', allGone(stage, ['p0']), 5_000);
    assert.equal(host.registry.health().message, '');
    await host.programs.putManifest('p1', manifest('p1', SHARED), null);
    await stage.reach('p1', 'Ready');
    assert.equal(await stage.git('status', '--porcelain'), '');
  });

  it('calls and reverts that move the sources away show no failed build', async (test) => {
    const stage = await startInGit(test);
    await stage.git('add', '-A');
    await stage.git('commit', '-q', '-m', 'sources');
    const host = await stage.start({ git: true, watchFiles: undefined });
    const buildId = 'build-0123456789ab';
    const first = new Map([['Dockerfile', 'FROM scratch\n# first\n']]);
    await host.programs.createFromSources('p0', 'me', buildId, first);
    await host.programs.editSpec('p0', { desiredState: 'Running' });
    await stage.reach('p0', 'Ready');
    const change = (work: Promise<unknown>) => meanwhile(stage, work);
    const serves = (revision: number) => () => {
      const { state, currentRevision } = stage.status('p0');
      return state === 'Ready' && currentRevision === revision;
    };
    const etag = () => host.programs.manifest('p0')?.etag ?? '';
    await change(host.programs.putManifest('p0', manifest('p0', SHARED), etag()));
    await host.until('the second serves', serves(2), 20_000);
    assert.equal(await stage.git('ls-files', `sources/${buildId}`), '', 'its sources went with the commit');
    await change(host.programs.rollBack('p0', undefined));
    await host.until('the first is back', serves(3), 20_000);
    await change(stage.git('revert', '--no-edit', 'HEAD'));
    await host.until('the rollback is undone', serves(4), 20_000);
    await change(stage.git('revert', '--no-edit', 'HEAD~2'));
    await host.until('the change is undone', serves(5), 20_000);
    const warnings = (await host.registry.events.list('p0')).filter(({ type }) => type === 'Warning');
    assert.deepEqual(warnings, []);
  });

  it('a merge that stands on a conflict builds nothing; what runs is kept up, also by a host that starts then', async (test) => {
    const stage = await startInGit(test);
    const main = (text: string) => stage.write('sources/app/main.js', text);
    const commit = async (message: string) => {
      await stage.git('add', '-A');
      await stage.git('commit', '-q', '-m', message);
    };
    await programs(stage, ['p0', 'p1']);
    await main('base');
    await commit('base');
    await stage.git('checkout', '-q', '-b', 'other');
    await main('theirs');
    await commit('theirs');
    await stage.git('checkout', '-q', 'main');
    await main('ours');
    await commit('ours');
    const host = await stage.start({ git: true, watchFiles: undefined });
    await host.until('both run', allReady(stage, ['p0', 'p1']));
    const before = ids(stage, ['p0', 'p1']);
    host.calls.length = 0;
    await meanwhile(
      stage,
      stage.git('merge', '-q', 'other').catch(() => undefined),
    );
    // The look at every context after 10 s and the one at every program after 60 s do not take it up either.
    await host.advance(70_000);
    assert.deepEqual(ids(stage, ['p0', 'p1']), before);
    assert.deepEqual(host.calls, []);
    assert.match(host.registry.health().message, /^a merge is in progress in the registry since /);
    stage.world.end(stage.running('p0'), 1);
    await host.advance(1_000);
    stage.running('p0');
    await host.kill();

    const next = await stage.start({ git: true, watchFiles: undefined });
    await next.advance(70_000);
    assert.deepEqual(
      next.programs.list().map(({ name }) => name),
      ['p0', 'p1'],
    );
    stage.world.end(stage.running('p1'), 1);
    await next.advance(1_000);
    stage.running('p1');
    assert.deepEqual(
      next.calls.filter((call) => !call.startsWith('startContainer')),
      [],
    );
    assert.equal(stage.status('p1').reason, '');

    await main('both');
    await stage.git('add', '-A');
    await stage.git('commit', '-q', '-m', 'merged');
    const head = await stage.git('rev-parse', 'HEAD');
    const serves = () => ['p0', 'p1'].every((name) => stage.status(name).currentRevision === 2);
    await next.until('what was merged serves', serves, 20_000);
    await next.until('both are ready', allReady(stage, ['p0', 'p1']));
    const revisions = await next.registry.revisions.list('p0');
    assert.deepEqual(
      revisions.map(({ number, commit }) => [number, commit === head]),
      [
        [1, false],
        [2, true],
      ],
    );
    assert.deepEqual(
      (await stage.reasons('p0')).filter((reason) => reason === 'BuildFailed'),
      [],
    );
  });

  it('a commit that changes manifest and sources makes one revision, which is that commit', async (test) => {
    const stage = await startInGit(test);
    const both = async (version: string) => {
      await stage.write('sources/app/Dockerfile', `FROM scratch\n# ${version}\n`);
      await programs(stage, ['p0'], { env: { VERSION: version } });
      await stage.git('add', '-A');
      await stage.git('commit', '-q', '-m', version);
      return stage.git('rev-parse', 'HEAD');
    };
    const heads = [await both('1'), await both('2')];
    await stage.git('checkout', '-q', 'HEAD~');
    const host = await stage.start({ git: true, watchFiles: undefined });
    await host.until('the first runs', allReady(stage, ['p0']));
    // At ages at which contexts, and then all programs, are just about to be looked at again.
    for (const [at, ageMs] of [9_900, 59_900, 0, 29_900].entries()) {
      await host.advance(ageMs);
      const target = heads[(at + 1) % 2] ?? '';
      await meanwhile(stage, stage.git('checkout', '-q', target));
      const isTaken = () => stage.status('p0').observedRevision === target;
      await host.until(`checkout ${at} is seen`, isTaken, 2_000);
      await host.until('its revision serves', () => stage.status('p0').currentRevision === at + 2, 20_000);
      await host.until('it is ready', allReady(stage, ['p0']));
      const { spec, commit } = (await host.registry.revisions.list('p0')).at(-1) ?? {};
      assert.deepEqual([spec?.env.VERSION, commit], [String(((at + 1) % 2) + 1), target]);
    }
    assert.equal((await host.registry.revisions.list('p0')).length, 5);
  });

  it('a deletion names its commit in the events, where there is one', async (test) => {
    const stage = await startInGit(test);
    const names = numbered('p', 0, 3);
    await programs(stage, [...names, 'kept']);
    await stage.git('add', '-A');
    await stage.git('commit', '-q', '-m', 'four');
    const host = await stage.start({ git: true, watchFiles: undefined });
    await host.until('all run', allReady(stage, [...names, 'kept']));
    const told = async (name: string) => {
      await host.until(`${name} is gone`, allGone(stage, [name]));
      const events = await host.registry.events.list(name);
      return ['Stopping', 'Removed', 'Deleted'].map(
        (reason) => events.filter((event) => event.reason === reason).at(-1)?.message ?? '',
      );
    };
    const by = async () => `the program was deleted by commit ${await stage.git('rev-parse', 'HEAD')}`;
    await host.programs.remove('p0');
    const call = await by();
    await host.programs.editSpec('kept', { desiredState: 'Stopped' });
    for (const message of await told('p0')) assert.ok(message.includes(call), message);
    await stage.git('rm', '-q', 'programs/p1.yaml');
    await stage.git('commit', '-q', '-m', 'p1 goes');
    for (const message of await told('p1')) assert.ok(message.includes(await by()), message);
    await stage.remove('programs/p2.yaml');
    for (const message of await told('p2')) assert.match(message, /the program was deleted(;|$)/);
  });

  it('a confirmed prune is a commit that says which programs, and leaves the tree clean', async (test) => {
    const stage = await startInGit(test);
    await programs(stage, ['p0', 'p1']);
    await stage.git('add', '-A');
    await stage.git('commit', '-q', '-m', 'two');
    const host = await stage.start({ git: true, watchFiles: undefined });
    await host.until('both run', allReady(stage, ['p0', 'p1']));
    for (const name of ['p0', 'p1']) await stage.remove(`programs/${name}.yaml`);
    await host.until('both are missed', () => host.registry.health().paused.length === 2, 12_000);
    assert.deepEqual(await host.programs.confirmPrune(), ['p0', 'p1']);
    assert.equal(
      await stage.git('log', '-1', '--format=%an %B'),
      'me prune 2 programs\n\nHersh-Program: p0\nHersh-Program: p1\nHersh-User: me',
    );
    assert.equal(await stage.git('status', '--porcelain'), '');
    await host.until('both are gone', allGone(stage, ['p0', 'p1']));
  });

  it('of several commits that come at once, each revision and event names its own', async (test) => {
    const stage = await startInGit(test);
    await programs(stage, ['p0', 'p1']);
    await stage.write('programs/p2.yaml', manifest('p2'));
    await stage.write('sources/p2/Dockerfile', 'FROM scratch\n');
    const commit = async (author: string) => {
      await stage.git('add', '-A');
      await stage.git('commit', '-q', '-m', author, `--author=${author} <${author}@example.invalid>`);
      return stage.git('rev-parse', 'HEAD');
    };
    await commit('Ann');
    const host = await stage.start({ git: true, watchFiles: undefined });
    await host.until('all run', allReady(stage, ['p0', 'p1', 'p2']));
    await programs(stage, ['p0'], { env: { BY: 'Bob' } });
    const bobs = await commit('Bob');
    await stage.write('sources/p2/Dockerfile', 'FROM scratch\n# by Cid\n');
    const cids = await commit('Cid');
    await programs(stage, ['p1'], { env: { BY: 'Eve' } });
    const eves = await commit('Eve');
    const serves = () => ['p0', 'p1', 'p2'].every((name) => stage.status(name).currentRevision === 2);
    await host.until('what they committed serves', serves, 20_000);
    for (const [name, author, id, reason] of [
      ['p0', 'Bob', bobs, 'ManifestChanged'],
      ['p1', 'Eve', eves, 'ManifestChanged'],
      ['p2', 'Cid', cids, 'SourcesChanged'],
    ] as const) {
      const made = (await host.registry.revisions.list(name)).at(-1);
      assert.deepEqual([made?.author, made?.commit], [author, id]);
      const told = (await host.registry.events.list(name)).filter((event) => event.reason === reason).at(-1);
      assert.match(told?.message ?? '', new RegExp(` commit ${id}$`));
      assert.equal(stage.status(name).observedRevision, eves);
    }
    const calls = ['p0', 'p1'].map((name) => host.programs.editSpec(name, { desiredState: 'Stopped' }));
    await Promise.all(calls);
    await host.until('both are stopped', () =>
      ['p0', 'p1'].every((name) => stage.status(name).state === 'Stopped'),
    );
    for (const name of ['p0', 'p1']) {
      const id = await stage.git('log', '-1', '--format=%H', '--', `programs/${name}.yaml`);
      const told = (await host.registry.events.list(name)).filter((e) => e.reason === 'ManifestChanged');
      assert.match(told.at(-1)?.message ?? '', new RegExp(`generation 3 .* commit ${id}$`));
    }
  });

  it('a rollback that git refuses leaves no sources behind', async (test) => {
    const stage = await startInGit(test);
    await programs(stage, ['p0']);
    await stage.git('add', '-A');
    await stage.git('commit', '-q', '-m', 'one');
    const host = await stage.start({ git: true, watchFiles: undefined });
    await host.until('it runs', allReady(stage, ['p0']));
    await stage.write('sources/app/Dockerfile', 'FROM scratch\n# second\n');
    await stage.git('commit', '-q', '-a', '-m', 'two');
    await host.until('the second serves', () => stage.status('p0').currentRevision === 2, 20_000);
    await host.until('it is ready', allReady(stage, ['p0']));
    const refused = async (words: RegExp) => {
      await assert.rejects(advanceUntil(stage, host.programs.rollBack('p0', 1)), words);
      assert.equal(await stage.git('status', '--porcelain'), '');
    };
    await stage.write('.git/MERGE_HEAD', `${await stage.git('rev-parse', 'HEAD')}\n`);
    await refused(/a merge is in progress/);
    await rm(join(stage.root, '.git/MERGE_HEAD'));
    await stage.write('.git/hooks/pre-commit', '#!/bin/sh\necho "not on a Friday" >&2\nexit 1\n');
    await chmod(join(stage.root, '.git/hooks/pre-commit'), 0o755);
    await refused(/not on a Friday/);
    await rm(join(stage.root, '.git/hooks/pre-commit'));
    await stage.write('.git/index.lock', '');
    await assert.rejects(advanceUntil(stage, host.programs.rollBack('p0', 1)), /locked by another process/);
    await rm(join(stage.root, '.git/index.lock'));
    assert.equal(await stage.git('status', '--porcelain'), '');
    await host.programs.rollBack('p0', 1);
    await host.until('the first is back', () => stage.status('p0').currentRevision === 3, 20_000);
  });

  it('a call that git refuses changes nothing that runs, and nobody hears of it', async (test) => {
    const stage = await startInGit(test);
    await programs(stage, ['p0']);
    await stage.git('add', '-A');
    await stage.git('commit', '-q', '-m', 'one');
    const host = await stage.start({ git: true });
    await host.until('it runs', allReady(stage, ['p0']));
    await stage.write('.git/MERGE_HEAD', `${await stage.git('rev-parse', 'HEAD')}\n`);
    await assert.rejects(host.programs.editSpec('p0', { desiredState: 'Stopped' }), /a merge is in progress/);
    const files = new Map([['Dockerfile', 'FROM scratch\n']]);
    await assert.rejects(
      host.programs.createFromSources('new', 'me', 'build-0123456789ab', files),
      /a merge is in progress/,
    );
    await host.advance(15_000);
    assert.equal(stage.status('p0').state, 'Ready');
    assert.equal(host.registry.get('new'), undefined);
    await rm(join(stage.root, '.git/MERGE_HEAD'));
    assert.equal(await stage.git('status', '--porcelain'), '');
  });
});
