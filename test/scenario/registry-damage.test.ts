import assert from 'node:assert/strict';
import { readFile, rename, writeFile } from 'node:fs/promises';
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
    assert.deepEqual(await host.programs.confirmPrune(), ['hersh-program-stray']);
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

describe('a status file that is damaged or gone', () => {
  for (const damage of ['gone', 'damaged', 'empty'] as const) {
    it(`${damage}: is rebuilt from the container, which is adopted with its port`, async (test) => {
      const stage = await createStage(test);
      await stage.start();
      await stage.create('first', { desiredState: 'Stopped' });
      await stage.create('app');
      await stage.replace('app', { env: { N: '2' } });
      const before = await stage.reach('app', 'Ready');
      assert.notEqual(before.publishPort, 19001);
      await stage.host.kill();
      if (damage === 'gone') await stage.remove('status/app.yaml');
      else await stage.write('status/app.yaml', damage === 'empty' ? '' : 'status: {{{');
      await stage.remove('status/first.yaml');
      const host = await stage.start();
      await host.until('it is ready', () => host.registry.status.get('app')?.state === 'Ready');
      await host.advance(20_000);
      const after = stage.status('app');
      assert.equal(after.containerId, before.containerId);
      assert.equal(after.publishPort, before.publishPort);
      assert.equal(after.currentRevision, before.currentRevision);
      assert.equal(after.buildId, before.buildId);
      assert.equal(stage.running('app').facts.publishPort, before.publishPort);
      assert.deepEqual(host.calls, []);
      assert.deepEqual([...host.registry.status.damaged().keys()], []);
    });
  }

  it('keeps the port, the data and Stopped of a program that is stopped', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('first', { desiredState: 'Stopped' });
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const { volume } = stage.running('app');
    await stage.edit('app', { desiredState: 'Stopped' });
    const before = await stage.reach('app', 'Stopped');
    await stage.host.kill();
    for (const name of ['app', 'first']) await stage.remove(`status/${name}.yaml`);
    const host = await stage.start();
    await host.advance(0);
    assert.equal(stage.status('app').state, 'Stopped');
    assert.equal(stage.status('app').publishPort, before.publishPort);
    assert.notEqual(stage.status('first').publishPort, before.publishPort);
    await stage.edit('app', { desiredState: 'Running' });
    await stage.reach('app', 'Ready');
    assert.equal(stage.running('app').volume, volume);
    assert.equal(stage.running('app').facts.publishPort, before.publishPort);
  });

  it('older than the history: a revision that is kept is made again, and not written anew', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await host.advance(1_000);
    const older = await readFile(join(stage.root, 'status/app.yaml'), 'utf8');
    await stage.replace('app', { env: { N: '2' } });
    await host.until('the second serves', () => stage.status('app').currentRevision === 2);
    await stage.reach('app', 'Ready');
    await host.advance(1_000);
    const before = await host.registry.revisions.get('app', 2);
    assert.equal(before?.outcome, 'Ready');
    await host.kill();
    await stage.write('status/app.yaml', older);
    stage.world.containers.clear();
    await stage.start();
    await stage.host.until('it serves again', () => stage.containers('app').length === 1);
    await stage.reach('app', 'Ready');
    assert.equal(stage.status('app').currentRevision, 2);
    assert.deepEqual(await stage.host.registry.revisions.get('app', 2), before);
  });

  it('does not make the next revision one that was there before', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await stage.replace('app', { env: { N: '2' } });
    await host.until('the second is ready', () => stage.containers('app').length === 1);
    await stage.reach('app', 'Ready');
    await stage.edit('app', { desiredState: 'Stopped' });
    await stage.reach('app', 'Stopped');
    await host.kill();
    await stage.remove('status/app.yaml');
    await stage.start();
    await stage.replace('app', { env: { N: '3' } });
    await stage.reach('app', 'Ready');
    assert.equal(stage.status('app').currentRevision, 3);
    const revisions = await stage.host.registry.revisions.list('app');
    assert.deepEqual(
      revisions.map(({ number, spec }) => [number, spec.env.N ?? '1']),
      [
        [1, '1'],
        [2, '2'],
        [3, '3'],
      ],
    );
  });

  it('that is as it was before the last revision does not have that one written over', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const path = join(stage.root, 'status/app.yaml');
    const before = await readFile(path);
    await stage.replace('app', { env: { N: '2' } });
    await host.until('the second is ready', () => stage.containers('app').length === 1);
    await host.kill();
    await writeFile(path, before);
    await stage.write('programs/app.yaml', manifest('app', { env: { N: '3' } }));
    await stage.start();
    await stage.host.until('the third serves', () => stage.running('app').env.N === '3');
    await stage.reach('app', 'Ready');
    const revisions = await stage.host.registry.revisions.list('app');
    assert.deepEqual(
      revisions.map(({ number, outcome, spec }) => [number, outcome, spec.env.N]),
      [
        [1, 'Ready', undefined],
        [2, 'Ready', '2'],
        [3, 'Ready', '3'],
      ],
    );
  });

  it('that is as it was before the last revision does not have the one before told to be bad', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    const deadline = { progressDeadlineSeconds: 5 };
    await stage.create('app', deadline);
    await stage.reach('app', 'Ready');
    const path = join(stage.root, 'status/app.yaml');
    const before = await readFile(path);
    await stage.replace('app', { ...deadline, env: { LISTEN: '0' } });
    await host.until('the second runs', () => stage.running('app').env.LISTEN === '0');
    await host.kill();
    await writeFile(path, before);
    await stage.start();
    await stage.host.until('it is rolled back', () => stage.status('app').reason === 'RolledBack');
    await stage.reach('app', 'Ready');
    assert.match(stage.status('app').errorMsg, /^revision 2 was rolled back to 1: /);
    const revisions = await stage.host.registry.revisions.list('app');
    assert.deepEqual(
      revisions.map(({ number, outcome }) => [number, outcome]),
      [
        [1, 'Ready'],
        [2, 'Failed'],
      ],
    );
  });

  it('has what was restarted, and serves while the wanted one can not be had, known as good again', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('app');
    const { containerId: first } = await stage.reach('app', 'Ready');
    await stage.edit('app', { restartedAt: '2026-01-01T00:00:00Z' });
    await stage.host.until('it is restarted', () => stage.status('app').containerId !== first);
    await stage.reach('app', 'Ready');
    await stage.host.kill();
    await stage.remove('status/app.yaml');
    await stage.write('programs/app.yaml', manifest('app', { image: 'nowhere:1' }));
    await stage.start();
    await stage.reach('app', 'Ready');
    await stage.host.advance(60_000);
    const served = stage.running('app');
    stage.world.end(served, 137);
    stage.world.containers.delete(served.facts.id);
    stage.world.emit(served, 'destroy');
    await stage.host.advance(10_000);
    assert.notEqual(stage.running('app'), served);
    const { state, reason } = stage.status('app');
    assert.deepEqual({ state, reason }, { state: 'Ready', reason: 'ImageNotFound' });
  });

  it('of a program that was rolled back leaves it so, and tells that the file was lost', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { progressDeadlineSeconds: 5 });
    await stage.reach('app', 'Ready');
    await stage.replace('app', { progressDeadlineSeconds: 5, env: { LISTEN: '0' } });
    await host.until('it is rolled back', () => stage.status('app').reason === 'RolledBack');
    const { containerId } = await stage.reach('app', 'Ready');
    await host.until('one is left', () => stage.containers('app').length === 1);
    await host.kill();
    await stage.write('status/app.yaml', 'no ledger');
    await stage.start();
    await stage.host.until('it is known', () => stage.status('app').state === 'Ready');
    await stage.host.advance(600_000);
    const { state, reason, containerId: after } = stage.status('app');
    assert.deepEqual([state, reason, after], ['Ready', 'RolledBack', containerId]);
    assert.deepEqual(stage.host.calls, []);
    assert.ok((await stage.reasons('app')).includes('StatusLost'));
  });

  it('of a program whose newest revision the engine refused to start has it tried again', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { readiness: { none: true } });
    await stage.reach('app', 'Ready');
    let starts = 0;
    stage.world.fault = (method) => (method === 'startContainer' && starts++ % 2 === 0 ? 'refuse' : 'none');
    await stage.replace('app', { readiness: { none: true }, env: { N: '2' } });
    await host.until('it is rolled back', () => stage.status('app').reason === 'RolledBack');
    await stage.reach('app', 'Ready');
    await host.advance(2_000);
    await host.kill();
    stage.world.fault = () => 'none';
    await stage.remove('status/app.yaml');
    await stage.start();
    await stage.host.until('the second serves', () => stage.status('app').currentRevision === 2, 120_000);
  });

  it('while the manifest gets worse keeps the revision that was ready to go back to', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { progressDeadlineSeconds: 5 });
    await stage.reach('app', 'Ready');
    await host.kill();
    await stage.remove('status/app.yaml');
    await stage.write(
      'programs/app.yaml',
      manifest('app', { progressDeadlineSeconds: 5, env: { LISTEN: '0' } }),
    );
    await stage.start();
    await stage.host.until('it is rolled back', () => stage.status('app').reason === 'RolledBack');
    await stage.reach('app', 'Ready');
    assert.equal(stage.running('app').facts.labels['dev.hersh.revision'], '1');
    const revisions = await stage.host.registry.revisions.list('app');
    assert.deepEqual(
      revisions.map(({ outcome }) => outcome),
      ['Ready', 'Failed'],
    );
  });
});
