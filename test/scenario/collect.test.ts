import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { CollectLimits } from '../../controller/collect/collectable.ts';
import { LABELS } from '../../schemas/program.ts';
import { createSimHost } from '../sim/host.ts';
import { createStage, type Stage } from './stage.ts';

const MIN = 60_000;
const COLLECT: Partial<CollectLimits> = { graceMs: 2 * MIN, trashMs: 6 * MIN };
const FILES = new Map([['Dockerfile', 'FROM scratch\n']]);

const list = async (stage: Stage, ...below: string[]) =>
  (await readdir(join(stage.root, ...below))).filter((name) => !name.startsWith('.'));
const builds = (stage: Stage) =>
  [...stage.world.images.values()].flatMap(({ labels }) => labels[LABELS.build]?.slice(0, 12) ?? []);
const collect = (stage: Stage) => stage.host.controller.collector.run();
const collected = (stage: Stage) =>
  stage.host.log
    .filter(({ message }) => message === 'collected')
    .map(({ fields }) => `${fields.kind} ${fields.what}`);

/** A look, so much time, and another look: what has been of no use since the first goes at the second. */
async function pass(stage: Stage, ms: number): Promise<void> {
  await collect(stage);
  await stage.host.advance(ms);
  await collect(stage);
}

async function stageOf(test: TestContext, limits: Partial<CollectLimits> = {}): Promise<Stage> {
  const stage = await createStage(test);
  await stage.start({ collect: { ...COLLECT, ...limits } });
  return stage;
}

/** As `POST /programs` does it. */
async function post(stage: Stage, name: string, files: ReadonlyMap<string, string> = FILES): Promise<string> {
  const buildId = await stage.host.programs.buildIdOf(files);
  await stage.host.programs.createFromSources(name, 'me', buildId, files);
  await stage.edit(name, { desiredState: 'Running' });
  await stage.reach(name, 'Ready');
  return buildId;
}

/** Deletes it, and lets the minute pass for which a build counts as wanted since somebody asked about it. */
async function remove(stage: Stage, name: string): Promise<void> {
  await stage.host.programs.remove(name);
  await stage.host.until('the ledger is gone', () => stage.host.registry.status.get(name) === undefined);
  await stage.host.advance(MIN);
}

/** Writes sources that differ, and waits until they serve. */
async function rollOut(stage: Stage, name: string, text: string): Promise<void> {
  const revision = stage.status(name).currentRevision;
  await stage.write(`sources/${name}/Dockerfile`, `FROM scratch\n# ${text}\n`);
  await stage.host.until(`${name} serves ${text}`, () => {
    const { state, currentRevision } = stage.status(name);
    return state === 'Ready' && currentRevision > revision;
  });
  await stage.host.advance(0);
}

