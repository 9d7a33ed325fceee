import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createStage } from './stage.ts';

describe('a container that belongs to no program', () => {
  it('is reported and left alone, until somebody prunes', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    for (const name of ['app', 'stray']) await stage.create(name);
    for (const name of ['app', 'stray']) await stage.reach(name, 'Ready');
    await stage.host.kill();
    await stage.remove('programs/stray.yaml');
    await stage.remove('status/stray.yaml');
    const host = await stage.start();
    await host.advance(60_000);
    stage.running('stray');
    assert.deepEqual(
      host.controller.health().strays.map(({ name }) => name),
      ['hersh-program-stray'],
    );
    const told = host.log.filter(({ message }) => message.includes('/registry/prune'));
    assert.equal(told.length, 1);
    assert.deepEqual(await host.programs.confirmPrune('programs'), []);
    assert.equal(stage.containers('stray').length, 1, 'it was not meant');
    assert.deepEqual(await host.programs.confirmPrune('strays'), ['hersh-program-stray']);
    assert.deepEqual(stage.containers('stray'), []);
    assert.deepEqual(host.controller.health().strays, []);
    stage.running('app');
  });

  it('is not one of another instance on the same engine', async (test) => {
    const stage = await createStage(test);
    await stage.start({ instance: 'other' });
    await stage.create('app');
    await stage.reach('app', 'Ready');
    assert.equal(stage.running('app').facts.name, 'other-hersh-program-app');
    await stage.host.kill();
    await stage.remove('programs/app.yaml');
    await stage.remove('status/app.yaml');
    const host = await stage.start({ instance: 'default' });
    await host.advance(30_000);
    assert.deepEqual(host.controller.health().strays, []);
    assert.deepEqual(await host.programs.confirmPrune(), []);
    stage.running('app');
  });
});
