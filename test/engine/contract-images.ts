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
    const dockerfile = `FROM scratch\nCOPY busybox /busybox\nENV WHICH="${which}"\nCMD ["/busybox"]\n`;
    return { id: await buildAs(by, tag, hash, dockerfile), tag, hash };
  }
  const buildAs = async (
    by: 'one' | 'other',
    tag: string,
    hash: string,
    dockerfile: string,
    files: Record<string, string> = {},
  ): Promise<string> => {
    const context = world().context(dockerfile, files);
    const labels = hash === '' ? {} : { [LABELS.build]: hash };
    const request = { context, dockerfile: 'Dockerfile', args: {}, tag, labels };
    return (await world()[by].build(request, () => {}, never)).id;
  };
  /** A host's image with a file of this size on top of another. */
  async function builtOn(base: string, bytes: number): Promise<string> {
    const which = `${world().instances.one} ${++count}`;
    const hash = createHash('sha256').update(which).digest('hex');
    const dockerfile = `FROM ${base}\nWORKDIR /app\nCOPY big /app/big\nENV WHICH="${which}"\n`;
    return buildAs('one', imageTag(buildIdOf(hash)), hash, dockerfile, { big: which.padEnd(bytes, '.') });
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
      // None where an image of somebody else's has the shell's layer too.
      assert.ok((mine?.bytes ?? -1) >= 0);
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

    it('are measured without what somebody else has of them: a base and 1 MiB are 1 to 3 MB', async () => {
      const base = world().tag(`base-${++count}`);
      const root = 'FROM scratch\nCOPY big /big\nCMD ["/busybox"]\n';
      await buildAs('one', base, '', root, { big: base.padEnd(8 * 2 ** 20, '.') });
      for (const id of [await builtOn(base, 2 ** 20), await builtOn(base, 2 ** 20)]) {
        const bytes = (await listed('one', id))?.bytes ?? 0;
        assert.ok(bytes >= 1e6 && bytes <= 3e6, `${bytes} bytes`);
      }
    });

    it('are measured with what only hosts have of them, once over all', async () => {
      const base = await built();
      const first = await listed('one', base.id);
      const top = await listed('one', await builtOn(base.tag, 2 ** 20));
      assert.ok((top?.bytes ?? 0) >= 1e6 && (top?.bytes ?? 0) <= 3e6, `${top?.bytes} bytes`);
      assert.equal((await listed('one', base.id))?.bytes, first?.bytes);
    });

    it('and volumes are measured', async () => {
      const { ask } = await kit.made();
      assert.ok(((await world().one.volumeSizes()).get(ask.volume) ?? -1) >= 0);
    });

    it('that are not there, or never were, are no error', async () => {
      const { one } = world();
      assert.equal(await one.removeImage(`sha256:${'0'.repeat(64)}`), 'gone');
      await rejects(kit.made({ image: `sha256:${'0'.repeat(64)}` }), 'ImageNotFound');
    });
  });
}