describe('collection', () => {
  it('leaves a program alone, whatever time passes, and all it could be rolled back to', async (test) => {
    const stage = await stageOf(test);
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await rollOut(stage, 'app', 'second');
    await rollOut(stage, 'app', 'third');
    const before = [
      builds(stage),
      await list(stage, 'data', 'contexts'),
      await list(stage, 'data', 'builds'),
    ];
    await pass(stage, 10 * MIN);
    assert.deepEqual(collected(stage), []);
    assert.deepEqual(
      [builds(stage), await list(stage, 'data', 'contexts'), await list(stage, 'data', 'builds')],
      before,
    );
    assert.equal(await stage.host.programs.rollBack('app', 1), 1);
    await stage.host.until('the first sources serve', () => stage.status('app').currentRevision === 4);
    await stage.reach('app', 'Ready');
    await pass(stage, 10 * MIN);
    assert.equal(stage.running('app').facts.labels[LABELS.revision], '4');
    assert.equal((await list(stage, 'sources')).length, 2, 'what was restored is in use');
  });

  it('takes of a deleted program first what can be made again, and later all of it', async (test) => {
    const stage = await stageOf(test);
    const buildId = await post(stage, 'app');
    await stage.write('data/usage/app.ring', 'figures');
    await remove(stage, 'app');
    await collect(stage);
    assert.deepEqual(collected(stage), []);
    await pass(stage, 2 * MIN);
    assert.deepEqual(builds(stage), []);
    assert.deepEqual(await list(stage, 'sources'), []);
    assert.deepEqual((await list(stage, 'data', 'contexts')).length, 1, 'the history may come back');
    assert.deepEqual(await list(stage, 'data', 'build-history'), ['app'], 'and its builds with it');
    const trash = await list(stage, 'data', 'trash');
    assert.deepEqual(
      trash.map((name) => name.replace(/\d{6,}/, 'N')),
      ['app.N.volume.json', 'app.N.yaml', `${buildId}.N.sources`],
    );
    await pass(stage, 6 * MIN);
    await pass(stage, 2 * MIN);
    assert.equal(stage.world.volumes.size, 0);
    for (const folder of ['contexts', 'builds', 'build-history', 'trash', 'revisions', 'events', 'usage'])
      assert.deepEqual(await list(stage, 'data', folder), [], folder);
    const { body } = await stage.host.metrics.text();
    assert.match(body, /collected_total\{kind="volume"\} 1[\s\S]*hersh_collected_bytes_total \d{3,}/);
  });

  it('gives data back to a program that comes again, and lets its record go', async (test) => {
    const stage = await stageOf(test);
    await post(stage, 'app');
    const { volume } = stage.running('app');
    const { id } = stage.world.volumes.get(volume) ?? {};
    await remove(stage, 'app');
    await pass(stage, 3 * MIN);
    await post(stage, 'app');
    await collect(stage);
    assert.equal(
      (await list(stage, 'data', 'trash')).some((name) => name.endsWith('.json')),
      false,
    );
    await pass(stage, 10 * MIN);
    assert.equal(stage.world.volumes.get(volume)?.id, id);
    assert.equal((await stage.host.registry.revisions.list('app')).length > 0, true);
  });

  it('takes the volume that another user left under the name, and not the one in use', async (test) => {
    const stage = await stageOf(test);
    await post(stage, 'app');
    const { volume } = stage.running('app');
    await remove(stage, 'app');
    await stage.create('app', { userId: 'you' });
    await stage.reach('app', 'Ready');
    await pass(stage, 6 * MIN);
    assert.equal(stage.world.volumes.has(volume), false);
    assert.equal(stage.world.volumes.has(stage.running('app').volume), true);
  });

  it('takes what the eleventh revision pushed out, and the second can still be gone back to', async (test) => {
    const stage = await stageOf(test);
    await stage.create('app');
    await stage.reach('app', 'Ready');
    for (let n = 2; n <= 11; n++) await rollOut(stage, 'app', `number ${n}`);
    await pass(stage, 2 * MIN);
    assert.equal(builds(stage).length, 10);
    assert.equal((await list(stage, 'data', 'contexts')).length, 10);
    const calls = stage.host.calls.length;
    assert.equal(await stage.host.programs.rollBack('app', 2), 2);
    await stage.host.until('the second sources serve', () => stage.status('app').currentRevision === 12);
    await stage.reach('app', 'Ready');
    assert.deepEqual(
      stage.host.calls.slice(calls).filter((call) => call.startsWith('build')),
      [],
      'its image was there',
    );
  });

  it('remembers across restarts of the host since when a thing is of no use', async (test) => {
    const stage = await stageOf(test);
    await post(stage, 'app');
    await remove(stage, 'app');
    await pass(stage, MIN);
    await stage.host.close();
    await stage.start({ collect: COLLECT });
    await pass(stage, MIN);
    assert.deepEqual(builds(stage), []);
    await writeFile(join(stage.root, 'data', 'unused.json'), 'not JSON');
    await pass(stage, MIN);
    assert.deepEqual(
      JSON.parse(await readFile(join(stage.root, 'data', 'unused.json'), 'utf8')) !== null,
      true,
    );
  });

  it('looks by itself, soon after the start and then every ten minutes', async (test) => {
    const stage = await stageOf(test, { graceMs: 0 });
    await post(stage, 'app');
    await remove(stage, 'app');
    await stage.host.advance(11 * MIN);
    assert.deepEqual(builds(stage), []);
  });

  it('never takes a folder that people made, nor what a manifest so much as names', async (test) => {
    const stage = await stageOf(test);
    const named = 'sources/build-0123456789ab';
    await stage.write('sources/mine/Dockerfile', 'FROM scratch\n');
    await stage.write('sources/build-mine/Dockerfile', 'FROM scratch\n');
    await stage.write(`${named}/Dockerfile`, 'FROM scratch\n');
    await stage.write('sources/build-ffffffffffff/Dockerfile', 'FROM scratch\n');
    await stage.write('programs/broken.yaml', `this is not: [valid, ${named}`);
    await stage.host.advance(MIN);
    await pass(stage, 2 * MIN);
    assert.deepEqual((await list(stage, 'sources')).sort(), ['build-0123456789ab', 'build-mine', 'mine']);
  });
});

