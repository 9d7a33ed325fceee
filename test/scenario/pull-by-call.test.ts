import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createPullImage } from '../../controller/serve/pull-image.ts';
import { AppError, type Reason } from '../../schemas/errors.ts';
import { createStage } from './stage.ts';

const NAME = 'registry.example/shop:1';

async function ready(test: TestContext) {
  const stage = await createStage(test);
  stage.world.remoteImages.add(NAME);
  stage.world.remoteVersions.set(NAME, 'a');
  await stage.start();
  const { registry, controller, programs } = stage.host;
  const mustGet = (name: string) => {
    const view = programs.get(name);
    assert.ok(view);
    return view;
  };
  const deps = { registry, tell: controller.tell, pullNow: controller.images.pullNow };
  await stage.create('app', { image: NAME });
  await stage.reach('app', 'Ready');
  return { stage, pull: createPullImage(deps, { mustGet }) };
}

const refused = (reason: Reason, words: RegExp) => (error: unknown) =>
  error instanceof AppError && error.reason === reason && words.test(error.message);

describe('a pull that is asked for', () => {
  it('tells whether the name is another image now, and changes nothing by itself', async (test) => {
    const { stage, pull } = await ready(test);
    const { imageId, id } = stage.running('app').facts;
    assert.deepEqual(await pull('app'), { imageId, changed: false });
    stage.world.remoteVersions.set(NAME, 'b');
    const other = await pull('app');
    assert.equal(other.changed, true);
    await stage.host.advance(120_000);
    assert.equal(stage.running('app').facts.id, id, 'the restart that follows is a wish of its own');
    await stage.edit('app', { restartedAt: 'again' });
    await stage.host.until('it is made', () => stage.status('app').currentRevision === 2);
    assert.equal(stage.running('app').facts.imageId, other.imageId);
    assert.deepEqual(await pull('app'), { imageId: other.imageId, changed: false });
    const told = (await stage.reasons('app')).filter((reason) => reason === 'Pulled');
    assert.equal(told.length, 3);
  });

  it('that fails is told, and leaves what is there', async (test) => {
    const { stage, pull } = await ready(test);
    const { id } = stage.running('app').facts;
    stage.world.networkDown = true;
    await assert.rejects(pull('app'), refused('ImageNotFound', /could not be pulled/));
    await stage.reach('app', 'Ready');
    assert.equal(stage.running('app').facts.id, id);
    assert.ok((await stage.reasons('app')).includes('PullFailed'));
    stage.world.networkDown = false;
    await stage.replace('app', { image: stage.running('app').facts.imageId });
    await assert.rejects(pull('app'), refused('Conflict', /by its id/));
    await stage.replace('app', {});
    await assert.rejects(pull('app'), refused('Conflict', /names no image/));
  });

  it('of a program that is stopped is what its next start has', async (test) => {
    const { stage, pull } = await ready(test);
    await stage.edit('app', { desiredState: 'Stopped' });
    await stage.reach('app', 'Stopped');
    stage.world.remoteVersions.set(NAME, 'b');
    const { imageId, changed } = await pull('app');
    assert.equal(changed, true);
    await stage.edit('app', { restartedAt: 'again' });
    await stage.host.advance(10_000);
    assert.equal(stage.status('app').state, 'Stopped');
    await stage.edit('app', { desiredState: 'Running' });
    await stage.reach('app', 'Ready');
    assert.equal(stage.running('app').facts.imageId, imageId);
  });
});
