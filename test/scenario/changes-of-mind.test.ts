import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createStage } from './stage.ts';

const ONCE = { env: { EXIT: '0' }, restartPolicy: 'Never' };

describe('a start that is taken back', () => {
  it('before its sources were looked at was asked for all the same: Stopped, and not Created', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { desiredState: 'Stopped', build: { context: 'sources/later' } });
    await host.advance(0);
    assert.equal(stage.status('app').state, 'Created');
    await stage.edit('app', { desiredState: 'Running' });
    await host.advance(0);
    await stage.edit('app', { desiredState: 'Stopped' });
    await host.advance(0);
    assert.equal(stage.status('app').state, 'Stopped');
  });
});

describe('a program that is started after a stop', () => {
  it('has its whole time to become ready again', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { env: { LISTEN_AFTER_MS: '2000' }, progressDeadlineSeconds: 5 });
    await stage.reach('app', 'Ready');
    await host.advance(60_000);
    await stage.edit('app', { desiredState: 'Stopped' });
    await stage.reach('app', 'Stopped');
    await stage.edit('app', { desiredState: 'Running' });
    await stage.reach('app', 'Ready');
    const warnings = (await host.registry.events.list('app')).filter(({ type }) => type === 'Warning');
    assert.deepEqual(warnings, []);
  });
});

describe('a job that had come to its end', () => {
  it('runs again when it is asked for again after another one', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', ONCE);
    await stage.reach('app', 'Stopped');
    await stage.replace('app', { env: { OTHER: '1' }, restartPolicy: 'Never' });
    await stage.reach('app', 'Ready');
    const wasStarted = (): number =>
      stage.host.calls.filter((call) => call.startsWith('startContainer')).length;
    const before = wasStarted();
    await stage.replace('app', ONCE);
    await stage.reach('app', 'Stopped');
    assert.equal(wasStarted(), before + 1);
    assert.equal(stage.status('app').reason, 'Completed');
    assert.deepEqual(
      stage.containers('app').filter(({ facts }) => facts.state === 'running'),
      [],
    );
    await host.advance(180_000);
    assert.equal(wasStarted(), before + 1, 'once');
  });
});

describe('a name that is deleted and comes back at once', () => {
  it('is a new program: what the old one finished, and how often it crashed, is forgotten', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', ONCE);
    await stage.reach('app', 'Stopped');
    const { createdAt } = stage.status('app');
    const runs = (await stage.reasons('app')).filter((reason) => reason === 'Starting').length;
    stage.world.callMs = () => 500;
    await host.programs.remove('app');
    await host.advance(100);
    await stage.create('app', ONCE);
    await host.until('it is another life', () => stage.status('app').createdAt !== createdAt);
    await stage.reach('app', 'Stopped');
    await host.advance(10_000);
    const again = (await stage.reasons('app')).filter((reason) => reason === 'Starting').length;
    assert.equal(again, runs + 1, 'it ran once more');
    assert.equal(stage.status('app').restartCount, 0);
    assert.equal(stage.status('app').observedGeneration, 1);
  });

  it('has it told, also where the new one is not to be started', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    stage.world.goAway('keep');
    await host.programs.remove('app');
    await host.advance(100);
    await stage.create('app', { desiredState: 'Stopped' });
    await host.advance(1_000);
    stage.world.comeBack();
    await stage.reach('app', 'Created');
    await host.advance(10_000);
    assert.equal((await stage.reasons('app')).filter((reason) => reason === 'Deleted').length, 1);
  });

  it('with a manifest that is not valid stays deleted', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    stage.world.callMs = () => 500;
    await host.programs.remove('app');
    await host.advance(100);
    await stage.write('programs/app.yaml', 'apiVersion: hersh.dev/v1\nkind: Nonsense\n');
    await host.registry.look();
    await host.until('the container is gone', () => stage.containers('app').length === 0);
    const isTold = () => host.registry.status.get('app')?.reason === 'InvalidManifest';
    await host.until('it is told', isTold, 5_000);
    assert.equal(stage.status('app').state, 'Error');
  });
});

describe('a program that ran to its end', () => {
  it('needs its sources no more', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', ONCE);
    await stage.reach('app', 'Stopped');
    await stage.remove('sources/app');
    await host.advance(70_000);
    const { state, reason } = stage.status('app');
    assert.deepEqual({ state, reason }, { state: 'Stopped', reason: 'Completed' });
  });

  it('and is started by hand runs as any other: what is changed of it is put right, until it ends', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { restartPolicy: 'OnFailure' });
    await stage.reach('app', 'Ready');
    const first = stage.running('app');
    stage.world.end(first, 0);
    await stage.reach('app', 'Stopped');
    stage.world.run(first);
    await stage.reach('app', 'Ready');
    assert.equal(stage.status('app').reason, '');
    first.facts.settings.cpus = 64;
    stage.world.emit(first, 'update');
    await host.until('another serves', () => stage.status('app').containerId !== first.facts.id);
    await stage.reach('app', 'Ready');
    stage.world.end(stage.running('app'), 0);
    await stage.reach('app', 'Stopped');
  });

  it('runs again under a policy that lets it not end', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('app', { ...ONCE, env: { EXIT_AFTER_MS: '1000' } });
    await stage.reach('app', 'Stopped');
    await stage.replace('app', { ...ONCE, env: { EXIT_AFTER_MS: '1000' }, restartPolicy: 'Always' });
    await stage.reach('app', 'Ready');
  });
});

describe('probes', () => {
  it('are those of the revision that serves, whatever one that can not be built asks for', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { readiness: { tcp: true } });
    await stage.reach('app', 'Ready');
    const { id } = stage.running('app').facts;
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN exit 1\n');
    const probe = { path: '/live', periodSeconds: 1, failureThreshold: 1 };
    stage.world.answer = () => 503;
    await stage.replace('app', { readiness: probe, liveness: probe });
    await host.until('the build failed', () => stage.status('app').reason === 'BuildFailed');
    await host.advance(120_000);
    const { state, restartCount } = stage.status('app');
    assert.deepEqual({ state, restartCount }, { state: 'Ready', restartCount: 0 });
    assert.equal(stage.running('app').facts.id, id);
  });

  it('that fail long after a rollout are no rollout that failed', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await host.advance(3_600_000);
    const { answer } = stage.world;
    stage.world.answer = () => 503;
    await stage.reach('app', 'Running');
    await host.advance(120_000);
    const { state, reason, conditions } = stage.status('app');
    assert.deepEqual({ state, reason }, { state: 'Running', reason: '' });
    assert.equal(conditions.find(({ type }) => type === 'Ready')?.status, 'False');
    stage.world.answer = answer;
    await stage.reach('app', 'Ready');
  });
});
