import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { createStage } from './stage.ts';

describe('a program in its ordinary life', () => {
  it('is built, created, started and ready, and its events say so in this order', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { env: { LISTEN_AFTER_MS: '100' } });
    const status = await stage.reach('app', 'Ready');
    assert.deepEqual(await stage.reasons('app'), [
      'Building',
      'Built',
      'Created',
      'Starting',
      'Running',
      'Ready',
    ]);
    assert.deepEqual(host.calls, [
      `build hersh/${status.buildId}`,
      'createContainer hersh-program-app',
      'startContainer hersh-program-app',
    ]);
    const container = stage.running('app');
    assert.equal(status.containerId, container.facts.id);
    assert.equal(status.imageId, container.facts.imageId);
    assert.equal(status.publishPort, container.facts.publishPort);
    assert.equal(status.proxyUrl, `http://localhost:${status.publishPort}`);
    assert.equal(container.env.HERSH_PROGRAM_ID, 'app');
    assert.equal(Date.parse(status.readyAt) - Date.parse(status.startedAt), 100);
    assert.equal((await host.registry.revisions.get('app', 1))?.outcome, 'Ready');
  });

  it('is left alone once it is ready, whatever time passes', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    const before = await stage.reach('app', 'Ready');
    const calls = host.calls.length;
    await host.advance(2 * 60_000);
    assert.equal(host.calls.length, calls);
    assert.deepEqual(stage.status('app'), before);
  });

  it('starts nothing that was never asked to start', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { desiredState: 'Stopped' });
    await host.advance(60_000);
    assert.equal(stage.status('app').state, 'Created');
    assert.notEqual(stage.status('app').publishPort, 0);
    assert.deepEqual(host.calls, []);
  });

  it('stops and starts in the same container, without a second build', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const { id } = stage.running('app').facts;
    host.calls.length = 0;
    await stage.edit('app', { desiredState: 'Stopped' });
    const stopped = await stage.reach('app', 'Stopped');
    assert.equal(stopped.containerId, id);
    assert.equal(stopped.reason, '');
    await host.advance(60_000);
    await stage.edit('app', { desiredState: 'Running' });
    const ready = await stage.reach('app', 'Ready');
    assert.equal(stage.running('app').facts.id, id);
    assert.equal(ready.restartCount, 0);
    assert.equal(ready.lastExit, null);
    assert.deepEqual(host.calls, ['stopContainer hersh-program-app', 'startContainer hersh-program-app']);
  });

  it('is killed when it does not stop within its time, and that is no crash', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('app', { env: { IGNORE_TERM: '1' }, stopGracePeriodSeconds: 7 });
    await stage.reach('app', 'Ready');
    const before = stage.clock.now();
    await stage.edit('app', { desiredState: 'Stopped' });
    await stage.host.advance(1_000);
    assert.equal(stage.status('app').state, 'Stopping');
    await stage.reach('app', 'Stopped');
    assert.equal(stage.clock.now() - before, 7_000);
    assert.equal(stage.status('app').restartCount, 0);
    assert.equal(stage.status('app').memory.starts.crashes, undefined);
  });

  it('is started again when that is asked for while it is still stopping', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('app', { env: { IGNORE_TERM: '1' } });
    await stage.reach('app', 'Ready');
    await stage.edit('app', { desiredState: 'Stopped' });
    await stage.reach('app', 'Stopping');
    await stage.edit('app', { desiredState: 'Running' });
    await stage.host.advance(10_000);
    await stage.reach('app', 'Ready');
    assert.equal(stage.status('app').restartCount, 0);
    stage.running('app');
  });

  it('restarts as a rollout of the same revision, and comes out under its plain name', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const first = stage.running('app').facts;
    host.calls.length = 0;
    await stage.edit('app', { restartedAt: '2026-11-22T10:00:00.000Z' });
    await host.until('another container serves', () => {
      const { containerId, state } = stage.status('app');
      return state === 'Ready' && containerId !== first.id;
    });
    await host.advance(0);
    assert.equal(stage.running('app').facts.name, 'hersh-program-app');
    assert.equal(stage.running('app').facts.publishPort, first.publishPort);
    assert.equal(stage.containers('app').length, 1);
    assert.equal(stage.status('app').currentRevision, 1);
    assert.equal(stage.status('app').restartCount, 0);
    assert.equal(
      host.calls.some((call) => call.startsWith('build')),
      false,
    );
  });

  it('leaves nothing behind when it is deleted but its volume and the records of the trash', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    const { publishPort } = await stage.reach('app', 'Ready');
    await host.programs.remove('app');
    assert.equal(host.programs.get('app'), undefined, 'gone for the API at once');
    await host.until('the ledger is gone', () => host.registry.status.get('app') === undefined);
    await host.advance(60_000);
    assert.deepEqual(stage.containers('app'), []);
    assert.deepEqual(await readdir(host.registry.paths.programs), []);
    assert.deepEqual(
      (await readdir(host.registry.paths.status)).filter((file) => file.endsWith('.yaml')),
      [],
    );
    assert.equal(host.controller.ports.holder(publishPort), undefined);
    assert.equal(stage.world.volumes.size, 1);
    const trash = (await readdir(host.registry.paths.trash)).sort();
    assert.equal(trash.length, 2);
    assert.match(trash[0] ?? '', /^app\.\d+\.volume\.json$/);
    assert.match(trash[1] ?? '', /^app\.\d+\.yaml$/);
    assert.equal((await stage.reasons('app')).at(-1), 'Deleted');
  });

  it('gets data and history back when the same name of the same user comes again, and nobody else does', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const { volume } = stage.running('app');
    const { usage } = host.registry;
    await usage.load(['app']);
    usage.put('app', stage.clock.now(), { cpu: 0.5, memoryBytes: 1024 });
    await usage.writeAll(stage.clock.now());
    const figures = async () =>
      (await usage.week('app', stage.clock.now())).cpu.filter((cpu) => cpu !== null);
    const comeAgain = async (userId: string, env: Record<string, string>) => {
      await host.programs.remove('app');
      await host.until('the ledger is gone', () => host.registry.status.get('app') === undefined);
      await stage.create('app', { userId, env });
      await stage.reach('app', 'Ready');
      return host.registry.revisions.list('app');
    };
    const own = await comeAgain('me', { SECOND: '1' });
    assert.equal(stage.running('app').volume, volume);
    assert.deepEqual(
      own.map(({ number }) => number),
      [1, 2],
    );
    assert.equal((await stage.reasons('app')).includes('Deleted'), true);
    assert.deepEqual(await figures(), [0.5]);
    const foreign = await comeAgain('other', {});
    assert.notEqual(stage.running('app').volume, volume);
    assert.deepEqual(
      foreign.map(({ number, spec }) => [number, spec.userId]),
      [[1, 'other']],
    );
    assert.equal((await stage.reasons('app')).includes('Deleted'), false);
    assert.deepEqual(await figures(), []);
  });

  it('goes when it is deleted before anything of it was made', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { desiredState: 'Stopped' });
    await host.advance(0);
    const { publishPort } = stage.status('app');
    await host.programs.remove('app');
    await host.advance(0);
    assert.deepEqual(host.registry.status.names(), []);
    assert.equal(host.controller.ports.holder(publishPort), undefined);
    assert.deepEqual(host.calls, []);
  });
});
