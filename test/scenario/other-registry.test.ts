import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LABELS } from '../../schemas/program.ts';
import type { SimHost } from '../sim/host.ts';
import { createStage, type Stage } from './stage.ts';

const HOUR_MS = 3_600_000;

/** A host of another registry on the same engine, under the same instance name: the first host has ended. */
async function beside(test: Parameters<typeof createStage>[0], { world, clock }: Stage): Promise<Stage> {
  const other = await createStage(test, { world, clock });
  await other.start();
  return other;
}

async function serving(test: Parameters<typeof createStage>[0]): Promise<Stage> {
  const stage = await createStage(test);
  await stage.start();
  await stage.create('app');
  await stage.reach('app', 'Ready');
  return stage;
}

const objects = ({ world }: Stage): string =>
  JSON.stringify([
    [...world.containers.values()].map(({ facts }) => [facts.id, facts.name, facts.startedAtMs]),
    [...world.volumes],
    [...world.images.values()].map(({ id, claims }) => [id, [...claims]]),
    [...world.tags],
  ]);

const strays = (host: SimHost) => host.controller.health().strays.map(({ name }) => name);

describe('another registry on the same engine, under the same instance name', () => {
  it('is told of no strays, prunes nothing and collects nothing of the first one', async (test) => {
    const stage = await serving(test);
    await stage.host.close();
    const before = objects(stage);
    const other = await beside(test, stage);
    await other.host.advance(HOUR_MS);
    assert.deepEqual(other.host.calls, []);
    await other.host.close();
    // Longer than anything is kept that nothing refers to; to go through it second by second takes minutes.
    await stage.clock.advance(8 * 24 * HOUR_MS);
    await other.start();
    await other.host.advance(HOUR_MS);
    assert.deepEqual(strays(other.host), []);
    assert.deepEqual(await other.host.programs.confirmPrune(), []);
    assert.equal(objects(stage), before);
    assert.deepEqual(other.host.calls, []);
    await other.host.close();
    await stage.start();
    await stage.host.advance(11_000);
    assert.equal(stage.status('app').state, 'Ready');
    assert.deepEqual(stage.host.calls, []);
  });

  it('fights over no name: it says whose that is, and touches nothing of it', async (test) => {
    const stage = await serving(test);
    const { id } = stage.running('app').facts;
    await stage.host.close();
    const other = await beside(test, stage);
    await other.create('app');
    await other.reach('app', 'Error', 120_000);
    const { reason, errorMsg } = other.status('app');
    assert.equal(reason, 'StartFailed');
    assert.ok(
      errorMsg.includes(`the registry ${stage.running('app').facts.labels[LABELS.registry]}`),
      errorMsg,
    );
    assert.ok(errorMsg.includes(stage.root), errorMsg);
    assert.equal(stage.running('app').facts.id, id);
    assert.ok(stage.world.volumes.size === 1);
  });
});

describe('objects of an older host, which bear no id', () => {
  it('are adopted as they run, with their volume: an upgrade restarts nothing', async (test) => {
    const stage = await serving(test);
    await stage.host.kill();
    const before = stage.running('app');
    for (const { facts } of [before])
      for (const key of [LABELS.registry, LABELS.registryPath]) delete facts.labels[key];
    for (const { labels } of stage.world.volumes.values())
      for (const key of [LABELS.registry, LABELS.registryPath]) delete labels[key];
    await rm(join(stage.root, 'data', 'registry-id'));
    await stage.start();
    await stage.host.advance(70_000);
    assert.equal(stage.status('app').state, 'Ready');
    assert.equal(stage.running('app'), before);
    assert.deepEqual(stage.host.calls, []);
    await stage.replace('app', { env: { NEW: '1' } });
    await stage.host.until('another serves', () => stage.status('app').currentRevision === 2);
    assert.match(stage.running('app').facts.labels[LABELS.registry] ?? '', /^[0-9a-f]{12}$/);
    assert.equal(stage.running('app').volume, before.volume);
  });
});

describe('a registry whose data/ was lost', () => {
  for (const lost of [['data'], ['data', 'status']])
    it(`finds what is its own again (${lost.join(' and ')})`, async (test) => {
      const stage = await serving(test);
      const before = stage.running('app');
      await stage.host.kill();
      for (const folder of lost) await stage.remove(folder);
      await stage.start();
      await stage.host.advance(70_000);
      assert.equal(stage.status('app').state, 'Ready');
      assert.equal(stage.running('app'), before);
      assert.deepEqual(stage.host.calls, []);
    });

  it('finds it also where its manifests were restored at another place', async (test) => {
    const stage = await serving(test);
    const before = stage.running('app');
    await stage.host.kill();
    const other = await createStage(test, stage);
    for (const folder of ['programs', 'sources'])
      await cp(join(stage.root, folder), join(other.root, folder), { recursive: true });
    await rm(stage.root, { recursive: true });
    await other.start();
    await other.host.advance(70_000);
    assert.equal(other.status('app').state, 'Ready');
    assert.equal(other.running('app'), before);
  });

  it('gets it after the engine was away at the start', async (test) => {
    const stage = await serving(test);
    const before = stage.running('app');
    await stage.host.kill();
    await stage.remove('data');
    stage.world.goAway('keep');
    await stage.start();
    await stage.host.advance(30_000);
    stage.world.comeBack();
    await stage.host.advance(70_000);
    assert.equal(stage.running('app'), before);
    assert.equal(stage.status('app').state, 'Ready');
  });
});
