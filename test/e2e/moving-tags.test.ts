import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { TEST_IMAGE } from '../setup/test-image.ts';
import { createHost, type Host } from './host.ts';

/**
 * `spec.image` with a tag that moves. On containerd's store (28.5.2) the image that had it is deleted outright unless
 * it has another; on 20.10.24 it stays without a name.
 */

let host: Host;
let name = '';
const made: string[] = [];

before(async () => {
  host = await createHost('29790-29799');
  name = `hersh-test/moving-${host.instance}`;
  await host.start();
});

after(async () => {
  await host?.close();
  for (const id of made) await host.docker.getImage(id).remove({ force: true }).catch(unlessGone);
});

const unlessGone = (error: { statusCode?: number }) => assert.equal(error.statusCode, 404);

/** Gives the name to a new image, as a person's build does. */
async function moveTag(): Promise<string> {
  const container = await host.docker.createContainer({ Image: TEST_IMAGE });
  const changes = `LABEL version=${host.marker}-${made.length}`;
  const { Id } = await container.commit({ repo: name, tag: '1', changes });
  await container.remove();
  made.push(Id);
  return Id;
}

describe('an image by a tag that moves', { concurrency: false }, () => {
  it('is what it was for a heal, another revision for a restart, and gone back to by its id', async () => {
    const first = await moveTag();
    await host.writeManifest('app', { image: `${name}:1` });
    const one = await host.untilState('app', 'Ready');
    assert.deepEqual([one.image_id, one.revision], [first, 1]);

    const second = await moveTag();
    await host.docker.getContainer(one.container_id).remove({ force: true });
    const healed = await host.untilProgram(
      'app',
      'has another container',
      ({ state, container_id }) => state === 'Ready' && container_id !== one.container_id,
    );
    assert.deepEqual([healed.image_id, healed.revision], [first, 1]);

    assert.equal((await host.call('POST', '/programs/app/restart')).status, 200);
    const isOf = (image: string) => (program: { state: string; image_id: string }) =>
      program.state === 'Ready' && program.image_id === image;
    const restarted = await host.untilProgram('app', 'is the second image', isOf(second));
    assert.equal(restarted.revision, 2);
    assert.ok((await host.events('app')).some(({ reason }) => reason === 'ImageChanged'));
    assert.equal((await host.call('POST', '/programs/app/rollback', { revision: 2 })).status, 409);

    assert.equal((await host.call('POST', '/programs/app/rollback')).status, 200);
    const back = await host.untilProgram('app', 'is the first image again', isOf(first));
    assert.equal(back.revision, 3);
    const manifest = parse((await host.call('GET', '/programs/app/manifest')).text);
    assert.equal(manifest.spec.image, first);
  });
});