describe('collection under a disk limit', () => {
  it('takes at once what nothing refers to, after the build that crossed it', async (test) => {
    const stage = await stageOf(test, { graceMs: 999 * MIN, diskBytes: 150 * 2 ** 20 });
    await post(stage, 'one');
    await remove(stage, 'one');
    assert.equal(builds(stage).length, 1);
    await post(stage, 'two', new Map([['Dockerfile', 'FROM scratch\n# two\n']]));
    await stage.host.advance(2_000);
    assert.equal(builds(stage).length, 1);
    assert.equal(stage.world.volumes.size, 2, 'the volume could stay');
    assert.match(
      String(stage.host.log.find(({ message }) => message === 'collected')?.fields.why),
      /disk limit/,
    );
    stage.running('two');
  });

  it('says once that what is in use exceeds it, and takes nothing of that', async (test) => {
    const stage = await stageOf(test, { diskBytes: 2 ** 20 });
    await post(stage, 'app');
    await pass(stage, 2 * MIN);
    await collect(stage);
    assert.deepEqual(collected(stage), []);
    const told = stage.host.log.filter(({ message }) => message.includes('disk limit'));
    assert.equal(told.length, 1);
  });

  it('takes nothing from under builds, rollouts and rollbacks, at whichever step it looks', async (test) => {
    const stage = await createStage(test);
    let looks = 0;
    let looking = false;
    const options = {
      collect: { graceMs: 0, trashMs: 0, diskBytes: 1 },
      onStep: () => {
        // Its own steps lead to no further looks.
        if (looking) return;
        looking = true;
        looks++;
        void stage.host.controller.collector.run().then(() => {
          looking = false;
        });
      },
    };
    await stage.start();
    await stage.host.close();
    await stage.start(options);
    await stage.create('app', { env: { LISTEN_AFTER_MS: '20' } });
    await stage.reach('app', 'Ready');
    for (let n = 2; n <= 6; n++) await rollOut(stage, 'app', `number ${n}`);
    for (const target of [1, 3, 2]) {
      const before = stage.status('app').currentRevision;
      await stage.host.programs.rollBack('app', target);
      await stage.host.until('it is back', () => stage.status('app').currentRevision > before);
      await stage.reach('app', 'Ready');
    }
    await remove(stage, 'app');
    await stage.create('app', { env: { LISTEN_AFTER_MS: '20' } });
    await stage.reach('app', 'Ready');
    assert.ok(looks > 50, `${looks} looks`);
    const troubles = stage.host.log.filter(({ level }) => level === 'error' || level === 'warn');
    assert.deepEqual(
      troubles.filter(({ message }) => !message.includes('disk limit')),
      [],
    );
    stage.running('app');
  });
});

