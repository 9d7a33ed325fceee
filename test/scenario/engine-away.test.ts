import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createStage } from './stage.ts';

describe('an engine that goes away', () => {
  it('is told by a condition; the state stays, and everything converges when it is back', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    for (const name of ['app', 'doomed', 'stopping']) await stage.create(name);
    for (const name of ['app', 'doomed', 'stopping']) await stage.reach(name, 'Ready');
    stage.world.goAway('end');
    await host.advance(1_000);
    const { state, conditions } = stage.status('app');
    assert.equal(state, 'Ready');
    const condition = conditions.find(({ type }) => type === 'EngineUnavailable');
    assert.equal(condition?.status, 'True');
    assert.match(condition?.message ?? '', /engine/);
    assert.match(host.controller.health().trouble, /engine/);
    await host.programs.remove('doomed');
    await stage.edit('stopping', { desiredState: 'Stopped' });
    await stage.create('late');
    await host.advance(10 * 60_000);
    assert.equal(stage.status('app').state, 'Ready');
    const told = host.log.filter(
      ({ level, fields }) => level === 'warn' && fields.reason === 'EngineUnavailable',
    );
    assert.equal(told.length, 1, 'told once, not at every try');
    stage.world.comeBack();
    await host.advance(5_000);
    assert.equal(host.controller.health().trouble, '');
    for (const name of ['app', 'late']) {
      assert.equal(stage.status(name).state, 'Ready');
      stage.running(name);
      const types: string[] = stage.status(name).conditions.map(({ type }) => type);
      assert.equal(types.includes('EngineUnavailable'), false);
    }
    assert.equal(stage.status('stopping').state, 'Stopped');
    assert.deepEqual(stage.containers('doomed'), []);
    assert.equal(host.registry.status.get('doomed'), undefined);
  });

  it('takes no program with it for good: an end that came with its own says nothing of the work', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('worker', { restartPolicy: 'OnFailure' });
    await stage.create('done', { restartPolicy: 'OnFailure', env: { EXIT: '0' } });
    await stage.reach('worker', 'Ready');
    await stage.reach('done', 'Stopped');
    stage.world.goAway('end');
    await host.advance(60_000);
    stage.world.comeBack();
    await host.until('it runs again', () => stage.status('worker').restartCount === 1, 10_000);
    await stage.reach('worker', 'Ready');
    assert.equal(stage.status('worker').lastExit?.exitCode, 0);
    assert.equal(stage.status('done').state, 'Stopped');
    assert.equal(stage.status('done').restartCount, 0, 'what had finished before stays so');
  });

  it('nor does the machine: what ended before it was booted is not taken for finished', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('worker', { restartPolicy: 'OnFailure' });
    await stage.reach('worker', 'Ready');
    await host.kill();
    stage.world.end(stage.running('worker'), 0);
    await stage.clock.advance(30_000);
    await stage.start({ bootedAtMs: stage.clock.now() });
    await stage.reach('worker', 'Ready');
    stage.world.end(stage.running('worker'), 0);
    await stage.reach('worker', 'Stopped');
  });

  it('and is no crash, however often and whichever started first: no wait before the next start', async (test) => {
    const stage = await createStage(test);
    let host = await stage.start();
    await stage.create('app');
    await stage.create('shaky');
    await stage.reach('app', 'Ready');
    await stage.reach('shaky', 'Ready');
    for (let crash = 1; crash <= 2; crash++) {
      stage.world.end(stage.running('shaky'), 1);
      await host.until('it runs again', () => stage.status('shaky').restartCount === crash, 10_000);
      await stage.reach('shaky', 'Ready');
    }
    const counts = () => ['app', 'shaky'].map((name) => stage.status(name).memory.starts.crashes?.count ?? 0);
    assert.deepEqual(counts(), [0, 2]);
    for (let time = 1; time <= 5; time++) {
      // Who ends sooner than this does so by itself, whatever else goes down (memory.ts).
      await host.advance(1_000);
      // As with a unit that requires docker.service: the host goes first, and comes last.
      if (time > 2) await host.kill();
      stage.world.goAway('end');
      await stage.clock.advance(30_000);
      stage.world.comeBack();
      if (time > 2) host = await stage.start();
      const isUp = () => stage.containers('app').every(({ facts }) => facts.state === 'running');
      await host.until('it runs again', () => isUp() && stage.status('app').restartCount === time, 3_000);
      await stage.reach('app', 'Ready', 3_000);
      await stage.reach('shaky', 'Ready', 3_000);
    }
    assert.deepEqual(counts(), [0, 2], 'and what crashed before has crashed as often as before');
    assert.match(
      (await host.registry.events.list('app')).findLast(({ reason }) => reason === 'Restarted')?.message ??
        '',
      /after the engine or the machine went down/,
    );
  });

  it('may be away when the host starts', async (test) => {
    const stage = await createStage(test);
    stage.world.goAway('keep');
    const host = await stage.start();
    await stage.create('app');
    await host.advance(60_000);
    assert.equal(stage.status('app').state, 'Created');
    assert.equal(host.controller.health().listed, false);
    stage.world.comeBack();
    await stage.reach('app', 'Ready');
    assert.equal(host.controller.health().listed, true);
  });

  it('does not count what it took with it as more than one crash, and finds programs that kept running', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const container = stage.running('app');
    stage.world.goAway('keep');
    await host.advance(30_000);
    stage.world.comeBack();
    await host.advance(5_000);
    assert.equal(stage.running('app'), container);
    assert.equal(stage.status('app').restartCount, 0);
    stage.world.goAway('end');
    await host.advance(30_000);
    stage.world.comeBack();
    await stage.reach('app', 'Ready');
    await host.advance(5_000);
    assert.equal(stage.running('app'), container);
    assert.equal(stage.status('app').restartCount, 1);
  });

  it('for single calls costs a retry and nothing else, whether they were done or not', async (test) => {
    for (const fate of ['before', 'after'] as const) {
      const stage = await createStage(test);
      const host = await stage.start();
      const failed = new Set<string>();
      stage.world.fault = (method) => {
        if (failed.has(method)) return 'none';
        failed.add(method);
        return fate;
      };
      await stage.create('app');
      await stage.reach('app', 'Ready');
      await stage.replace('app', { env: { CHANGED: '1' } });
      const settled = () => stage.containers('app').length === 1 && stage.status('app').currentRevision === 2;
      await host.until('the change is through', settled);
      await stage.reach('app', 'Ready');
      await stage.edit('app', { desiredState: 'Stopped' });
      await stage.reach('app', 'Stopped');
      await host.programs.remove('app');
      await host.until('it is gone', () => host.registry.status.get('app') === undefined);
      assert.equal(stage.world.containers.size, 0);
      assert.equal(failed.has('stopContainer'), true);
      assert.equal(failed.has('renameContainer'), true);
    }
  });

  it('tries a stop that fails again with a wait in between', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    host.calls.length = 0;
    stage.world.fault = (method) => (method === 'stopContainer' ? 'before' : 'none');
    await stage.edit('app', { desiredState: 'Stopped' });
    await host.advance(60_000);
    assert.equal(stage.status('app').state, 'Stopping');
    assert.ok(host.calls.length > 2 && host.calls.length < 200, `${host.calls.length} tries in a minute`);
    stage.world.fault = () => 'none';
    await stage.reach('app', 'Stopped');
  });
});

