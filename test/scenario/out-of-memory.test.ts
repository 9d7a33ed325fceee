import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createStage } from './stage.ts';

describe('want of memory', () => {
  it('of a child is told when it happens, once a minute at most, and not taken for the cause of a later end', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const told = async () =>
      (await host.registry.events.list('app')).filter(({ reason }) => reason === 'OutOfMemory');
    for (let child = 0; child < 3; child++) {
      stage.world.oom(stage.running('app'));
      await host.advance(2_000);
    }
    const [first, ...others] = await told();
    assert.equal(first?.type, 'Warning');
    assert.match(first?.message ?? '', /ran out of memory and was killed; the program itself goes on/);
    assert.equal(others.length, 0);
    assert.equal(stage.status('app').restartCount, 0);
    await host.advance(60_000);
    stage.world.oom(stage.running('app'));
    await host.advance(2_000);
    assert.equal((await told()).length, 2);
    const container = stage.running('app');
    await host.advance(10_000);
    stage.world.end(container, 3, 'child');
    await host.until('it runs again', () => stage.status('app').restartCount === 1);
    assert.equal(stage.status('app').lastExit?.oomKilled, false);
    const restarted = (await host.registry.events.list('app')).find(({ reason }) => reason === 'Restarted');
    assert.match(restarted?.message ?? '', /after exit code 3; a process of it had run out of memory at \d/);
  });

  it('that ends the program is told as its end, and as no event of its own', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    stage.world.end(stage.running('app'), 137, true);
    await host.until('it runs again', () => stage.status('app').restartCount === 1);
    await host.advance(5_000);
    const events = await host.registry.events.list('app');
    assert.ok(!events.some(({ reason }) => reason === 'OutOfMemory'));
    assert.match(events.find(({ reason }) => reason === 'Restarted')?.message ?? '', /after out of memory$/);
  });

  it('is told under Never too', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('job', { restartPolicy: 'Never' });
    await stage.reach('job', 'Ready');
    stage.world.end(stage.running('job'), 137, true);
    await host.until('it has ended', () => stage.status('job').reason === 'Completed');
    const words = 'it ended with exit code 137 (out of memory) and its restartPolicy is Never';
    assert.equal(stage.status('job').errorMsg, words);
  });
});
