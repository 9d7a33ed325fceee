import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createStage, type Stage } from './stage.ts';

const CHANGED = { env: { CHANGED: '1' } };
const ofRevision = (stage: Stage, number: number) => () => {
  const { state, currentRevision } = stage.status('app');
  return state === 'Ready' && currentRevision === number;
};

/** One that serves, and an engine that starts nothing but it. */
async function servingOnEngineThatRefuses(stage: Stage): Promise<void> {
  await stage.start();
  await stage.create('app');
  await stage.reach('app', 'Ready');
  // The new one's turn and the good one's come one after the other.
  let starts = 0;
  stage.world.fault = (method) => (method === 'startContainer' && starts++ % 2 === 0 ? 'refuse' : 'none');
  await stage.replace('app', CHANGED);
  await stage.host.until('it is told', () => stage.status('app').reason === 'RolledBack');
}

/** One that serves while the next one can not be built. */
async function servingBesideFailedBuild(stage: Stage): Promise<Stage['host']> {
  const host = await stage.start();
  await stage.create('app');
  await stage.reach('app', 'Ready');
  await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN exit 1\n');
  await host.until('the build failed', () => stage.status('app').reason === 'BuildFailed');
  return host;
}

describe('a revision that the engine does not start', () => {
  it('gives way to the good one at once, and is tried again when the engine may have recovered', async (test) => {
    const stage = await createStage(test);
    await servingOnEngineThatRefuses(stage);
    await stage.host.until('the good one is back', ofRevision(stage, 1), 5_000);
    const { reason, errorMsg } = stage.status('app');
    assert.equal(reason, 'RolledBack');
    assert.match(errorMsg, /revision 2 was rolled back to 1: .*; tried again at /);
    const bad = await stage.host.registry.revisions.get('app', 2);
    assert.equal(bad?.outcome, 'Failed');
    assert.match(errorMsg, new RegExp(bad?.message ?? 'nothing'));
    stage.world.fault = () => 'none';
    await stage.host.until('the new one serves', ofRevision(stage, 2), 61_000);
    assert.equal(stage.status('app').reason, '');
    assert.equal((await stage.host.registry.revisions.get('app', 2))?.outcome, 'Ready');
  });

  it('is tried again only when its sources are back, and nobody runs in circles until then', async (test) => {
    const stage = await createStage(test);
    await servingOnEngineThatRefuses(stage);
    await stage.host.until('the good one is back', ofRevision(stage, 1), 5_000);
    stage.world.fault = () => 'none';
    await stage.remove('sources/app');
    await stage.host.advance(300_000);
    assert.ok(ofRevision(stage, 1)());
    await stage.write('sources/app/Dockerfile', 'FROM scratch\n# app\n');
    await stage.host.until('the new one serves', ofRevision(stage, 2), 61_000);
  });

  it('is given up after five tries, until somebody asks for it', async (test) => {
    const stage = await createStage(test);
    await servingOnEngineThatRefuses(stage);
    await stage.host.advance(3_600_000);
    const isStop = (call: string) => call === 'stopContainer hersh-program-app';
    assert.equal(stage.host.calls.filter(isStop).length, 5);
    assert.ok(ofRevision(stage, 1)());
    assert.doesNotMatch(stage.status('app').errorMsg, /tried again/);
    stage.world.fault = () => 'none';
    await stage.edit('app', { restartedAt: 'now' });
    await stage.host.until('the new one serves', ofRevision(stage, 2), 5_000);
  });
});

describe('a revision that serves while the next one can not be built', () => {
  it('is not taken for the next one when the engine does not start it', async (test) => {
    const stage = await createStage(test);
    const host = await servingBesideFailedBuild(stage);
    let starts = 0;
    stage.world.fault = (method) => (method === 'startContainer' && starts++ === 0 ? 'refuse' : 'none');
    stage.world.end(stage.running('app'), 1);
    await host.advance(0);
    await host.until('it is back', ofRevision(stage, 1));
    assert.equal(starts, 2);
    assert.equal(stage.status('app').reason, 'BuildFailed');
    assert.equal((await host.registry.revisions.get('app', 1))?.outcome, 'Ready');
    assert.ok(!(await stage.reasons('app')).includes('RolledBack'));
  });
});

