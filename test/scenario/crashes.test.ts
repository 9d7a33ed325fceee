import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createStage, type Stage } from './stage.ts';

/** About what a start takes, as measured of Docker. */
const START_MS = 250;

/** Leaves out the probes, which are most of what happens in a long time. */
const UNPROBED = { readiness: { none: true } };

/** Milliseconds between the end of each run and the start of the next. */
async function waitsBetweenRuns(stage: Stage, name: string, count: number): Promise<number[]> {
  const waits: number[] = [];
  const container = stage.running(name);
  while (waits.length < count) {
    stage.world.end(container, 3);
    const endedMs = stage.clock.now();
    await stage.host.until('it runs again', () => container.facts.state === 'running', 70_000);
    waits.push(stage.clock.now() - endedMs);
  }
  return waits;
}

describe('a container that is long in being removed, or can not be', () => {
  it('keeps its program waiting for nothing', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', UNPROBED);
    await stage.reach('app', 'Ready');
    const old = stage.running('app');
    stage.world.removalMs = () => 20_000;
    void stage.world.remove(old);
    await host.until('another serves', () => stage.status('app').state === 'Ready', 1_000);
    assert.notEqual(stage.running('app'), old);
    assert.equal(stage.status('app').restartCount, 0);
    await host.until('the old one is gone', () => stage.containers('app').length === 1);
    await host.until('it has its name', () => stage.running('app').facts.name === 'hersh-program-app');

    const next = stage.running('app');
    stage.world.end(next, 137);
    next.facts.state = 'dead';
    stage.world.removalFails = () => true;
    await host.until('another serves', () => stage.status('app').state === 'Ready', 1_000);
    await host.advance(120_000);
    assert.equal(stage.status('app').state, 'Ready');
    stage.world.removalFails = () => false;
    await host.until('the dead one is gone', () => stage.containers('app').length === 1);
  });
});