describe('events that are lost', () => {
  it('are made good by a list within 10 s: an end, a removal, a start that nobody wants', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    for (const name of ['ended', 'removed']) await stage.create(name);
    await stage.create('stopped', { env: { EXIT_AFTER_MS: '0' } });
    for (const name of ['ended', 'removed', 'stopped']) await stage.reach(name, 'Ready');
    await stage.edit('stopped', { desiredState: 'Stopped' });
    await stage.reach('stopped', 'Stopped');
    stage.world.eventFate = () => 'lose';
    await host.advance(15_000);
    const ended = stage.running('ended');
    const removed = stage.running('removed');
    stage.world.end(ended, 1);
    stage.world.containers.delete(removed.facts.id);
    const [stopped] = stage.containers('stopped');
    assert.ok(stopped);
    stage.world.run(stopped);
    await host.advance(10_000);
    assert.equal(ended.facts.state, 'running');
    assert.equal(stage.running('removed') === removed, false);
    assert.equal(stopped.facts.state, 'exited');
    assert.equal(stage.status('ended').restartCount, 1);
  });

  it('that come late tell nothing new: a look that began since knows', async (test) => {
    const stage = await createStage(test);
    let looks = 0;
    const host = await stage.start({
      onStep({ name, about, moment }) {
        if (name === 'engine.listContainers' && about === 'app' && moment === 'before') looks++;
      },
    });
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await host.advance(1_000);
    stage.world.eventFate = () => 3_000;
    stage.world.emit(stage.running('app'), 'rename');
    await host.advance(100);
    // Another look, for another reason.
    await stage.replace('app', { progressDeadlineSeconds: 61 });
    await host.advance(500);
    const before = looks;
    assert.ok(before > 0);
    await host.advance(3_000);
    assert.equal(looks, before, 'what was told late was seen before');
    stage.world.eventFate = () => 'deliver';
    stage.world.emit(stage.running('app'), 'rename');
    await host.advance(100);
    assert.ok(looks > before, 'what is told in time is looked at');
  });

  it('are made good within 10 s also when the list before saw the program down as well', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { env: { LISTEN: '0' } });
    await stage.reach('app', 'Running');
    const container = stage.running('app');
    const isUp = () => container.facts.state === 'running';
    for (let crash = 1; crash <= 4; crash++) {
      stage.world.end(container, 1);
      await host.until('it runs again', isUp);
    }
    stage.world.eventFate = () => 'lose';
    stage.world.end(container, 1);
    await host.until('a list found it', () => stage.status('app').memory.starts.crashes?.count === 5, 10_000);
    await host.until('it runs again', isUp);
    stage.world.end(container, 1);
    await host.until(
      'the next list found it',
      () => stage.status('app').memory.starts.crashes?.count === 6,
      10_000,
    );
  });

  it('and events that come twice, change nothing', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    stage.world.eventFate = () => 'double';
    await stage.create('app');
    await stage.reach('app', 'Ready');
    stage.world.end(stage.running('app'), 1);
    await host.advance(5_000);
    assert.equal(stage.status('app').restartCount, 1);
    assert.equal(stage.containers('app').length, 1);
  });

  it('by freezing is told within 15 s by those whose pass hangs on it too, and all goes on at the thaw', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('calm');
    await stage.reach('calm', 'Ready');
    stage.world.callMs = (method) => (method === 'startContainer' ? 1_000 : 0);
    await stage.create('starting');
    await host.until('its start is under way', () =>
      host.calls.some((call) => /^start.*-starting$/.test(call)),
    );
    stage.world.freeze();
    await stage.edit('calm', { restartedAt: '2026-11-22T10:00:00.000Z' });
    await host.advance(15_100);
    for (const name of ['calm', 'starting']) {
      const told = stage.status(name).conditions.find(({ type }) => type === 'EngineUnavailable');
      assert.equal(told?.status, 'True', name);
    }
    assert.equal(stage.status('calm').state, 'Stopping', 'the restart that was asked for');
    await host.advance(10 * 60_000);
    stage.world.thaw();
    await stage.reach('starting', 'Ready');
    await host.until('calm was restarted', () => stage.status('calm').memory.program.restartedAtSeen !== '');
    await stage.reach('calm', 'Ready');
    assert.equal(stage.containers('starting').length, 1);
    assert.equal(host.controller.health().trouble, '');
  });
});