describe('a revision that was rolled back', () => {
  it('is not tried again because its sources were away for a while', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { progressDeadlineSeconds: 10 });
    await stage.reach('app', 'Ready');
    await stage.replace('app', { progressDeadlineSeconds: 10, env: { LISTEN: '0' } });
    await host.until('it is rolled back', () => stage.status('app').reason === 'RolledBack', 20_000);
    await host.until('the good one is back', ofRevision(stage, 1));
    const { id } = stage.running('app').facts;
    await stage.remove('sources/app');
    await host.advance(70_000);
    await stage.write('sources/app/Dockerfile', 'FROM scratch\n# app\n');
    await host.advance(120_000);
    assert.equal(stage.running('app').facts.id, id);
    assert.equal(stage.status('app').reason, 'RolledBack');
  });
});

describe('a rollback that is asked for', () => {
  it('goes below a revision that was good and crashes now', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await stage.replace('app', CHANGED);
    await host.until('the second serves', ofRevision(stage, 2));
    for (let crash = 0; crash < 3; crash++) {
      stage.world.end(stage.running('app'), 1);
      await host.until('it is seen', () => stage.status('app').memory.starts.crashes?.count === crash + 1);
      if (crash < 2) await stage.reach('app', 'Ready');
    }
    assert.equal(stage.status('app').reason, 'CrashLoopBackOff');
    assert.equal(await host.programs.rollBack('app', undefined), 1);
  });
});

describe('a good revision', () => {
  it('is known to be one, though the host was killed before it wrote that down', async (test) => {
    const stage = await createStage(test);
    await stage.start({
      onStep({ name, moment }, host) {
        const isReady = stage.host?.registry.status.get('app')?.state === 'Running';
        if (name === 'revisions.put' && moment === 'before' && isReady) void host.kill();
      },
    });
    await stage.create('app', { env: { LISTEN_AFTER_MS: '100' } });
    await stage.host.advance(1_000);
    assert.equal((await stage.host.registry.revisions.get('app', 1))?.outcome, 'Pending');
    await stage.start();
    await stage.reach('app', 'Ready');
    await stage.host.advance(0);
    assert.equal((await stage.host.registry.revisions.get('app', 1))?.outcome, 'Ready');
  });

  it('is put right when somebody changes it beside one that can not be built', async (test) => {
    const stage = await createStage(test);
    const host = await servingBesideFailedBuild(stage);
    for (const _ of ['once', 'and again']) {
      const changed = stage.running('app');
      Object.assign(changed.facts.settings, { networks: [] });
      stage.world.emit(changed, 'update');
      await host.until('another serves', () => {
        const up = stage.containers('app').filter(({ facts }) => facts.state === 'running');
        return up.length === 1 && up[0] !== changed && stage.status('app').state === 'Ready';
      });
      assert.equal(stage.status('app').reason, 'BuildFailed');
      assert.ok((await stage.reasons('app')).includes('Drifted'));
    }
  });
});

describe('a program that ends for its failing liveness', () => {
  it('has failed under OnFailure, whatever its exit code', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    const probe = { path: '/live', periodSeconds: 1, failureThreshold: 2 };
    await stage.create('app', { restartPolicy: 'OnFailure', liveness: probe });
    await stage.reach('app', 'Ready');
    const { answer } = stage.world;
    stage.world.answer = () => 503;
    await host.until('it is restarted', () => stage.status('app').restartCount === 1, 10_000);
    assert.equal(stage.status('app').lastExit?.exitCode, 0);
    stage.world.answer = answer;
    await stage.reach('app', 'Ready', 10_000);
  });
});
