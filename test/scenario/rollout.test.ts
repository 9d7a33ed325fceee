import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createStage } from './stage.ts';

const CHANGED = { env: { CHANGED: '1', LISTEN_AFTER_MS: '200' } };

describe('a change of a program that runs', () => {
  it('creates the new container, then stops the old, then starts the new, then removes the old', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const old = stage.running('app');
    host.calls.length = 0;
    await stage.replace('app', CHANGED);
    await host.until('the new one runs', () => stage.running('app') !== old);
    const beside = stage.running('app').facts.name;
    assert.match(beside, /^hersh-program-app-[0-9a-f]{8}$/);
    assert.equal(stage.containers('app').length, 2, 'the old one stays until the new one is ready');
    await host.until('the old one is gone', () => stage.containers('app').length === 1);
    assert.equal(stage.status('app').state, 'Ready');
    await host.advance(0);
    assert.deepEqual(host.calls, [
      `createContainer ${beside}`,
      'stopContainer hersh-program-app',
      `startContainer ${beside}`,
      'removeContainer hersh-program-app',
      `renameContainer ${beside}`,
    ]);
    assert.equal(stage.status('app').currentRevision, 2);
    assert.equal(stage.status('app').observedGeneration, 2);
  });

  it('keeps the old one serving, Ready, while the new image is built', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const old = stage.running('app');
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN sleep 30\n');
    await host.until('the build runs', () => stage.status('app').reason === 'Building');
    await host.advance(29_000);
    assert.equal(stage.running('app'), old);
    const building = stage.status('app');
    assert.equal(building.state, 'Ready');
    assert.equal(building.containerId, old.facts.id);
    assert.equal(building.conditions.find(({ type }) => type === 'Progressing')?.reason, 'Building');
    assert.equal(stage.containers('app').length, 1);
    await host.until('the new revision serves', () => stage.status('app').currentRevision === 2);
    await host.until('the old one is gone', () => stage.containers('app').length === 1);
    assert.equal(stage.status('app').reason, '');
    assert.notEqual(stage.status('app').buildId, building.buildId);
  });

  it('lets the old one be when the new image can not be built, and takes the mended one up', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const old = stage.running('app');
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN echo oh dear && exit 3\n');
    await host.until('the build failed', () => stage.status('app').reason === 'BuildFailed');
    assert.match(stage.status('app').errorMsg, /oh dear/);
    assert.equal(stage.status('app').state, 'Ready');
    await host.advance(120_000);
    assert.equal(stage.running('app'), old);
    assert.equal(host.calls.filter((call) => call.startsWith('build')).length, 2, 'not tried again');
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN echo mended\n');
    await host.until('it is mended', () => stage.status('app').currentRevision === 2);
    await host.until('it is ready', () => stage.status('app').reason === '');
    assert.notEqual(stage.running('app'), old);
  });

  it('heals the old one while the new image is being built', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const old = stage.running('app');
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN sleep 30\n');
    await host.until('the build runs', () => stage.status('app').reason === 'Building');
    stage.world.end(old, 1);
    await host.advance(100);
    assert.equal(stage.running('app'), old);
    assert.equal(stage.status('app').restartCount, 1);
  });

  it('makes only the last of many changes in a row, and leaves one container', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    for (let n = 1; n <= 5; n++) await stage.replace('app', { env: { N: String(n) } });
    await host.until('the last is there', () => stage.running('app').env.N === '5');
    await host.advance(5_000);
    assert.equal(stage.running('app').env.N, '5');
    assert.equal(stage.containers('app').length, 1);
    assert.equal(stage.status('app').state, 'Ready');
  });

  it('changes what costs nothing without touching the container', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    host.calls.length = 0;
    await stage.replace('app', { restartPolicy: 'Never', progressDeadlineSeconds: 5 });
    await host.advance(20_000);
    assert.deepEqual(host.calls, []);
    assert.equal(stage.status('app').observedGeneration, 2);
    assert.equal(stage.status('app').state, 'Ready');
  });

  it('counts no generation for a manifest whose words changed and whose meaning did not', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await stage.replace('app', { restartPolicy: 'Always', stopGracePeriodSeconds: 10 });
    await host.advance(0);
    assert.equal(stage.status('app').observedGeneration, 1);
  });

  it('grows the generation also for a change that came while the engine was away', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    stage.world.goAway('keep');
    await host.advance(1_000);
    await stage.replace('app', CHANGED);
    await host.advance(1_000);
    stage.world.comeBack();
    await host.until('it is taken up', () => stage.status('app').currentRevision === 2);
    assert.equal(stage.status('app').observedGeneration, 2);
  });

  it('says when it does not get ready in time, and serves on', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { env: { LISTEN: '0' }, progressDeadlineSeconds: 20 });
    await stage.reach('app', 'Running');
    await host.advance(19_000);
    assert.equal(stage.status('app').reason, '');
    await host.advance(1_000);
    assert.equal(stage.status('app').reason, 'ProgressDeadlineExceeded');
    assert.equal(stage.status('app').state, 'Running');
    stage.running('app');
  });

  it('says no such thing of one that was ready, where that is restarted, made anew, or adopted', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { env: { LISTEN_AFTER_MS: '3000' }, progressDeadlineSeconds: 20 });
    await stage.reach('app', 'Ready');
    await host.advance(600_000);
    stage.world.end(stage.running('app'), 137);
    await host.advance(1_000);
    await stage.reach('app', 'Ready');
    await host.advance(600_000);
    const served = stage.running('app');
    stage.world.end(served, 137);
    stage.world.containers.delete(served.facts.id);
    stage.world.emit(served, 'destroy');
    await host.advance(1_000);
    await stage.reach('app', 'Ready');
    await host.advance(600_000);
    await host.kill();
    await stage.remove('status/app.yaml');
    await stage.start();
    await stage.reach('app', 'Ready');
    const told = (await stage.reasons('app')).filter((reason) => reason === 'ProgressDeadlineExceeded');
    assert.deepEqual(told, []);
  });

  it('says it of one that was ready, and is not in time after a restart', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { progressDeadlineSeconds: 20 });
    await stage.reach('app', 'Ready');
    await host.advance(600_000);
    const served = stage.running('app');
    stage.world.end(served, 137);
    await host.advance(0);
    stage.running('app').env.STATUS = '500';
    await host.advance(15_000);
    assert.deepEqual([stage.status('app').state, stage.status('app').reason], ['Running', '']);
    await host.until('it is told', () => stage.status('app').reason === 'ProgressDeadlineExceeded', 10_000);
  });
});
