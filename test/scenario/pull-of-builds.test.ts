import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createStage, type Stage } from './stage.ts';

const BASE = 'registry.example/base:1';
const ALWAYS = { build: { context: 'sources/shop' }, pullPolicy: 'Always', progressDeadlineSeconds: 60 };

/** A program that is ready, built on a base image that is on the machine and at its registry. */
async function ready(test: TestContext, spec: Record<string, unknown> = ALWAYS): Promise<Stage> {
  const stage = await createStage(test);
  stage.world.addImage(BASE);
  stage.world.remoteImages.add(BASE);
  await stage.start();
  await stage.write('sources/shop/Dockerfile', `FROM ${BASE}\n`);
  await stage.create('app', spec);
  await stage.reach('app', 'Ready');
  return stage;
}

/** Somebody removes what there is of the program, and what it was built to. */
async function lose({ world, containers }: Stage): Promise<void> {
  const lost = containers('app');
  assert.notEqual(lost.length, 0);
  for (const one of lost) {
    await world.remove(one);
    for (const tag of world.namesOf(one.facts.imageId)) world.tags.delete(tag);
    world.images.delete(one.facts.imageId);
  }
}

const serves = (stage: Stage, revision: number, reason = '') =>
  stage.host.until(`revision ${revision} serves`, () => {
    const { state, currentRevision, reason: why } = stage.status('app');
    return state === 'Ready' && currentRevision === revision && why === reason;
  });

describe('pullPolicy: Always of a build', () => {
  it('asks for base images when something new is built, and at no heal', async (test) => {
    const stage = await ready(test);
    const { world, host } = stage;
    assert.deepEqual(world.pulls, [BASE]);
    world.networkDown = true;
    await lose(stage);
    await host.until('it is built again', () => world.images.size === 2, 60_000);
    await serves(stage, 1);
    assert.deepEqual([world.pulls.length, stage.containers('app').length], [1, 1]);
    world.networkDown = false;
    await stage.write('sources/shop/new', '');
    await serves(stage, 2);
    assert.equal(world.pulls.length, 2);
  });

  it('nor where it never got ready, nor where the good revision comes back', async (test) => {
    const stage = await ready(test);
    const { world, host } = stage;
    await stage.replace('app', { ...ALWAYS, env: { LISTEN: '0' } });
    await host.until('it is made', () => stage.containers('app').some(({ env }) => env.LISTEN === '0'));
    world.networkDown = true;
    await lose(stage);
    await host.until('it is healed', () => stage.containers('app').length > 0);
    assert.deepEqual([world.pulls.length, stage.status('app').currentRevision], [1, 2]);
    await host.until('it was rolled back', () => stage.status('app').memory.rollout.verdict === 'bad');
    await lose(stage);
    await serves(stage, 1, 'RolledBack');
    assert.equal(world.pulls.length, 1);
  });
});

/** A build whose base image its registry does not give, nor has the machine it. */
async function refused(test: TestContext): Promise<Stage> {
  const stage = await createStage(test);
  await stage.start();
  await stage.write('sources/shop/Dockerfile', `FROM ${BASE}\n`);
  return stage;
}

describe('a build that failed for good', () => {
  it('is tried again for another user, who may have another login', async (test) => {
    const stage = await refused(test);
    await stage.create('app', ALWAYS);
    await stage.reach('app', 'Error');
    stage.world.remoteImages.add(BASE);
    await stage.replace('app', { ...ALWAYS, env: { A: '1' } });
    await stage.host.advance(120_000);
    assert.equal(stage.status('app').reason, 'BuildFailed', 'the same again would fail again');
    await stage.edit('app', { userId: 'you' });
    await stage.reach('app', 'Ready');
  });

  it('is no word on that of another user, which was wanted while it ran', async (test) => {
    const stage = await refused(test);
    const { world, host } = stage;
    world.callMs = (method) => (method === 'build' ? 30_000 : 0);
    await stage.create('app', ALWAYS);
    await host.advance(10_000);
    assert.equal(stage.status('app').state, 'Building');
    await stage.edit('app', { userId: 'you' });
    await host.advance(25_000);
    world.remoteImages.add(BASE);
    await stage.reach('app', 'Ready');
    assert.equal((await stage.reasons('app')).includes('BuildFailed'), false);
  });

  it('is tried again under another pullPolicy, where the base is on this machine alone', async (test) => {
    const stage = await refused(test);
    stage.world.addImage(BASE);
    await stage.create('app', ALWAYS);
    assert.equal((await stage.reach('app', 'Error')).reason, 'BuildFailed');
    await stage.edit('app', { pullPolicy: 'IfNotPresent' });
    await stage.reach('app', 'Ready');
  });
});
