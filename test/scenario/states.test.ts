import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createStateStore } from '../../controller/serve/program-state.ts';
import { LABELS } from '../../schemas/program.ts';
import { inPieces, tarBytes } from '../controller/state/tars.ts';
import { fixedIdentity } from '../setup/registry-identity.ts';
import { createSimEngine } from '../sim/engine.ts';
import { createStage, type Stage } from './stage.ts';

const never = new AbortController().signal;

function partsOf({ host, world, clock }: Stage) {
  const { registry, programs, controller } = host;
  const [made] = world.containers.values();
  // Of the host's own registry, whose containers it would not see otherwise.
  const identity = fixedIdentity(made?.facts.labels[LABELS.registry]);
  const engine = createSimEngine({ world, instance: 'default', registry: identity });
  const deps = { registry, engine, clock, swaps: controller.swaps, instance: 'default' };
  return { engine, store: createStateStore(deps, programs) };
}

const storeOf = (stage: Stage) => partsOf(stage).store;

async function bytesOf(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function stoppedStage(test: TestContext, options: Parameters<Stage['start']>[0] = {}) {
  const stage = await createStage(test);
  const host = await stage.start(options);
  await stage.create('app');
  await stage.reach('app', 'Ready');
  await host.programs.editSpec('app', { desiredState: 'Stopped' });
  await stage.reach('app', 'Stopped');
  return { stage, host };
}

const volumeOf = (stage: Stage) => stage.status('app').memory.program.volume;

describe('the /state of a program', () => {
  it('is replaced by what comes, which its next container has; the one before is in the trash', async (test) => {
    const { stage, host } = await stoppedStage(test);
    const store = storeOf(stage);
    const before = volumeOf(stage);
    const tar = await tarBytes([
      { name: './', type: 'directory' },
      { name: './kept', text: 'words' },
    ]);
    await settled(host, store.replace('app', inPieces(tar, 100)));
    const after = volumeOf(stage);
    assert.notEqual(after, before);
    assert.match(after ?? '', /^hersh-state-app-[0-9a-f]{8}-\d+$/);
    assert.deepEqual(await bytesOf(await store.read('app', never)), tar);
    const trashed = await host.registry.trashedVolumes();
    assert.deepEqual(
      trashed.filter(({ name }) => name === 'app').map(({ volume }) => volume),
      [before],
    );
    await host.programs.editSpec('app', { desiredState: 'Running' });
    await stage.reach('app', 'Ready');
    assert.equal(stage.running('app').volume, after);
    assert.ok((await stage.reasons('app')).includes('StateImported'));
  });

  it('stays as it was where what comes is cut off, or wrong, and no volume is left', async (test) => {
    const { stage, host } = await stoppedStage(test);
    const store = storeOf(stage);
    const before = [volumeOf(stage), [...stage.world.volumes.keys()]];
    const tar = await tarBytes([{ name: 'a', text: 'x'.repeat(5_000) }]);
    await assert.rejects(settled(host, store.replace('app', inPieces(tar.subarray(0, 3_000), 100))), {
      reason: 'BadRequest',
    });
    stage.world.diskFull = true;
    await assert.rejects(settled(host, store.replace('app', inPieces(tar, 100))), { reason: 'DiskFull' });
    assert.deepEqual([volumeOf(stage), [...stage.world.volumes.keys()]], before);
    assert.equal(stage.containers('app').length, 1);
  });

  it('is not replaced or read while it runs, is to run, or is paused', async (test) => {
    const { stage, host } = await stoppedStage(test);
    const store = storeOf(stage);
    const tar = await tarBytes([{ name: 'a' }]);
    const isRefused = () =>
      assert.rejects(settled(host, store.replace('app', inPieces(tar, 100))), { reason: 'Conflict' });
    await host.pauses.pause('app', { by: '', why: '' });
    await isRefused();
    await bytesOf(await store.read('app', never));
    await host.pauses.resume('app', '');
    const reading = await store.read('app', never);
    await host.programs.editSpec('app', { desiredState: 'Running' });
    await isRefused();
    await stage.reach('app', 'Ready');
    await isRefused();
    await assert.rejects(bytesOf(reading), { reason: 'Conflict' }, 'what was begun has no end');
    await assert.rejects(store.read('app', never), { reason: 'Conflict' });
  });

  it('is not read to its end where the program was started and stopped meanwhile', async (test) => {
    const { stage, host } = await stoppedStage(test);
    const store = storeOf(stage);
    const reading = await store.read('app', never);
    await host.programs.editSpec('app', { desiredState: 'Running' });
    await stage.reach('app', 'Ready');
    await host.programs.editSpec('app', { desiredState: 'Stopped' });
    await stage.reach('app', 'Stopped');
    await assert.rejects(bytesOf(reading), { reason: 'Conflict', message: /while its \/state was read/ });
    await bytesOf(await store.read('app', never));
  });

  it('is not that of another who takes the name while it is sent', async (test) => {
    for (const spec of [{ userId: 'you' }, {}]) {
      const { stage, host } = await stoppedStage(test);
      const slow = slowly(await tarBytes([{ name: './kept', text: 'words of one' }]));
      const replaced = assert.rejects(storeOf(stage).replace('app', slow.content), { reason: 'NotFound' });
      await slow.begun;
      await host.programs.remove('app');
      await host.until('it is gone', () => host.registry.status.get('app') === undefined);
      await host.advance(1_000);
      await stage.create('app', { ...spec, desiredState: 'Stopped' });
      await stage.reach('app', 'Created');
      const volumes = [...stage.world.volumes.keys()];
      slow.goOn();
      await settled(host, replaced);
      assert.deepEqual([...stage.world.volumes.keys()], volumes, 'what was sent is gone');
      assert.ok(!(await stage.reasons('app')).includes('StateImported'));
      await host.close();
    }
  });

  it('is what was sent though the disk is full meanwhile: what is being filled is not collected', async (test) => {
    const { stage, host } = await stoppedStage(test, { collect: { diskBytes: 1, trashMs: 0 } });
    const { engine, store } = partsOf(stage);
    const tar = await tarBytes([{ name: './kept', text: 'words' }]);
    const fill = engine.fillVolume;
    engine.fillVolume = async (request) => {
      await fill(request);
      await host.controller.collector.run();
    };
    await settled(host, store.replace('app', inPieces(tar, 100)));
    assert.deepEqual(stage.world.volumes.get(volumeOf(stage) ?? '')?.content, tar);
  });

  it("stays as it was where somebody removes the volume before it is the program's", async (test) => {
    const { stage, host } = await stoppedStage(test);
    const { engine, store } = partsOf(stage);
    const before = [volumeOf(stage), stage.containers('app').map(({ facts }) => facts.id)];
    const fill = engine.fillVolume;
    engine.fillVolume = async (request) => {
      await fill(request);
      stage.world.volumes.delete(request.volume);
    };
    const tar = await tarBytes([{ name: './kept', text: 'words' }]);
    await assert.rejects(settled(host, store.replace('app', inPieces(tar, 100))), {
      ...{ reason: 'Conflict', message: /was removed; nothing was changed/ },
    });
    assert.deepEqual([volumeOf(stage), stage.containers('app').map(({ facts }) => facts.id)], before);
  });

  it('is the old one, whole, after a host that was killed at any step of it', async (test) => {
    const tar = await tarBytes([
      { name: './', type: 'directory' },
      { name: './kept', text: 'words' },
    ]);
    for (let step = 1; ; step++) {
      const { stage, host } = await stoppedStage(test);
      const old = volumeOf(stage);
      let steps = 0;
      let isAsked = false;
      await host.close();
      const killed = await stage.start({
        onStep: (_, one) => {
          if (isAsked) steps += 1;
          if (isAsked && steps === step) void one.kill();
        },
      });
      await killed.advance(100);
      isAsked = true;
      const store = storeOf(stage);
      const asked = store.replace('app', inPieces(tar, 100)).then(
        () => 'done',
        () => 'failed',
      );
      await killed.advance(1_000);
      await killed.kill();
      const next = await stage.start();
      await next.advance(1_000);
      const now = volumeOf(stage);
      const isNew = now !== old;
      const content = stage.world.volumes.get(now ?? '')?.content;
      if (isNew) assert.deepEqual(Buffer.from(content ?? []), tar, `step ${step}`);
      assert.ok(stage.world.volumes.has(old ?? ''), 'the old one is never removed');
      await next.programs.editSpec('app', { desiredState: 'Running' });
      await stage.reach('app', 'Ready');
      assert.equal(stage.running('app').volume, now);
      const known = (await next.registry.trashedVolumes()).map(({ volume }) => volume);
      for (const one of stage.world.volumes.keys()) assert.ok(one === now || known.includes(one), one);
      await next.close();
      if (steps < step) {
        assert.equal(await asked, 'done');
        assert.ok(step > 5, `there were ${step} steps`);
        assert.deepEqual((await readdir(join(stage.root, 'data/trash'))).length > 0, true);
        return;
      }
    }
  });

  it('of a program that was deleted is read from the trash', async (test) => {
    const { stage, host } = await stoppedStage(test);
    const store = storeOf(stage);
    const tar = await tarBytes([
      { name: './', type: 'directory' },
      { name: './kept', text: 'words' },
    ]);
    await settled(host, store.replace('app', inPieces(tar, 100)));
    await host.programs.remove('app');
    await host.until('it is gone', () => host.registry.status.get('app') === undefined);
    assert.deepEqual(await bytesOf(await store.read('app', never)), tar);
    await assert.rejects(store.read('nobody', never), { reason: 'NotFound' });
    await assert.rejects(store.replace('app', inPieces(tar, 100)), { reason: 'NotFound' });
  });
});

/** What comes, but for its end, which comes when it is told to. */
function slowly(tar: Buffer) {
  let begin: () => void = () => undefined;
  let goOn: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const last = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  async function* content(): AsyncGenerator<Uint8Array> {
    yield tar.subarray(0, 512);
    begin();
    await last;
    yield tar.subarray(512);
  }
  return { content: content(), begun, goOn };
}

/** Lets time pass until it is over. */
async function settled<T>(host: Stage['host'], work: Promise<T>): Promise<T> {
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  work.then(over, over);
  await host.until('it is over', () => isOver);
  return work;
}
