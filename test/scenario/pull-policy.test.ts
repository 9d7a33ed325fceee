import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parse } from 'yaml';
import { LABELS } from '../../schemas/program.ts';
import { createStage, type Stage } from './stage.ts';

const NAME = 'registry.example/shop:1';
const SPEC = { image: NAME, pullPolicy: 'Always', progressDeadlineSeconds: 5 };

/** A program that is ready with build `a` of an image of which the registry has build `b` by now. */
async function moved(test: TestContext, spec: Record<string, unknown> = SPEC) {
  const stage = await createStage(test);
  const { world } = stage;
  world.remoteImages.add(NAME);
  world.remoteVersions.set(NAME, 'a');
  await stage.start();
  await stage.create('app', spec);
  await stage.reach('app', 'Ready');
  world.remoteVersions.set(NAME, 'b');
  return { stage, world, first: stage.running('app').facts.imageId };
}

let restarts = 0;
const restart = (stage: Stage) => stage.edit('app', { restartedAt: `again-${++restarts}` });
const serves = (stage: Stage, revision: number) =>
  stage.host.until(`revision ${revision} serves alone`, () => {
    const { state, currentRevision } = stage.status('app');
    return state === 'Ready' && currentRevision === revision && stage.containers('app').length === 1;
  });
const versionOf = (stage: Stage) =>
  stage.world.images.get(stage.running('app').facts.imageId)?.labels.version;
const warnings = async (stage: Stage, reason: string) =>
  (await stage.host.registry.events.list('app')).filter((one) => one.reason === reason);

describe('pullPolicy: Always', () => {
  it('pulls once for a new revision and once at a restart, and the other image is the next one', async (test) => {
    const { stage, world, first } = await moved(test);
    assert.equal(world.pulls.length, 1);
    await restart(stage);
    await serves(stage, 2);
    assert.equal(versionOf(stage), 'b');
    assert.equal(world.pulls.length, 2);
    await restart(stage);
    await stage.host.advance(5_000);
    await serves(stage, 2);
    assert.equal(world.pulls.length, 3, 'and the same image is the same revision');
    world.remoteVersions.set(NAME, 'c');
    await stage.edit('app', { runtime: 'runsc' });
    await serves(stage, 3);
    assert.deepEqual([versionOf(stage), world.pulls.length], ['c', 4]);
    assert.notEqual(stage.running('app').facts.imageId, first);
  });

  it('pulls nothing before a heal, whatever is healed, nor for a host that starts anew', async (test) => {
    const { stage, world, first } = await moved(test);
    const isHealed = async (id: string) => {
      await stage.host.advance(120_000);
      await stage.reach('app', 'Ready');
      assert.deepEqual([stage.running('app').facts.imageId, world.pulls.length], [first, 1]);
      return id;
    };
    world.end(stage.running('app'), 1);
    await isHealed('a crash');
    await world.remove(stage.running('app'));
    await isHealed('a removed container');
    await stage.host.kill();
    await world.remove(stage.running('app'));
    await stage.start();
    await isHealed('what was removed while no host ran');
    await stage.edit('app', { desiredState: 'Stopped' });
    await stage.reach('app', 'Stopped');
    await stage.edit('app', { desiredState: 'Running' });
    await isHealed('a stop and a start');
  });

  it('of what never got ready pulls for no heal either', async (test) => {
    const { stage, world } = await moved(test);
    await stage.replace('app', { ...SPEC, env: { LISTEN: '0' } });
    await stage.host.until('it is made', () => stage.status('app').currentRevision === 2);
    assert.equal(world.pulls.length, 2);
    for (const one of stage.containers('app')) await world.remove(one);
    await stage.host.advance(120_000);
    await stage.reach('app', 'Ready');
    assert.deepEqual([stage.status('app').reason, world.pulls.length], ['RolledBack', 2]);
  });

  it('keeps the image there is where the pull fails, which is told, once', async (test) => {
    const { stage, world, first } = await moved(test);
    world.networkDown = true;
    await restart(stage);
    await stage.host.advance(120_000);
    await serves(stage, 1);
    assert.equal(stage.running('app').facts.imageId, first);
    const told = await warnings(stage, 'PullFailed');
    assert.deepEqual([told.length, told[0]?.type, world.pulls.length], [1, 'Warning', 2]);
    assert.match(told[0]?.message ?? '', /could not be pulled.*the image that is here is used/);
    assert.deepEqual([stage.status('app').reason, stage.status('app').errorMsg], ['', '']);
    world.networkDown = false;
    await restart(stage);
    await serves(stage, 2);
  });

  it('waits for a pull where there is no image, with the tries that any pull has', async (test) => {
    const stage = await createStage(test);
    stage.world.networkDown = true;
    await stage.start();
    await stage.create('app', SPEC);
    assert.equal((await stage.reach('app', 'Error')).reason, 'ImageNotFound');
    await stage.host.advance(120_000);
    assert.deepEqual([stage.world.pulls.length, (await warnings(stage, 'PullFailed')).length], [3, 0]);
  });

  it('heals what serves while the pull for a restart is under way', async (test) => {
    const { stage, world } = await moved(test);
    world.callMs = (method) => (method === 'pull' ? 60_000 : 0);
    await restart(stage);
    await stage.host.advance(1_000);
    world.end(stage.running('app'), 1);
    await stage.host.advance(10_000);
    assert.deepEqual([versionOf(stage), world.pulls.length], ['a', 1], 'it is not pulled yet');
    await serves(stage, 2);
    assert.equal(world.pulls.length, 2);
  });

  it('is gone back from by id, since the name would be pulled', async (test) => {
    const { stage, world, first } = await moved(test);
    await restart(stage);
    await serves(stage, 2);
    world.moveTag(NAME, first);
    await stage.host.programs.rollBack('app', 1);
    await serves(stage, 3);
    const { image } = parse(stage.host.programs.manifest('app')?.text ?? '').spec;
    assert.deepEqual([image, stage.running('app').facts.imageId, world.pulls.length], [first, first, 2]);
  });

  it('costs what runs nothing when it comes, nor what a host made that knew no policy', async (test) => {
    const { stage, world } = await moved(test, { image: NAME, progressDeadlineSeconds: 5 });
    const { id, labels } = stage.running('app').facts;
    // As test/schemas/pull-policy.test.ts has it of such a host: what that made is what is wanted.
    assert.equal(labels[LABELS.specHash], 'v1:21cdc12395f0f694f19786c7c1f8a270');
    await stage.host.close();
    await stage.start();
    await stage.host.advance(120_000);
    assert.deepEqual([stage.running('app').facts.id, world.pulls.length], [id, 1]);
    await stage.edit('app', { pullPolicy: 'Always' });
    await stage.host.advance(120_000);
    assert.deepEqual([stage.running('app').facts.id, world.pulls.length], [id, 1]);
    await restart(stage);
    await serves(stage, 2);
    await stage.edit('app', { pullPolicy: 'IfNotPresent' });
    world.remoteVersions.set(NAME, 'c');
    await restart(stage);
    await stage.host.advance(10_000);
    assert.deepEqual([versionOf(stage), world.pulls.length], ['b', 2], 'as it was before there was a policy');
  });
});
