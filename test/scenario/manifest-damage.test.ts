import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createStage, manifest } from './stage.ts';

describe('a manifest', () => {
  it('that is broken changes nothing that runs, says where, and is taken up when it is mended', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { env: { N: '1' } });
    await stage.reach('app', 'Ready');
    const container = stage.running('app');
    const broken = manifest('app', { env: { N: '2' }, publishPort: 'many' });
    const line = broken.split('\n').findIndex((text) => text.includes('publishPort')) + 1;
    await stage.write('programs/app.yaml', broken);
    await host.advance(11_000);
    const { state, reason, errorMsg, conditions, observedGeneration } = stage.status('app');
    assert.equal(state, 'Ready');
    assert.equal(reason, 'InvalidManifest');
    assert.match(errorMsg, new RegExp(`^programs/app\\.yaml:${line}:\\d+: .*publishPort`));
    const valid = conditions.find(({ type }) => type === 'Valid');
    assert.deepEqual([valid?.status, valid?.reason], ['False', 'InvalidManifest']);
    assert.equal(observedGeneration, 1);
    assert.equal(stage.running('app'), container);
    stage.world.end(container, 1);
    await host.advance(1_000);
    assert.equal(stage.running('app'), container, 'the last valid spec is kept up');
    await host.kill();
    await stage.start();
    await stage.host.advance(11_000);
    assert.equal(stage.running('app'), container, 'by the next host as well');
    await stage.write('programs/app.yaml', manifest('app', { env: { N: '3' } }));
    await stage.host.until('the mended one serves', () => stage.status('app').currentRevision === 2);
    await stage.host.until('it is ready', () => stage.status('app').reason === '');
    assert.equal(stage.running('app').env.N, '3');
  });

  it('that was never valid is an Error, with nothing made for it', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.write('programs/app.yaml', manifest('app', { nonsense: true }));
    const { reason, errorMsg, publishPort } = await stage.reach('app', 'Error', 11_000);
    assert.equal(reason, 'InvalidManifest');
    assert.match(errorMsg, /nonsense/);
    assert.equal(publishPort, 0);
    assert.deepEqual(host.calls, []);
    await stage.remove('programs/app.yaml');
    await host.until('it is forgotten', () => host.registry.status.names().length === 0);
  });

  it('that is gone means that the program goes, once it has been gone for a while', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await stage.remove('programs/app.yaml');
    await host.registry.look();
    await host.advance(400);
    stage.running('app');
    const { status, reason } = stage.status('app').conditions.find(({ type }) => type === 'Valid') ?? {};
    assert.deepEqual([status, reason], ['Unknown', 'ManifestMissing']);
    await host.advance(200);
    assert.deepEqual(stage.containers('app'), []);
    assert.equal(host.registry.status.get('app'), undefined);
  });

  it('that is gone and comes back in time costs nothing', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    const before = await stage.reach('app', 'Ready');
    host.calls.length = 0;
    await stage.remove('programs/app.yaml');
    await host.registry.look();
    await host.advance(300);
    await stage.write('programs/app.yaml', manifest('app'));
    await host.registry.look();
    await host.advance(30_000);
    assert.deepEqual(host.calls, []);
    assert.equal(stage.status('app').containerId, before.containerId);
    assert.equal(stage.status('app').observedGeneration, 1);
    assert.equal(stage.status('app').conditions.find(({ type }) => type === 'Valid')?.status, 'True');
  });

  it('gone together with all others keeps everything running until that is confirmed', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    for (const name of ['one', 'two']) await stage.create(name);
    for (const name of ['one', 'two']) await stage.reach(name, 'Ready');
    for (const name of ['one', 'two']) await stage.remove(`programs/${name}.yaml`);
    await host.advance(60_000);
    for (const name of ['one', 'two']) stage.running(name);
    assert.deepEqual(host.registry.health().paused, ['one', 'two']);
    assert.deepEqual(
      host.programs.list().map(({ name }) => name),
      ['one', 'two'],
    );
    stage.world.end(stage.running('one'), 1);
    await host.advance(1_000);
    stage.running('one');
    await host.kill();
    const next = await stage.start();
    await next.advance(60_000);
    for (const name of ['one', 'two']) stage.running(name);
    assert.deepEqual(await next.programs.confirmPrune(), ['one', 'two']);
    await next.advance(1_000);
    assert.equal(stage.world.containers.size, 0);
    assert.deepEqual(next.registry.status.names(), []);
  });

  it('whose name differs by case only from one in force stays refused, whatever comes and goes', async (test) => {
    const stage = await createStage(test);
    let host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await stage.write('programs/APP.yaml', manifest('APP', { image: 'plain:1' }));
    await host.until('it is refused', () => host.registry.status.get('APP')?.reason === 'InvalidManifest');
    const stillIs = () => {
      assert.deepEqual(stage.containers('APP'), []);
      assert.equal(stage.status('APP').reason, 'InvalidManifest');
      assert.deepEqual([stage.status('app').state, stage.status('app').reason], ['Ready', '']);
    };
    await host.kill();
    host = await stage.start();
    await host.advance(12_000);
    stillIs();
    await rename(join(stage.root, 'programs'), join(stage.root, 'away'));
    await host.advance(12_000);
    await rename(join(stage.root, 'away'), join(stage.root, 'programs'));
    await host.advance(12_000);
    stillIs();
  });

  it('that is away with all sources stops nothing, and says nothing against the sources', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    const before = await stage.reach('app', 'Ready');
    for (const folder of ['programs', 'sources'])
      await rename(join(stage.root, folder), join(stage.root, `${folder}-away`));
    await host.advance(60_000);
    const { state, reason } = stage.status('app');
    assert.deepEqual([state, reason], ['Ready', '']);
    assert.equal(stage.running('app').facts.id, before.containerId);
    await host.kill();
    await stage.start();
    await stage.host.advance(60_000);
    assert.doesNotMatch(JSON.stringify(stage.status('app')), /BuildFailed/);
    assert.equal(stage.running('app').facts.id, before.containerId);
    for (const folder of ['programs', 'sources'])
      await rename(join(stage.root, `${folder}-away`), join(stage.root, folder));
    await stage.host.until('all is well', () => stage.status('app').reason === '', 30_000);
    await stage.host.advance(60_000);
    assert.equal(stage.running('app').facts.id, before.containerId);
    assert.doesNotMatch((await stage.reasons('app')).join(), /BuildFailed/);
  });

  it('folder that is gone stops nothing, and its return is noticed', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await stage.remove('programs');
    await host.advance(60_000);
    stage.running('app');
    assert.match(host.registry.health().message, /programs\//);
    await stage.write('programs/app.yaml', manifest('app', { env: { BACK: '1' } }));
    await host.until('it is taken up', () => stage.status('app').currentRevision === 2);
    assert.equal(host.registry.health().message, '');
  });
});
