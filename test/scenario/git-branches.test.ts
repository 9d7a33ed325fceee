import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allGone, allReady, ids, meanwhile, numbered, programs, SHARED, startInGit } from './git-stage.ts';
import { manifest } from './stage.ts';

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
});
