import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createStage } from './stage.ts';

const build = (name: string) => ({ context: `sources/${name}`, dockerfile: 'Dockerfile', args: {} });
const builds = (calls: readonly string[]) => calls.filter((call) => call.startsWith('build '));

describe('images of programs', () => {
  it('are built once for two programs of equal sources', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.write('sources/shared/Dockerfile', 'FROM scratch\nRUN sleep 10\n');
    const shared = { context: 'sources/shared' };
    await stage.create('one', { build: shared });
    await stage.create('two', { build: shared });
    await stage.reach('one', 'Ready');
    await stage.reach('two', 'Ready');
    assert.equal(builds(host.calls).length, 1);
    assert.equal(stage.status('one').imageId, stage.status('two').imageId);
    await stage.create('three', { build: shared });
    await stage.reach('three', 'Ready');
    assert.equal(builds(host.calls).length, 1, 'and not again for one that comes later');
  });

  it('are built two at a time', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    for (const name of ['a', 'b', 'c']) {
      await stage.create(name);
      await stage.write(`sources/${name}/Dockerfile`, `FROM scratch\nRUN sleep 60 ${name}\n`);
    }
    await host.advance(59_000);
    assert.equal(builds(host.calls).length, 2);
    assert.equal(stage.status('c').state, 'Building');
    await host.advance(1_000);
    assert.equal(builds(host.calls).length, 3);
    await stage.reach('c', 'Ready', 61_000);
  });

  it('fail once and for all, with the last lines, until the sources change', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN echo what went wrong && exit 7\n');
    const failed = await stage.reach('app', 'Error');
    assert.equal(failed.reason, 'BuildFailed');
    assert.match(failed.errorMsg, /exit code: 7/);
    assert.match(failed.errorMsg, /what went wrong/);
    assert.match(await host.registry.buildLogs.read(failed.buildId), /what went wrong[\s\S]*failed: /);
    assert.equal(host.log.filter(({ fields }) => /what went wrong/.test(String(fields.tail))).length, 1);
    await host.advance(5 * 60_000);
    assert.equal(builds(host.calls).length, 1);
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN echo mended\n');
    await stage.reach('app', 'Ready');
    assert.equal(stage.status('app').errorMsg, '');
  });

  it('are tried three times when the network fails, and once more when that is asked for', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    stage.world.networkDown = true;
    await stage.create('app');
    await stage.write('sources/app/Dockerfile', 'FROM node:20\n');
    await stage.reach('app', 'Error');
    assert.match(stage.status('app').errorMsg, /tried again at/);
    await host.advance(10 * 60_000);
    assert.equal(builds(host.calls).length, 3);
    assert.equal(stage.status('app').reason, 'BuildFailed');
    assert.doesNotMatch(stage.status('app').errorMsg, /tried again at/);
    stage.world.networkDown = false;
    stage.world.remoteImages.add('node:20');
    await stage.edit('app', { restartedAt: '2026-11-22T10:00:00.000Z' });
    await stage.reach('app', 'Ready');
  });

  it('are had at once by whose own build failed for good, when another has built the same', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    stage.world.networkDown = true;
    await stage.write('sources/shared/Dockerfile', 'FROM node:20\n');
    const shared = { build: { context: 'sources/shared' } };
    await stage.create('one', shared);
    await stage.reach('one', 'Error');
    await host.advance(10 * 60_000);
    stage.world.networkDown = false;
    stage.world.remoteImages.add('node:20');
    await host.advance(1_000);
    assert.equal(stage.status('one').reason, 'BuildFailed');
    await stage.create('two', shared);
    await stage.reach('two', 'Ready', 5_000);
    await stage.reach('one', 'Ready', 1_000);
  });

  it('come by themselves when the network is back before the third try', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    stage.world.networkDown = true;
    stage.world.remoteImages.add('node:20');
    await stage.create('app');
    await stage.write('sources/app/Dockerfile', 'FROM node:20\n');
    await stage.reach('app', 'Error');
    stage.world.networkDown = false;
    await stage.reach('app', 'Ready');
    assert.equal(builds(host.calls).length, 2);
    assert.equal(stage.status('app').reason, '');
  });

  it('are not built any more when the program is stopped, and are when it starts', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN sleep 100\n');
    const { buildId } = await stage.reach('app', 'Building');
    await stage.edit('app', { desiredState: 'Stopped' });
    await host.advance(0);
    assert.equal(stage.status('app').state, 'Stopped');
    assert.equal(stage.world.images.size, 0);
    assert.match(await host.registry.buildLogs.read(buildId), /cancelled/);
    await host.advance(200_000);
    assert.equal(stage.status('app').state, 'Stopped');
    assert.equal(stage.world.images.size, 0);
    await stage.edit('app', { desiredState: 'Running' });
    await stage.reach('app', 'Ready', 200_000);
  });

  it('are not built any more when the program is deleted, and are when another waits for them', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.write('sources/shared/Dockerfile', 'FROM scratch\nRUN sleep 100\n');
    const shared = { context: 'sources/shared' };
    for (const name of ['one', 'two']) await stage.create(name, { build: shared });
    await stage.reach('two', 'Building');
    await host.programs.remove('one');
    await host.until('the first is gone', () => host.registry.status.get('one') === undefined);
    await stage.reach('two', 'Ready', 200_000);
    assert.equal(builds(host.calls).length, 1);
    await stage.create('three');
    await stage.write('sources/three/Dockerfile', 'FROM scratch\nRUN sleep 100 three\n');
    await stage.reach('three', 'Building');
    const images = stage.world.images.size;
    await host.programs.remove('three');
    await host.advance(200_000);
    assert.equal(stage.world.images.size, images);
    assert.equal(host.registry.status.get('three'), undefined);
  });

  it('are given up after five minutes', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('app');
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN sleep 1000\n');
    const before = stage.clock.now();
    await stage.reach('app', 'Error', 400_000);
    assert.equal(stage.status('app').reason, 'BuildFailed');
    assert.match(stage.status('app').errorMsg, /longer than 5 minutes/);
    assert.ok(stage.clock.now() - before < 320_000);
  });

  it('are pulled when they are named, unless they are there', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    stage.world.remoteImages.add('shop/app:1');
    await stage.create('app', { image: 'shop/app:1' });
    await stage.reach('app', 'Ready');
    await stage.create('twin', { image: 'shop/app:1' });
    await stage.reach('twin', 'Ready');
    assert.equal(host.calls.filter((call) => call.startsWith('pull')).length, 1);
    assert.equal(stage.status('app').buildId, '');
    await stage.create('lost', { image: 'shop/none:1' });
    const lost = await stage.reach('lost', 'Error');
    assert.equal(lost.reason, 'ImageNotFound');
    assert.match(lost.errorMsg, /shop\/none:1/);
  });

  it('are wanted of a context that is there: one that is gone is told, and healed when it returns', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { build: { context: 'sources/later' } });
    const failed = await stage.reach('app', 'Error');
    assert.equal(failed.reason, 'BuildFailed');
    assert.match(failed.errorMsg, /sources\/later does not exist/);
    assert.deepEqual(host.calls, []);
    await stage.write('sources/later/Dockerfile', 'FROM scratch\n');
    await stage.reach('app', 'Ready', 11_000);
  });

  it('are made of what the sources are then: a change between the look and the build is no failure', async (test) => {
    const stage = await createStage(test);
    let changes = 0;
    const host = await stage.start({
      onStep({ name, moment }) {
        if (name !== 'contexts.snapshot' || moment !== 'before' || changes > 0) return;
        changes++;
        writeFileSync(join(stage.root, 'sources/app/Dockerfile'), 'FROM scratch\n# changed meanwhile\n');
      },
    });
    await stage.create('app');
    const { buildId } = await stage.reach('app', 'Ready');
    assert.equal(changes, 1);
    const warnings = (await host.registry.events.list('app')).filter(({ type }) => type === 'Warning');
    assert.deepEqual(warnings, []);
    assert.equal((await host.registry.contexts.look(build('app'))).buildId, buildId);
  });

  it('are not trusted by their tag: one with another content behind it is built anew', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { desiredState: 'Stopped' });
    await stage.edit('app', { desiredState: 'Running' });
    const { buildId } = await stage.reach('app', 'Ready');
    await host.programs.remove('app');
    await host.until('it is gone', () => host.registry.status.get('app') === undefined);
    stage.world.addImage(`hersh/${buildId}`, { labels: { 'dev.hersh.build': 'f'.repeat(64) } });
    await stage.create('app');
    await stage.reach('app', 'Ready');
    assert.equal(builds(host.calls).length, 2);
  });
});
