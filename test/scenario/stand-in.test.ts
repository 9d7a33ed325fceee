import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createStage, type Stage } from './stage.ts';

const DAY_MS = 86_400_000;

/** Takes the program's container away as `docker rm -f` does. */
function removeByHand({ world, running }: Stage): void {
  const container = running('app');
  world.end(container, 137);
  world.containers.delete(container.facts.id);
  world.emit(container, 'destroy');
}

async function servingBesideFailedBuild(stage: Stage): Promise<void> {
  await stage.start();
  await stage.create('app');
  await stage.reach('app', 'Ready');
  await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN exit 1\n');
  await stage.host.until('the build failed', () => stage.status('app').reason === 'BuildFailed');
}

describe('a revision that can not be built', () => {
  it('has the good one come back when its container is removed by hand', async (test) => {
    const stage = await createStage(test);
    await servingBesideFailedBuild(stage);
    removeByHand(stage);
    await stage.host.advance(15_000);
    const { state, reason } = stage.status('app');
    assert.deepEqual({ state, reason }, { state: 'Ready', reason: 'BuildFailed' });
    assert.equal(stage.running('app').facts.labels['dev.hersh.revision'], '1');
    const { calls } = stage.host;
    const done = calls.length;
    await stage.host.advance(DAY_MS / 48);
    assert.equal(calls.length, done, 'and there it stays');
  });

  it('has the good one started again that waited after a crash when the next was asked for', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const good = stage.running('app');
    for (let crash = 0; crash < 4; crash++) {
      await host.until('it runs', () => good.facts.state === 'running');
      stage.world.end(good, 1);
      await host.advance(0);
    }
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN exit 1\n');
    await stage.replace('app', { env: { CHANGED: '1' } });
    await stage.reach('app', 'Ready');
    assert.equal(stage.running('app'), good);
    assert.equal(stage.status('app').reason, 'BuildFailed');
  });

  it('has the good one made anew when its container is long in being removed', async (test) => {
    const stage = await createStage(test);
    await servingBesideFailedBuild(stage);
    const old = stage.running('app');
    stage.world.removalMs = () => 20_000;
    void stage.world.remove(old);
    await stage.host.until('another serves', () => stage.status('app').state === 'Ready', 1_000);
    assert.notEqual(stage.running('app'), old);
    assert.equal(old.facts.state, 'removing');
    assert.ok(stage.status('app').restartCount <= 1);
    await stage.host.until('the old one is gone', () => stage.containers('app').length === 1);
  });

  it('has the good one built again from what is kept, when sources, image and container are all gone', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('app');
    const { buildId } = await stage.reach('app', 'Ready');
    await stage.remove('sources/app');
    await stage.host.until('it is told', () => stage.status('app').reason === 'BuildFailed');
    stage.world.images.delete(stage.world.tags.get(`hersh/${buildId}`) ?? '');
    stage.world.tags.delete(`hersh/${buildId}`);
    const { id } = stage.running('app').facts;
    removeByHand(stage);
    const isOther = () => stage.status('app').state === 'Ready' && stage.status('app').containerId !== id;
    await stage.host.until('another serves', isOther);
    const { reason, errorMsg, buildId: serves } = stage.status('app');
    assert.deepEqual({ reason, serves }, { reason: 'BuildFailed', serves: buildId });
    assert.match(errorMsg, /sources\/app does not exist/);
  });

  it('has the good one come back when its successor vanishes before it is ready, and its sources with it', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const good = stage.running('app');
    await stage.replace('app', { env: { LISTEN_AFTER_MS: '30000' } });
    await stage.host.until('the new one runs', () => stage.running('app') !== good);
    await stage.host.kill();
    await stage.remove('sources/app');
    removeByHand(stage);
    await stage.start();
    const isBack = () => good.facts.state === 'running' && stage.status('app').state === 'Ready';
    await stage.host.until('the good one is back', isBack);
    assert.equal(stage.status('app').reason, 'BuildFailed');
  });

  it('does not bring back what was stopped by wish', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await stage.edit('app', { desiredState: 'Stopped' });
    await stage.reach('app', 'Stopped');
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN exit 1\n');
    await stage.edit('app', { desiredState: 'Running' });
    await stage.host.until('the build failed', () => stage.status('app').reason === 'BuildFailed');
    await stage.host.advance(120_000);
    assert.equal(stage.status('app').state, 'Error');
    assert.equal(stage.containers('app').filter(({ facts }) => facts.state === 'running').length, 0);
  });
});

describe('a program that runs to its end', () => {
  it('is not rolled back for never having been ready', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const once = { env: { EXIT: '0' }, restartPolicy: 'Never', progressDeadlineSeconds: 5 };
    await stage.replace('app', once);
    await stage.reach('app', 'Stopped');
    await stage.host.advance(120_000);
    const { state, reason } = stage.status('app');
    assert.deepEqual({ state, reason }, { state: 'Stopped', reason: 'Completed' });
  });
});

describe('a build that fails because the engine does', () => {
  it('is tried again until the engine is there', async (test) => {
    const stage = await createStage(test);
    stage.world.fault = (method) => (method === 'build' ? 'before' : 'none');
    await stage.start();
    await stage.create('app');
    await stage.host.advance(300_000);
    stage.world.fault = () => 'none';
    await stage.reach('app', 'Ready', 61_000);
  });
});
