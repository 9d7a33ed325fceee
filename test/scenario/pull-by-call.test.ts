import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createApi } from '../../api/app.ts';
import { createApiDeps } from '../../controller/serve/api-deps.ts';
import { fakeHost } from '../api/fakes.ts';
import { createSimEngine } from '../sim/engine.ts';
import { createStage, type Stage } from './stage.ts';

const NAME = 'registry.example/shop:1';

interface PullAnswer {
  message: string;
  changed?: boolean;
  image_id?: string;
}

const ABOUT = {
  ...{ version: '', name: '', instance: 'default', pid: 1, startedAtMs: 0, registry: '' },
  ...{ ports: { min: 19001, max: 29999 }, remote: undefined },
};

/** `POST /programs/app/pull` of the host that runs. */
async function api({ host, world, clock }: Stage) {
  const { registry, controller, metrics } = host;
  const quiet = () => undefined;
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const deps = await createApiDeps({
    ...{ registry, controller, metrics, clock, runtime: 'runc', log, gitHook: undefined },
    engine: createSimEngine({ world, instance: 'default' }),
    ...{ about: ABOUT, warnings: () => [], unwatched: () => [] },
    health: () => ({ ready: true, reason: '', message: '', warnings: [] }),
    usage: fakeHost().deps.usage,
  });
  const app = createApi(deps);
  return async (signal = new AbortController().signal) => {
    const answer = await app.request('/programs/app/pull', { method: 'POST', signal });
    const { changed, image_id: imageId, message } = (await answer.json()) as PullAnswer;
    return { status: answer.status, changed, imageId, message };
  };
}

async function ready(test: TestContext) {
  const stage = await createStage(test);
  stage.world.remoteImages.add(NAME);
  stage.world.remoteVersions.set(NAME, 'a');
  await stage.start();
  await stage.create('app', { image: NAME });
  await stage.reach('app', 'Ready');
  return { stage, pull: await api(stage) };
}

describe('a pull that is asked for', () => {
  it('makes a new revision where the name is another image now, and nothing otherwise', async (test) => {
    const { stage, pull } = await ready(test);
    const { imageId, id } = stage.running('app').facts;
    const same = { status: 200, changed: false, message: 'nothing changed' };
    assert.deepEqual(await pull(), { ...same, imageId });
    await stage.host.advance(120_000);
    assert.equal(stage.running('app').facts.id, id);
    stage.world.remoteVersions.set(NAME, 'b');
    const other = await pull();
    assert.deepEqual([other.status, other.changed], [200, true]);
    await stage.host.until('it is made', () => stage.status('app').currentRevision === 2);
    await stage.host.until('it is alone', () => stage.containers('app').length === 1);
    assert.equal(stage.running('app').facts.imageId, other.imageId);
    assert.deepEqual(await pull(), { ...same, imageId: other.imageId });
    const told = (await stage.reasons('app')).filter((reason) => reason === 'Pulled');
    assert.equal(told.length, 3);
  });

  it('that fails is told, and leaves what is there', async (test) => {
    const { stage, pull } = await ready(test);
    const { id } = stage.running('app').facts;
    stage.world.networkDown = true;
    const failed = await pull();
    assert.equal(failed.status, 502);
    assert.match(failed.message, /could not be pulled/);
    await stage.reach('app', 'Ready');
    assert.equal(stage.running('app').facts.id, id);
    assert.ok((await stage.reasons('app')).includes('PullFailed'));
    stage.world.networkDown = false;
    for (const [spec, words] of [
      [{ image: stage.running('app').facts.imageId }, /by its id/],
      [{}, /names no image/],
    ] as const) {
      await stage.replace('app', spec);
      const { status, message } = await pull();
      assert.equal(status, 409);
      assert.match(message, words);
    }
  });

  it('ends with its caller, and that is no failure', async (test) => {
    const { stage, pull } = await ready(test);
    stage.world.callMs = (method) => (method === 'pull' ? 60_000 : 0);
    stage.world.remoteVersions.set(NAME, 'b');
    const caller = new AbortController();
    const answer = pull(caller.signal);
    await stage.host.advance(1_000);
    caller.abort();
    await answer.catch(() => undefined);
    await stage.host.advance(120_000);
    assert.equal(stage.status('app').currentRevision, 1);
    const told = await stage.reasons('app');
    assert.deepEqual([told.includes('Pulled'), told.includes('PullFailed')], [false, false]);
  });

  it('of a program that is stopped is what its next start has', async (test) => {
    const { stage, pull } = await ready(test);
    await stage.edit('app', { desiredState: 'Stopped' });
    await stage.reach('app', 'Stopped');
    stage.world.remoteVersions.set(NAME, 'b');
    const { imageId, changed } = await pull();
    assert.equal(changed, true);
    await stage.host.advance(10_000);
    assert.equal(stage.status('app').state, 'Stopped');
    await stage.edit('app', { desiredState: 'Running' });
    await stage.reach('app', 'Ready');
    assert.equal(stage.running('app').facts.imageId, imageId);
  });
});
