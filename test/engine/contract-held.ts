import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ContractKit, rejects } from './contract-kit.ts';

/** Images that people made or pulled: their names move, and what a container was made of stays for all that. */
export function describeHeld(name: string, kit: ContractKit): void {
  const { world } = kit;
  let count = 0;

  /** Two images of somebody's; the name is the first one's. */
  async function named(): Promise<{ name: string; first: string; second: string }> {
    const { derive, tag, image } = world();
    const reference = tag(`held-${++count}`);
    const first = await derive(image, reference);
    return { name: reference, first, second: await derive(image, tag(`held-${++count}`)) };
  }
  const isHeld = async (id: string, by: 'one' | 'other' = 'one') =>
    (await world()[by].listHeldImages()).includes(id);

  describe(`${name}: images that have a name`, () => {
    it('are held from their first container on, and stay when another image takes the name', async () => {
      const { one, tagImage } = world();
      const { name: reference, first, second } = await named();
      assert.equal(await isHeld(first), false);
      const { id } = await kit.made({ image: first });
      assert.equal(await isHeld(first), true);
      assert.equal(await isHeld(first, 'other'), false);
      await tagImage(second, reference);
      assert.equal((await one.inspectImage(reference))?.id, second);
      assert.equal((await one.inspectImage(first))?.id, first);
      await one.removeContainer(id);
      await kit.made({ image: first });
      assert.ok(!(await one.listBuiltImages()).some((built) => built.id === first), 'it is nobody of ours');
    });

    it('go when they are held no more, have no other name, and no container is made of them', async () => {
      const { one, tagImage } = world();
      const { name: reference, first, second } = await named();
      const { id } = await kit.made({ image: first });
      await tagImage(second, reference);
      assert.equal(await one.releaseImage(first), 'kept');
      assert.equal(await isHeld(first), true, 'a container is made of it');
      await one.removeContainer(id);
      assert.equal(await one.releaseImage(first), 'removed');
      assert.equal(await one.inspectImage(first), undefined);
      assert.equal(await one.releaseImage(first), 'gone');
      await rejects(kit.made({ image: first }), 'ImageNotFound');
    });

    it('stay under what names they have, and while another instance holds them', async () => {
      const { one, other, tagImage } = world();
      const { name: reference, first, second } = await named();
      for (const engine of [one, one, other]) await engine.holdImage(first);
      assert.equal(await one.releaseImage(first), 'kept');
      assert.deepEqual([await isHeld(first), await isHeld(first, 'other')], [false, true]);
      assert.equal((await one.inspectImage(reference))?.id, first);
      await tagImage(second, reference);
      assert.equal((await one.inspectImage(first))?.id, first);
      assert.equal(await other.releaseImage(first), 'removed');
    });

    it('are held only where they have one, so that none goes with our tag', async () => {
      const { one, derive, image } = world();
      const bare = await derive(image);
      const { id } = await kit.made({ image: bare });
      assert.equal(await isHeld(bare), false);
      await one.removeContainer(id);
      assert.equal(await one.releaseImage(bare), 'kept');
      assert.equal((await one.inspectImage(bare))?.id, bare);
      await one.holdImage(`sha256:${'0'.repeat(64)}`);
    });
  });
}
