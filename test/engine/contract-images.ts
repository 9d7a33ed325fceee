import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { buildIdOf, imageTag } from '../../schemas/build-id.ts';
import { LABELS } from '../../schemas/program.ts';
import { type ContractKit, never, rejects } from './contract-kit.ts';

interface Built {
  id: string;
  tag: string;
  hash: string;
}

/** Built images: who has a use for them, and when they go. */
export function describeImages(name: string, kit: ContractKit): void {
  const { world } = kit;
  let count = 0;

  /** An image of its own, built by one instance; of sources already built, where their hash is given. */
  async function built(by: 'one' | 'other' = 'one', again?: string): Promise<Built> {
    const which = `${world().instances[by]} ${++count}`;
    const hash = again ?? createHash('sha256').update(which).digest('hex');
    const tag = imageTag(buildIdOf(hash));
    const request = {
      context: world().context(
        `FROM scratch\nCOPY busybox /busybox\nENV WHICH="${which}"\nCMD ["/busybox"]\n`,
      ),
      dockerfile: 'Dockerfile',
      args: {},
      tag,
      labels: { [LABELS.build]: hash },
    };
    return { id: (await world()[by].build(request, () => {}, never)).id, tag, hash };
  }
  const listed = async (by: 'one' | 'other', id: string) =>
    (await world()[by].listBuiltImages()).find((image) => image.id === id);

  describe(`${name}: built images`, () => {
    it('are listed with their build, and who has a use for them', async () => {
      const { one } = world();
      const { id, hash } = await built();
      const mine = await listed('one', id);
      assert.equal(mine?.claimedBy, 'us');
      assert.equal(mine?.build, hash);
      assert.ok((mine?.bytes ?? 0) > 0);
      assert.equal((await listed('other', id))?.claimedBy, 'others');
      assert.ok(!(await one.listBuiltImages()).some((image) => image.id === world().image));
    });

    it('go when nobody has a use for them, tags and all', async () => {
      const { one } = world();
      const { id, tag } = await built();
      assert.equal(await one.removeImage(id), 'removed');
      assert.equal(await one.inspectImage(id), undefined);
      assert.equal(await one.inspectImage(tag), undefined);
      assert.equal(await one.removeImage(id), 'gone');
    });

    it('stay as long as a container is made of them, running or not', async () => {
      const { one } = world();
      const { id } = await built();
      const { id: container } = await kit.made({ image: id });
      assert.equal(await one.removeImage(id), 'kept');
      assert.equal((await listed('one', id))?.claimedBy, 'us', 'nothing of it has changed');
      await one.removeContainer(container);
      assert.equal(await one.removeImage(id), 'removed');
    });

    it('stay while another instance has a use for them, which a container of it says for good', async () => {
      const { one, other, instances } = world();
      const { id, tag } = await built();
      const volume = `${instances.other}-collect-${count}`;
      const ask = { image: id, name: `${instances.other}-collect-${count}`, volume };
      const container = await other.createContainer({ ...kit.request(ask), volume });
      await other.removeContainer(container);
      assert.equal((await listed('other', id))?.claimedBy, 'us');
      assert.equal(await one.removeImage(id), 'kept');
      assert.equal((await listed('one', id))?.claimedBy, 'others', 'and this instance has let go of it');
      assert.equal((await other.inspectImage(tag))?.id, id, 'it is found as before');
      assert.equal(await other.removeImage(id), 'removed');
      await other.removeVolume(volume);
    });

    it('of nobody, since their host was killed, are known as such and can be removed', async () => {
      const { one } = world();
      const { id, tag } = await built();
      await world().unclaim(id);
      assert.equal((await listed('one', id))?.claimedBy, 'nobody');
      assert.equal(await one.removeImage(id), 'removed');
      assert.equal(await one.inspectImage(tag), undefined);
    });

    it('whose sources were built anew stay known, and go without the newer one', async () => {
      const { one } = world();
      const first = await built();
      const second = await built('one', first.hash);
      assert.notEqual(second.id, first.id);
      for (const { id } of [first, second]) assert.equal((await listed('one', id))?.claimedBy, 'us');
      assert.equal(await one.removeImage(first.id), 'removed');
      assert.equal((await one.inspectImage(first.tag))?.id, second.id);
      assert.equal((await listed('one', second.id))?.claimedBy, 'us');
    });

    it('are not what people made of them, though that has their label', async () => {
      const { one, tag, derive } = world();
      const { id, hash } = await built();
      const name = tag(`derived-${count}`);
      const mine = [await derive(id), await derive(id, name)];
      for (const derived of mine) {
        const image = await one.inspectImage(derived);
        assert.equal(image?.labels[LABELS.build], hash, 'the label is inherited');
        assert.equal(await listed('one', derived), undefined);
        assert.equal(await one.removeImage(derived), 'kept');
        await kit.made({ image: derived });
        assert.equal(await listed('one', derived), undefined, 'nor when a program is made of it');
        assert.deepEqual(await one.inspectImage(derived), image);
      }
      assert.equal((await one.inspectImage(name))?.id, mine[1]);
      assert.equal(await one.inspectImage(`${name}:for-${world().instances.one}`), undefined);
    });

    it('that people tagged stay under that tag, and are no more ours', async () => {
      const { one, tag, tagImage } = world();
      const { id, tag: own } = await built();
      const name = tag(`kept-${count}`);
      await tagImage(id, name);
      assert.equal(await one.removeImage(id), 'kept');
      assert.equal((await one.inspectImage(name))?.id, id);
      assert.equal(await one.inspectImage(own), undefined);
      assert.equal(await listed('one', id), undefined);
      assert.equal(await one.removeImage(id), 'kept');
      assert.equal((await one.inspectImage(name))?.id, id);
    });

    it('and volumes are measured', async () => {
      const { one } = world();
      const { id } = await built();
      const { ask } = await kit.made();
      const { images, volumes } = await one.diskUsage();
      assert.ok((images.get(id) ?? -1) >= 0);
      assert.ok((volumes.get(ask.volume) ?? -1) >= 0);
    });

    it('that are not there, or never were, are no error', async () => {
      const { one } = world();
      assert.equal(await one.removeImage(`sha256:${'0'.repeat(64)}`), 'gone');
      await rejects(kit.made({ image: `sha256:${'0'.repeat(64)}` }), 'ImageNotFound');
    });
  });
}
