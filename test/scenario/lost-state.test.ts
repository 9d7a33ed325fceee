import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createStage, type Stage } from './stage.ts';

/** What `docker system prune --volumes` does to a program that is stopped: container and volume go. */
async function prune(stage: Stage): Promise<string> {
  for (const one of stage.containers('app')) await stage.world.remove(one);
  const [volume = ''] = stage.world.volumes.keys();
  stage.world.volumes.delete(volume);
  return volume;
}

const told = async (stage: Stage) =>
  (await stage.host.registry.events.list('app')).filter(({ reason }) => reason === 'StateLost');

const condition = (stage: Stage) => stage.status('app').conditions.find(({ type }) => type === 'StateLost');

describe('/state of a program that somebody removed', () => {
  it('is made anew and told once: by an event, and a condition until something else is wanted', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    assert.deepEqual(await told(stage), [], 'not of the first one');
    await stage.edit('app', { desiredState: 'Stopped' });
    await stage.reach('app', 'Stopped');
    const volume = await prune(stage);
    await host.advance(20_000);
    await stage.edit('app', { desiredState: 'Running' });
    await stage.reach('app', 'Ready');
    const [event, ...others] = await told(stage);
    assert.deepEqual([event?.type, others], ['Warning', []]);
    assert.ok(event?.message.startsWith(`volume ${volume}, which is /state, was gone and is made anew`));
    assert.ok(stage.world.volumes.has(volume));
    assert.equal(condition(stage)?.status, 'True');

    await host.kill();
    await stage.start();
    await stage.host.advance(70_000);
    assert.equal(condition(stage)?.status, 'True', 'also by the next host');
    assert.equal((await told(stage)).length, 1);
    await stage.replace('app', { env: { NEW: '1' } });
    await stage.host.until('another serves', () => stage.status('app').currentRevision === 2);
    assert.equal(condition(stage), undefined);
  });

  it('is told once, however often its container can not be made', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await host.kill();
    stage.world.end(stage.running('app'), 137);
    await prune(stage);
    stage.world.fault = (method) => (method === 'createContainer' ? 'refuse' : 'none');
    await stage.start();
    await stage.host.advance(120_000);
    assert.equal((await told(stage)).length, 1);
  });
});