describe('a program that ends by itself', () => {
  it('is started again at once, then after 1 s, doubling to 60 s, and that survives the host', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('app', UNPROBED);
    await stage.reach('app', 'Ready');
    assert.deepEqual(await waitsBetweenRuns(stage, 'app', 5), [0, 1_000, 2_000, 4_000, 8_000]);
    await stage.host.kill();
    await stage.start();
    assert.deepEqual(await waitsBetweenRuns(stage, 'app', 4), [16_000, 32_000, 60_000, 60_000]);
    assert.equal(stage.status('app').restartCount, 9);
  });

  it('and is healthy heals as fast beside a hundred crash loops as alone', async (test) => {
    const healMs = async (loops: number): Promise<number> => {
      const stage = await createStage(test);
      const host = await stage.start();
      stage.world.addImage('plain:1');
      stage.world.callMs = (method) => (method === 'startContainer' ? START_MS : 0);
      await stage.create('app', UNPROBED);
      await stage.reach('app', 'Ready');
      const names = Array.from({ length: loops }, (_, n) => `loop${n}`);
      for (const name of names)
        await stage.create(name, { ...UNPROBED, image: 'plain:1', env: { EXIT: '1' } });
      const restarts = (name: string) => host.registry.status.get(name)?.restartCount ?? 0;
      await host.until('all loop', () => names.every((name) => restarts(name) >= 2), 600_000);
      const samples: number[] = [];
      for (let sample = 0; sample < 5; sample++) {
        const container = stage.running('app');
        stage.world.end(container, 137);
        const endedMs = stage.clock.now();
        await host.until('it runs again', () => container.facts.state === 'running');
        samples.push(stage.clock.now() - endedMs);
        // As a program that has run for long: its next restart does not wait.
        await stage.edit('app', { restartedAt: String(sample) });
        await host.until(
          'it is another',
          () => stage.containers('app').length === 1 && stage.running('app') !== container,
        );
      }
      await host.kill();
      return Math.max(...samples);
    };
    const alone = await healMs(0);
    const beside = await healMs(100);
    assert.ok(beside <= 1.5 * alone, `${beside} ms beside a hundred, ${alone} ms alone`);
  });

  it('starts over with its waits after a run of ten minutes', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('app', UNPROBED);
    await stage.reach('app', 'Ready');
    assert.deepEqual(await waitsBetweenRuns(stage, 'app', 3), [0, 1_000, 2_000]);
    await stage.host.advance(10 * 60_000 - 1);
    assert.deepEqual(await waitsBetweenRuns(stage, 'app', 1), [4_000]);
    await stage.host.advance(10 * 60_000);
    assert.deepEqual(await waitsBetweenRuns(stage, 'app', 2), [0, 1_000]);
  });

  it('says in which loop it is: exit code, count, time of the next start, last lines', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { env: { EXIT: '3' } });
    const waits = (count: number) => () => {
      const { state, memory } = stage.status('app');
      return state === 'Error' && memory.starts.crashes?.count === count;
    };
    await host.until('it waits after the third crash', waits(3));
    const { reason, errorMsg, restartCount, memory, lastExit } = stage.status('app');
    assert.equal(reason, 'CrashLoopBackOff');
    assert.match(errorMsg, /3 times in a row \(exit code 3\)/);
    assert.match(errorMsg, new RegExp(memory.starts.crashes?.nextAt ?? 'no time'));
    assert.match(errorMsg, /exiting as told by EXIT/);
    assert.equal(restartCount, 2);
    assert.equal(lastExit?.exitCode, 3);
    const reasons = await stage.reasons('app');
    assert.equal(reasons.filter((one) => one === 'Restarted').length, 2);
    assert.equal(reasons.includes('Ready'), false, 'it never was');
  });

  it('is tried at once when its sources are mended, whatever the wait', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nENV EXIT=1\n');
    await host.until(
      'it waits long',
      () => (stage.status('app').memory.starts.crashes?.count ?? 0) >= 7,
      200_000,
    );
    await stage.write('sources/app/Dockerfile', 'FROM scratch\n');
    await stage.reach('app', 'Ready', 11_000);
    assert.equal(stage.status('app').memory.starts.crashes, undefined);
  });

  it('is tried at once when its spec is mended', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { env: { EXIT: '1' } });
    await host.until(
      'it waits long',
      () => (stage.status('app').memory.starts.crashes?.count ?? 0) >= 7,
      200_000,
    );
    await stage.replace('app', {});
    await stage.reach('app', 'Ready', 1_000);
  });

  it('can be stopped while it waits, and starts at once when that is asked for', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { env: { EXIT_AFTER_MS: '50' } });
    await host.until(
      'it waits long',
      () => (stage.status('app').memory.starts.crashes?.count ?? 0) >= 6,
      200_000,
    );
    await stage.edit('app', { desiredState: 'Stopped' });
    await host.advance(0);
    assert.equal(stage.status('app').state, 'Stopped');
    assert.equal(stage.status('app').reason, '');
    await host.advance(120_000);
    assert.equal(stage.status('app').state, 'Stopped');
    await stage.edit('app', { desiredState: 'Running' });
    await stage.reach('app', 'Running', 0);
  });

  it('under Never stays ended, also when host and engine start again', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('job', { restartPolicy: 'Never', env: { EXIT_AFTER_MS: '500' } });
    await stage.reach('job', 'Stopped');
    const { reason, errorMsg, restartCount } = stage.status('job');
    assert.equal(reason, 'Completed');
    assert.match(errorMsg, /exit code 1/);
    assert.equal(restartCount, 0);
    await stage.host.kill();
    const host = await stage.start();
    stage.world.goAway('end');
    await host.advance(1_000);
    stage.world.comeBack();
    await host.advance(120_000);
    assert.deepEqual(host.calls, []);
    assert.equal(stage.status('job').reason, 'Completed');
    await stage.edit('job', { restartedAt: '2026-11-22T10:00:00.000Z' });
    await stage.reach('job', 'Ready');
  });

  it('under OnFailure is started again after a failure and not after a success', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('job', { restartPolicy: 'OnFailure' });
    await stage.reach('job', 'Ready');
    stage.world.end(stage.running('job'), 1);
    await host.advance(0);
    assert.equal(stage.status('job').restartCount, 1);
    stage.world.end(stage.running('job'), 0);
    await stage.reach('job', 'Stopped');
    await host.advance(120_000);
    assert.equal(stage.status('job').state, 'Stopped');
    assert.equal(stage.status('job').reason, 'Completed');
    assert.equal(stage.status('job').errorMsg, '');
  });

  it('for want of memory, or by a signal, is told as such', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    stage.world.end(stage.running('app'), 139);
    await host.advance(0);
    assert.equal(stage.status('app').lastExit?.signal, 'SIGSEGV');
    stage.world.end(stage.running('app'), 137, true);
    await host.advance(0);
    assert.equal(stage.status('app').reason, 'CrashLoopBackOff');
    assert.match(stage.status('app').errorMsg, /out of memory/);
  });

  it('is made again when somebody removed it, and goes on when somebody paused it', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const engine = stage.running('app');
    engine.facts.state = 'paused';
    await host.until('it goes on', () => engine.facts.state === 'running', 10_000);
    assert.equal((await stage.reasons('app')).includes('Unpaused'), true);
    stage.world.containers.delete(engine.facts.id);
    stage.world.emit(engine, 'destroy');
    await host.until('another is there', () => stage.containers('app').length === 1);
    await stage.reach('app', 'Ready');
    assert.equal(stage.running('app').volume, engine.volume);
  });

  it('that hangs is ended soon by its liveness, whatever host has seen it answer', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    const liveness = { path: '/', periodSeconds: 5, failureThreshold: 3 };
    await stage.create('app', { liveness, progressDeadlineSeconds: 600 });
    await stage.reach('app', 'Ready');
    await stage.host.advance(60_000);
    await stage.host.kill();
    await stage.start();
    stage.running('app').listening = false;
    await stage.host.until('it is restarted', () => stage.status('app').restartCount === 1, 20_000);
  });

  it('is restarted when its liveness probe fails, and loses Ready when its readiness probe does', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    const probe = { path: '/', periodSeconds: 1, failureThreshold: 2 };
    await stage.create('app', { liveness: { ...probe, periodSeconds: 10 }, readiness: probe });
    await stage.reach('app', 'Ready');
    const container = stage.running('app');
    container.listening = false;
    await stage.reach('app', 'Running', 5_000);
    assert.equal((await stage.reasons('app')).at(-1), 'Unready');
    assert.equal(stage.status('app').restartCount, 0);
    container.listening = true;
    await stage.reach('app', 'Ready', 5_000);
    container.listening = false;
    await host.until('it was restarted', () => stage.status('app').restartCount === 1, 30_000);
    await stage.reach('app', 'Ready');
    assert.equal((await stage.reasons('app')).includes('Unhealthy'), true);
  });
});