describe('two hosts that share an engine and an image', () => {
  it('keep it as long as one of them could go back to it', async (test) => {
    const stage = await stageOf(test);
    const root = join(stage.root, 'other-registry');
    await mkdir(root);
    const { world, clock } = stage;
    const other = await createSimHost({
      ...{ world, clock, root, instance: 'other' },
      portRange: { min: 25_000, max: 25_010 },
      collect: COLLECT,
    });
    test.after(() => other.kill());
    const buildId = await post(stage, 'app');
    await other.programs.createFromSources('theirs', 'you', buildId, FILES);
    await other.programs.editSpec('theirs', { desiredState: 'Running' });
    await other.until('theirs is Ready', () => other.registry.status.get('theirs')?.state === 'Ready');
    assert.equal(
      other.calls.some((call) => call.startsWith('build')),
      false,
      'it is shared',
    );
    // They go on to other sources, so that no container of theirs holds the image.
    const next = new Map([['Dockerfile', 'FROM scratch\n# next\n']]);
    await other.programs.createFromSources('next', 'you', await other.programs.buildIdOf(next), next);
    const context = `sources/${await other.programs.buildIdOf(next)}`;
    await other.registry.replaceSpec('theirs', async () => ({ spec: { userId: 'you', build: { context } } }));
    await other.until(
      'theirs has moved on',
      () => other.registry.status.get('theirs')?.currentRevision === 2,
    );
    await other.until('theirs is Ready', () => other.registry.status.get('theirs')?.state === 'Ready');
    await remove(stage, 'app');
    await pass(stage, 10 * MIN);
    await other.controller.collector.run();
    assert.equal(world.tags.has(`hersh/${buildId}`), true);
    const calls = other.calls.length;
    await other.programs.rollBack('theirs', 1);
    await other.until('theirs is back', () => other.registry.status.get('theirs')?.currentRevision === 3);
    assert.deepEqual(
      other.calls.slice(calls).filter((call) => call.startsWith('build')),
      [],
    );
    assert.equal((await readdir(join(root, 'data', 'contexts'))).length, 2, 'they have the sources too');
  });
});

describe('collection in trouble', () => {
  it('takes nothing while it can not read everything that may refer to it, and says so once', async (test) => {
    const stage = await stageOf(test);
    await post(stage, 'app');
    await remove(stage, 'app');
    await collect(stage);
    const file = join(stage.root, 'data', 'revisions', 'app', '1.yaml');
    await rm(file);
    // A folder can not be read as a file, not even by root.
    await mkdir(file);
    await pass(stage, 3 * MIN);
    await collect(stage);
    assert.deepEqual(collected(stage), []);
    const told = stage.host.log.filter(({ message }) => message.includes('can be collected failed'));
    assert.equal(told.length, 1);
    await rm(file, { recursive: true });
    await pass(stage, 3 * MIN);
    assert.deepEqual(builds(stage), []);
  });

  it('waits for an engine that is away, and takes nothing meanwhile', async (test) => {
    const stage = await stageOf(test);
    await post(stage, 'app');
    await remove(stage, 'app');
    await collect(stage);
    stage.world.goAway('keep');
    await stage.host.advance(10 * MIN);
    await collect(stage);
    assert.deepEqual(collected(stage), []);
    stage.world.comeBack();
    await stage.host.advance(10_000);
    await collect(stage);
    assert.deepEqual(builds(stage), []);
  });

  it('keeps a volume that a container uses, and tries again', async (test) => {
    const stage = await stageOf(test);
    await post(stage, 'app');
    const { volume } = stage.running('app');
    const stray = stage.running('app');
    await remove(stage, 'app');
    stage.world.containers.set('stray', {
      ...stray,
      facts: { ...stray.facts, id: 'stray', state: 'exited' },
    });
    await pass(stage, 6 * MIN);
    await collect(stage);
    assert.equal(stage.world.volumes.has(volume), true);
    assert.equal(
      (await list(stage, 'data', 'trash')).some((name) => name.endsWith('.json')),
      true,
    );
    const told = stage.host.log.filter(({ message }) => message.includes('volume.json can not be removed'));
    assert.equal(told.length, 1);
    stage.world.containers.delete('stray');
    await collect(stage);
    assert.equal(stage.world.volumes.has(volume), false);
  });

  it('takes a volume for gone that somebody removed', async (test) => {
    const stage = await stageOf(test);
    await post(stage, 'app');
    await remove(stage, 'app');
    stage.world.volumes.clear();
    await pass(stage, 6 * MIN);
    assert.equal(
      (await list(stage, 'data', 'trash')).some((name) => name.endsWith('.json')),
      false,
    );
  });

  it('goes on where what is out of use can not be written down', async (test) => {
    const stage = await stageOf(test);
    await post(stage, 'app');
    await remove(stage, 'app');
    await rm(join(stage.root, 'data', 'unused.json'), { force: true });
    await mkdir(join(stage.root, 'data', 'unused.json'));
    await pass(stage, 2 * MIN);
    assert.deepEqual(builds(stage), []);
    const told = stage.host.log.filter(({ message }) => message.includes('can not be written down'));
    assert.equal(told.length, 1);
  });
});
