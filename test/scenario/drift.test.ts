import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createStage, manifest, type Stage } from './stage.ts';

/** What an older host knew to look at. */
const OLD_SETTINGS = ['memoryBytes', 'cpus', 'pids', 'restartPolicy', 'network', 'networks'];

describe('what somebody did behind the back of the host is told', () => {
  it('killed, out of memory, removed, renamed, or started though it should be stopped', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const told = async () => {
      const events = await host.registry.events.list('app');
      return events.map(({ reason, message }) => `${reason}: ${message}`);
    };
    const isBack = () => {
      const { state, containerId } = stage.status('app');
      return state === 'Ready' && stage.world.containers.get(containerId)?.facts.state === 'running';
    };
    stage.world.end(stage.running('app'), 137);
    await host.until('it is back', isBack);
    assert.match((await told()).join('\n'), /^Restarted: restart 1 of \w+ after SIGKILL$/m);
    stage.world.end(stage.running('app'), 137, true);
    await host.until('it is back', isBack);
    assert.match((await told()).join('\n'), /^Restarted: restart 2 of \w+ after out of memory$/m);
    const { facts } = stage.running('app');
    facts.name = `${facts.name}-mine`;
    await host.until('it has its name', () => facts.name === 'hersh-program-app', 60_000);
    assert.match((await told()).join('\n'), /^Drifted: somebody renamed the container to \S+-mine;/m);
    const served = stage.running('app');
    stage.world.end(served, 137);
    stage.world.containers.delete(served.facts.id);
    stage.world.emit(served, 'destroy');
    await host.until('it is back', isBack);
    assert.equal(
      (await told()).filter((line) => line === 'Drifted: somebody removed the container').length,
      1,
    );
    await stage.edit('app', { desiredState: 'Stopped' });
    await stage.reach('app', 'Stopped');
    assert.doesNotMatch((await told()).join('\n'), /somebody started/);
    const [stopped] = stage.containers('app');
    assert.ok(stopped);
    stage.world.run(stopped);
    await host.until('it is stopped', () => stopped.facts.state === 'exited', 15_000);
    await stage.reach('app', 'Stopped');
    assert.match((await told()).join('\n'), /^Stopping: somebody started its container/m);
    await stage.edit('app', { desiredState: 'Running' });
    await stage.reach('app', 'Ready');
    assert.equal(
      (await told()).filter((line) => line === 'Drifted: somebody removed the container').length,
      1,
    );
  });
});

describe("what the host did itself is nobody else's doing", () => {
  const PLAIN = { readiness: { none: true } };
  const told = async (stage: Stage) =>
    (await stage.host.registry.events.list('app'))
      .map(({ type, message }) => `${type}: ${message}`)
      .join('\n');

  for (const asked of ['another spec', 'a restart'])
    it(`a container that would not start again, and ${asked}`, async (test) => {
      const stage = await createStage(test);
      const host = await stage.start();
      await stage.create('app', PLAIN);
      await stage.reach('app', 'Ready');
      stage.world.fault = (method) => (method === 'startContainer' ? 'refuse' : 'none');
      stage.world.end(stage.running('app'), 3);
      await host.advance(500);
      assert.equal(stage.containers('app').length, 0);
      stage.world.fault = () => 'none';
      if (asked === 'a restart') await stage.edit('app', { restartedAt: 'now' });
      else await stage.replace('app', { ...PLAIN, env: { FIX: '1' } });
      await stage.reach('app', 'Ready');
      assert.doesNotMatch(await told(stage), /somebody/);
    });

  it('the deletion of a program that is stopped', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', PLAIN);
    await stage.reach('app', 'Ready');
    await stage.edit('app', { desiredState: 'Stopped' });
    await stage.reach('app', 'Stopped');
    await host.programs.remove('app');
    await host.until('it is gone', () => host.registry.status.get('app') === undefined);
    assert.doesNotMatch(await told(stage), /^Warning/m);
  });

  it('and what somebody did is told once, however often what is done about it fails', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', PLAIN);
    await stage.reach('app', 'Ready');
    stage.world.fault = (method) => (method === 'createContainer' ? 'before' : 'none');
    void stage.world.remove(stage.running('app'));
    await host.advance(60_000);
    stage.world.fault = () => 'none';
    await stage.reach('app', 'Ready', 60_000);
    assert.equal((await told(stage)).match(/somebody removed the container/g)?.length, 1);
  });
});

describe('a container that somebody changed', () => {
  it('is replaced within a minute where the event was lost, and the event says what was found', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const { facts } = stage.running('app');
    facts.settings.memorySwapBytes = -1;
    await host.until('another serves', () => stage.status('app').containerId !== facts.id, 60_000);
    await stage.reach('app', 'Ready');
    const drifted = (await host.registry.events.list('app')).filter(({ reason }) => reason === 'Drifted');
    assert.match(drifted[0]?.message ?? '', /memorySwapBytes is -1 instead of \d+/);
    assert.notEqual(stage.running('app').facts.settings.memorySwapBytes, -1);
  });

  it('is told from one that an older host looked at less closely, of which the rest is then noted', async (test) => {
    const stage = await createStage(test);
    const first = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const { facts } = stage.running('app');
    const status = stage.status('app');
    const { settings = {} } = status.memory.containers[facts.id] ?? {};
    const known = Object.entries(settings).filter(([setting]) => OLD_SETTINGS.includes(setting));
    const containers = { [facts.id]: { settings: Object.fromEntries(known) } };
    const { making: _, ...program } = status.memory.program;
    await first.registry.status.put({ ...status, memory: { ...status.memory, program, containers } });
    await first.kill();

    const second = await stage.start();
    await second.advance(120_000);
    assert.equal(stage.running('app').facts.id, facts.id, 'an upgrade replaces nothing');
    assert.equal(stage.status('app').state, 'Ready');
    assert.deepEqual(stage.status('app').memory.containers[facts.id]?.settings, facts.settings);

    facts.settings.cpuShares = 2;
    await second.until('another serves', () => stage.status('app').containerId !== facts.id, 60_000);
  });

  it('while no host ran, and its successor was wanted, is not brought back as it is', async (test) => {
    const stage = await createStage(test);
    const first = await stage.start();
    await stage.create('app', { progressDeadlineSeconds: 10 });
    await stage.reach('app', 'Ready');
    const { facts } = stage.running('app');
    await first.kill();
    facts.settings.cpus = 64;
    await stage.write(
      'programs/app.yaml',
      manifest('app', { progressDeadlineSeconds: 10, env: { LISTEN: '0' } }),
    );
    const second = await stage.start();
    await second.until('it is rolled back', () => stage.status('app').reason === 'RolledBack');
    await second.advance(70_000);
    await stage.reach('app', 'Ready');
    assert.notEqual(stage.running('app').facts.id, facts.id);
    assert.equal(stage.running('app').facts.settings.cpus, 1);
  });
});
