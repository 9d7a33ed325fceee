import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parse, stringify } from 'yaml';
import { AppError } from '../../schemas/errors.ts';
import { createStage, type Stage } from './stage.ts';

const TAG = 'shop/app:1';
const SPEC = { image: TAG, progressDeadlineSeconds: 5 };

/** A program of a named image, which is ready; then another image has taken the name, and the old one has no other. */
async function moved(test: TestContext, env: Record<string, string> = {}) {
  const stage = await createStage(test);
  const { world } = stage;
  world.forgetsUntagged = true;
  const before = world.addImage(TAG).id;
  await stage.start();
  await stage.create('app', SPEC);
  await stage.reach('app', 'Ready');
  const after = world.addImage(TAG, { labels: { version: '2' }, env }).id;
  return { stage, before, after };
}

let restarts = 0;
const restart = (stage: Stage) => stage.edit('app', { restartedAt: `again-${++restarts}` });
const serves = (stage: Stage) => [stage.running('app').facts.imageId, stage.status('app').currentRevision];
const isServing = (stage: Stage, image: string, revision: number) =>
  stage.host.until(`revision ${revision} serves alone`, () => {
    const { state, currentRevision } = stage.status('app');
    const one = stage.containers('app')[0]?.facts;
    const isAlone = stage.containers('app').length === 1 && one?.imageId === image;
    return isAlone && state === 'Ready' && currentRevision === revision;
  });
const imageInManifest = (stage: Stage) =>
  parse(stage.host.programs.manifest('app')?.text ?? '').spec.image as string;
const conflict = (words: RegExp) => (error: unknown) =>
  error instanceof AppError && error.reason === 'Conflict' && words.test(error.message);

