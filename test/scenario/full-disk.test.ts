import assert from 'node:assert/strict';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AppError } from '../../schemas/errors.ts';
import { createStage } from './stage.ts';

/** A file takes its place, so that it is not made again. */
async function takeStatusAway(root: string): Promise<void> {
  await rename(join(root, 'status'), join(root, 'data', 'status-away'));
  await writeFile(join(root, 'status'), '');
}

async function bringStatusBack(root: string): Promise<void> {
  await rm(join(root, 'status'));
  await rename(join(root, 'data', 'status-away'), join(root, 'status'));
}

describe('a ledger that can not be written', () => {
  it('keeps a new program from being begun, says so, and is written when there is room again', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('old');
    await stage.reach('old', 'Ready');
    await takeStatusAway(stage.root);
    await stage.create('app');
    await stage.host.advance(60_000);
    assert.deepEqual(stage.containers('app'), []);
    const { state, reason } = stage.status('app');
    assert.deepEqual({ state, reason }, { state: 'Error', reason: 'RegistryUnavailable' });
    stage.world.end(stage.running('old'), 1);
    await stage.host.advance(1_000);
    stage.running('old');
    assert.match(stage.host.registry.health().warnings.join(), /^status\/ can not be written: .*status/);
    await bringStatusBack(stage.root);
    await stage.reach('app', 'Ready');
    assert.deepEqual(stage.host.registry.health().warnings, []);
  });
});

describe('an image that there is no room for', () => {
  it('is tried again, however long it takes, and is there when there is room', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    stage.world.remoteImages.add('shop/app:1');
    stage.world.diskFull = true;
    await stage.create('built');
    await stage.create('pulled', { image: 'shop/app:1' });
    for (const name of ['built', 'pulled']) {
      const { reason, errorMsg } = await stage.reach(name, 'Error');
      assert.equal(reason, 'DiskFull');
      assert.match(errorMsg, /no space left on device.*; tried again at/);
    }
    await host.advance(60 * 60_000);
    const tries = host.calls.filter((call) => /^(build|pull) /.test(call)).length;
    assert.ok(tries > 100 && tries < 150, `${tries} tries of two in an hour`);
    stage.world.diskFull = false;
    for (const name of ['built', 'pulled']) await stage.reach(name, 'Ready', 61_000);
  });

  it('is built when what is built from can be kept again', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    const contexts = join(stage.root, 'data', 'contexts');
    await rename(contexts, `${contexts}-away`);
    await writeFile(contexts, '');
    await stage.create('app');
    const { reason, errorMsg } = await stage.reach('app', 'Error');
    assert.equal(reason, 'RegistryUnavailable');
    assert.match(errorMsg, /the context can not be kept: E.*Free disk space.*; tried again at/);
    await host.advance(60 * 60_000);
    assert.equal(stage.status('app').state, 'Error');
    assert.match(host.registry.health().warnings.join(), /^data\/ can not be written: .*contexts/);
    await rm(contexts);
    await rename(`${contexts}-away`, contexts);
    await stage.reach('app', 'Ready', 61_000);
  });
});

describe('history that can not be written', () => {
  it('holds up no rollout, whoever asks for it is told why, and what serves is written when there is room', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.write('data/revisions/app', 'a file');
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await stage.replace('app', { env: { N: '2' } });
    await host.until('the second serves', () => stage.status('app').currentRevision === 2);
    await host.until('it is ready', () => stage.status('app').state === 'Ready');
    await assert.rejects(host.programs.revisions('app'), isUnavailable);
    await assert.rejects(host.programs.rollBack('app', 1), isUnavailable);
    const told = host.log.filter(({ message }) => message === 'the revision can not be written');
    assert.ok(told.length >= 2);
    assert.deepEqual(
      host.log.filter(({ level }) => level === 'error'),
      [],
    );
    await stage.remove('data/revisions/app');
    await host.advance(60_000);
    await stage.replace('app', { env: { N: '3' } });
    await host.until('the third serves', () => stage.status('app').currentRevision === 3);
    await stage.reach('app', 'Ready');
    assert.deepEqual(
      (await host.programs.revisions('app')).map(({ revision, outcome }) => [revision, outcome]),
      [
        [2, 'Ready'],
        [3, 'Ready'],
      ],
    );
    await host.programs.rollBack('app', undefined);
    await host.until('the second is back', () => stage.running('app').env.N === '2');
  });

  it('lets no data go: a deletion waits until it can be said whose volume that was', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    for (const name of ['app', 'other']) await stage.create(name);
    for (const name of ['app', 'other']) await stage.reach(name, 'Ready');
    const trash = join(stage.root, 'data/trash');
    await host.programs.remove('app');
    await rm(trash, { recursive: true });
    await writeFile(trash, '');
    await stage.replace('other', { userId: 'somebody-else' });
    await host.advance(30_000);
    assert.deepEqual(
      host.log.filter(({ level }) => level === 'error'),
      [],
    );
    assert.ok(host.registry.status.get('app'), 'its ledger is there still');
    assert.match(host.registry.health().warnings.join(), /^data\/ can not be written: EEXIST/);
    await rm(trash);
    await host.until('it is gone', () => host.registry.status.get('app') === undefined);
    await host.until(
      'the other user has a container',
      () => stage.status('other').userId === 'somebody-else',
    );
    const notes = (await readdir(trash)).filter((file) => file.endsWith('.volume.json'));
    assert.deepEqual(notes.map((file) => file.split('.')[0]).sort(), ['app', 'other']);
  });
});

const isUnavailable = (error: unknown) => error instanceof AppError && error.reason === 'RegistryUnavailable';
