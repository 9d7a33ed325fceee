import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildIdOf } from '../../schemas/build-id.ts';
import type { SimHost } from '../sim/host.ts';
import { createStage, type Stage } from './stage.ts';

/** A host that knows the older form of hashes alone, as those before the second one did. */
function older(host: SimHost): void {
  const { contexts } = host.registry;
  const { look, olderHash } = contexts;
  contexts.look = async (build) => {
    const today = await look(build);
    const hash = (await olderHash(build)) ?? today.hash;
    return { ...today, hash, buildId: buildIdOf(hash) };
  };
}

async function served(stage: Stage): Promise<string> {
  older(await stage.start());
  await stage.write('sources/app/.dockerignore', 'Dockerfile\n.dockerignore\nd/x\n!d\n');
  await stage.write('sources/app/d/x', '');
  await stage.write('sources/app/a.js~', '');
  await stage.write('sources/app/Dockerfile', 'FROM scratch\n');
  await stage.create('app', { build: { context: 'sources/app' } });
  await stage.reach('app', 'Ready');
  return stage.status('app').buildId;
}

const work = (calls: readonly string[]) =>
  calls.filter((call) => /^(build|create|start|stop|remove)/.test(call));

describe('an image that a host built by the older form of hashes', () => {
  it('is kept, with its id and its container, until the content changes', async (test) => {
    const stage = await createStage(test);
    const buildId = await served(stage);
    const before = stage.running('app');
    await stage.host.kill();
    const host = await stage.start();
    await stage.reach('app', 'Ready');
    await host.advance(60_000);
    assert.deepEqual(work(host.calls), []);
    assert.deepEqual([stage.running('app'), stage.status('app').buildId], [before, buildId]);
    await stage.write('sources/app/a.js~', 'an editor was here');
    await host.advance(60_000);
    assert.deepEqual(work(host.calls), []);
    await stage.write('sources/app/new', '');
    await host.until('it is built anew', () => stage.status('app').buildId !== buildId);
    await stage.reach('app', 'Ready');
  });

  it('is used when another setting changes', async (test) => {
    const stage = await createStage(test);
    const buildId = await served(stage);
    await stage.host.kill();
    const host = await stage.start();
    await stage.replace('app', { env: { N: '1' }, build: { context: 'sources/app' } });
    await host.until('it is made anew', () => stage.status('app').currentRevision === 2);
    assert.equal(stage.status('app').buildId, buildId);
    assert.deepEqual(
      work(host.calls).filter((call) => call.startsWith('build')),
      [],
    );
  });
});
