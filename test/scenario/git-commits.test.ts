import assert from 'node:assert/strict';
import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { advanceUntil, allGone, allReady, meanwhile, numbered, programs, startInGit } from './git-stage.ts';
import { manifest } from './stage.ts';

describe('a registry in git', () => {
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