describe('an image by a name that moves', () => {
  it('is another revision after a restart, which is told', async (test) => {
    const { stage, before, after } = await moved(test);
    await stage.host.advance(120_000);
    assert.deepEqual(serves(stage), [before, 1], 'nothing is replaced for a name');
    await restart(stage);
    await isServing(stage, after, 2);
    const kept = await stage.host.programs.revisions('app');
    assert.deepEqual(
      kept.map(({ revision, image_id, outcome }) => [revision, image_id, outcome]),
      [
        [1, before, 'Ready'],
        [2, after, 'Ready'],
      ],
    );
    const told = (await stage.host.registry.events.list('app')).find(
      ({ reason }) => reason === 'ImageChanged',
    );
    assert.equal(told?.type, 'Normal');
    await restart(stage);
    await stage.host.advance(5_000);
    assert.deepEqual(serves(stage), [after, 2], 'a restart of the same is the same revision');
  });

  it('is the same after its container was removed, and after the engine and the host were away', async (test) => {
    const { stage, before } = await moved(test);
    stage.world.remove(stage.running('app'));
    await isServing(stage, before, 1);
    await stage.host.kill();
    stage.world.remove(stage.running('app'));
    await stage.start();
    await isServing(stage, before, 1);
    await stage.edit('app', { desiredState: 'Stopped' });
    await stage.reach('app', 'Stopped');
    for (const one of stage.containers('app')) stage.world.remove(one);
    await stage.edit('app', { desiredState: 'Running' });
    await isServing(stage, before, 1);
  });

  it('is gone back to by its id, and nothing is done where nothing would change', async (test) => {
    const { stage, before, after } = await moved(test);
    const { programs } = stage.host;
    await assert.rejects(programs.rollBack('app', 1), conflict(/nothing would change/));
    await restart(stage);
    await isServing(stage, after, 2);
    await assert.rejects(programs.rollBack('app', 2), conflict(/nothing would change/));
    assert.equal(await programs.rollBack('app', undefined), 1);
    assert.equal(imageInManifest(stage), before);
    await isServing(stage, before, 3);
    await assert.rejects(programs.rollBack('app', 3), conflict(/nothing would change/));
    assert.equal(await programs.rollBack('app', 2), 2);
    assert.equal(imageInManifest(stage), TAG, 'the name, where it is that image');
    await isServing(stage, after, 4);
  });

  it('is rolled back to what it was, though its container is gone, and only for a wish tried again', async (test) => {
    const { stage, before, after } = await moved(test, { LISTEN: '0' });
    await restart(stage);
    await stage.host.until('the bad one runs', () => stage.status('app').currentRevision === 2);
    for (const one of stage.containers('app')) if (one.facts.imageId === before) stage.world.remove(one);
    await isServing(stage, before, 1);
    assert.equal(stage.status('app').reason, 'RolledBack');
    await stage.host.advance(120_000);
    assert.deepEqual(serves(stage), [before, 1]);
    const { id } = stage.world.addImage(TAG, { labels: { version: '3' } });
    assert.equal(stage.world.images.has(after), true, 'revision 2 is kept');
    await restart(stage);
    await isServing(stage, id, 3);
    assert.equal(stage.status('app').reason, '');
  });

  it('that is gone is told with what takes its place, as the next revision', async (test) => {
    const { stage, before, after } = await moved(test);
    for (const name of stage.world.namesOf(before)) stage.world.tags.delete(name);
    stage.world.images.delete(before);
    stage.world.remove(stage.running('app'));
    await isServing(stage, after, 2);
    const events = await stage.host.registry.events.list('app');
    const told = events.filter(({ reason }) => reason === 'ImageChanged');
    assert.deepEqual(
      told.map(({ type }) => type),
      ['Warning'],
    );
    assert.match(told[0]?.message ?? '', /gone from the engine/);
    await assert.rejects(stage.host.programs.rollBack('app', 1), conflict(/image of revision 1 is gone/));
  });

  it('that is gone does not come back as another: what was asked for last goes on, and says why', async (test) => {
    const { stage, before, after } = await moved(test, { LISTEN: '0' });
    const { world } = stage;
    await restart(stage);
    await stage.host.until('the bad one runs', () => stage.status('app').currentRevision === 2);
    for (const one of stage.containers('app')) if (one.facts.imageId === before) world.remove(one);
    for (const name of world.namesOf(before)) world.tags.delete(name);
    world.images.delete(before);
    await stage.host.advance(180_000);
    assert.deepEqual(serves(stage), [after, 2]);
    const { state, errorMsg } = stage.status('app');
    assert.equal(state, 'Running');
    assert.match(
      errorMsg,
      /revision 1 can not come back: its image [0-9a-f]{12} is gone, and shop\/app:1 is another/,
    );
  });

  it('is not replaced for a ledger that does not know its id, and is noted and held from then on', async (test) => {
    const stage = await createStage(test);
    const { world } = stage;
    const { id } = world.addImage(TAG);
    await stage.start();
    await stage.create('app', SPEC);
    await stage.reach('app', 'Ready');
    await stage.host.close();
    const file = join(stage.root, 'status/app.yaml');
    const ledger = parse(await readFile(file, 'utf8'));
    const { memory } = ledger.status;
    assert.deepEqual([memory.program.newest.image, memory.rollout.good.image], [id, id]);
    delete memory.program.newest.image;
    delete memory.rollout.good.image;
    await writeFile(file, stringify(ledger));
    for (const name of world.namesOf(id)) if (name !== TAG) world.tags.delete(name);
    const made = stage.running('app').facts.id;
    const { collector } = (await stage.start()).controller;
    await stage.reach('app', 'Ready');
    assert.equal(stage.running('app').facts.id, made);
    await stage.host.advance(0);
    await collector.run();
    assert.equal(world.namesOf(id).length, 2);
    world.addImage(TAG, { labels: { version: '2' } });
    world.remove(stage.running('app'));
    await isServing(stage, id, 1);
  });

  it('is held as long as a revision needs it, and goes then where nobody else has a name for it', async (test) => {
    const { stage, before, after } = await moved(test);
    await restart(stage);
    await isServing(stage, after, 2);
    const { world } = stage;
    await stage.host.advance(3 * 3_600_000);
    assert.ok(world.images.has(before), 'it can be rolled back to');
    await stage.host.programs.remove('app');
    await stage.host.advance(3 * 3_600_000);
    assert.equal(world.images.has(before), false);
    assert.deepEqual(world.namesOf(after), [TAG], 'that of people stays');
  });
});
