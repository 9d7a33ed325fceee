import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CreateContainer } from '../../controller/engine/engine.ts';
import { rejects } from '../engine/contract-kit.ts';
import { createSimEngine } from './engine.ts';
import { createSimWorld } from './engine-world.ts';
import { createManualClock, settle } from './manual-clock.ts';

const request: CreateContainer = {
  program: 'p',
  name: 'p',
  image: '',
  labels: {},
  env: {},
  publishPort: 19001,
  runtime: 'runc',
  memoryBytes: 1,
  cpus: 1,
  pids: 1,
  volume: 'v',
  volumeLabels: {},
};

function start() {
  const clock = createManualClock();
  const world = createSimWorld(clock);
  const image = world.addImage('test').id;
  const engine = createSimEngine({ world, instance: 'one' });
  return { clock, world, engine, ask: { ...request, image } };
}

describe('the accidents a simulated engine can have', () => {
  it('loses and doubles events', async () => {
    const { world, engine, ask } = start();
    const seen: string[] = [];
    engine.watch(
      (event) => seen.push(event.action),
      () => {},
      () => {},
    );
    world.eventFate = ({ action }) => (action === 'create' ? 'lose' : 'double');
    await engine.startContainer(await engine.createContainer(ask));
    await settle();
    assert.deepEqual(seen, ['start', 'start']);
  });

  it('goes away, with or without what runs, and comes back', async () => {
    const { world, engine, ask } = start();
    const seen: string[] = [];
    engine.watch(
      () => {},
      () => seen.push('connect'),
      () => seen.push('disconnect'),
    );
    await settle();
    const id = await engine.createContainer(ask);
    await engine.startContainer(id);
    world.goAway('keep');
    await rejects(engine.listContainers(), 'EngineUnavailable');
    world.comeBack();
    assert.equal((await engine.inspectContainer(id))?.state, 'running');
    world.goAway('end');
    world.comeBack();
    assert.equal((await engine.inspectContainer(id))?.exitCode, 0, 'it obeys');
    assert.deepEqual(seen, ['connect', 'disconnect', 'connect', 'disconnect', 'connect']);
  });

  it('fails a call before it acts, or loses only its answer', async () => {
    const { world, engine, ask } = start();
    world.fault = () => 'before';
    await rejects(engine.createContainer(ask), 'EngineUnavailable');
    assert.equal(world.containers.size, 0);
    world.fault = () => 'after';
    await rejects(engine.createContainer(ask), 'EngineUnavailable');
    assert.equal(world.containers.size, 1);
  });

  it('lets programs listen late, exit later, run out of memory and answer as told', async () => {
    const { clock, world, engine, ask } = start();
    const id = await engine.createContainer({
      ...ask,
      env: { LISTEN_AFTER_MS: '100', EXIT_AFTER_MS: '500', STATUS: '503' },
    });
    await engine.startContainer(id);
    assert.equal(world.answer(19001), undefined);
    await clock.advance(100);
    assert.equal(world.answer(19001), 503);
    await clock.advance(400);
    assert.equal((await engine.inspectContainer(id))?.exitCode, 1);
    await engine.startContainer(id);
    const container = world.containers.get(id);
    assert.ok(container);
    world.end(container, 137, true);
    assert.equal((await engine.inspectContainer(id))?.oomKilled, true);
    await clock.advance(10_000);
    assert.equal((await engine.inspectContainer(id))?.exitCode, 137, 'timers of an earlier run are gone');
  });

  it('takes the time it is told to', async () => {
    const { clock, world, engine } = start();
    world.callMs = () => 250;
    let done = false;
    void engine.ping().then(() => {
      done = true;
    });
    await clock.advance(249);
    assert.equal(done, false);
    await clock.advance(1);
    assert.equal(done, true);
  });
});
