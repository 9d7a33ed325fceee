import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createStage, manifest } from './stage.ts';

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
