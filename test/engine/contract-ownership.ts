import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LABELS } from '../../schemas/program.ts';
import { type ContractKit, rejects } from './contract-kit.ts';

/** Names, instances, volumes and ports: whose is what. */
export function describeOwnership(name: string, kit: ContractKit): void {
  const { world, made, running, inspect } = kit;

  describe(`${name}: names and owners`, () => {
    it('lists its own in the order they were made, of one program too', async () => {
      const { one } = world();
      const ids = [(await made()).id, (await made()).id, (await made()).id];
      const listed = (await one.listContainers()).map(({ id }) => id).filter((id) => ids.includes(id));
      assert.deepEqual(listed, ids);
      const { id, ask } = await running();
      const [only, ...rest] = await one.listContainers(ask.program);
      assert.deepEqual(rest, []);
      assert.equal(only?.id, id);
      assert.equal(only?.name, ask.name);
      assert.equal(only?.state, 'running');
      assert.equal(only?.program, ask.program);
    });

    it('never shows one instance what belongs to another', async () => {
      const { one, other } = world();
      const { ask } = await made();
      assert.deepEqual(await other.listContainers(ask.program), []);
      assert.ok(!(await other.listVolumes()).some(({ name }) => name === ask.volume));
      assert.ok((await one.listVolumes()).some(({ name }) => name === ask.volume));
    });

    it('has nothing to say against what it made, and much against what was committed from it and run', async () => {
      const { one, copy } = world();
      const { id, ask } = await running({ KEY: 'a=b' });
      const found = await inspect(id);
      assert.deepEqual(found.loosened, []);
      assert.deepEqual([found.runtime, found.env.KEY], ['runc', 'a=b']);
      const copied = await inspect(await copy(id));
      const listed = (await one.listContainers(ask.program)).map((each) => each.id);
      assert.deepEqual(listed, [id, copied.id], 'its labels are the same');
      assert.match(copied.loosened.join(), /its root file system is writable,it has capabilities/);
      const image = await one.inspectImage(copied.imageId);
      assert.equal(image?.labels[LABELS.program], ask.program);
    });

    it('leaves one that has the name, whether it ran or not and whoever owns it, and names the holder', async () => {
      const { one, other } = world();
      const { id, ask } = await made();
      await rejects(one.createContainer(ask), 'StartFailed', id.slice(0, 12));
      await one.startContainer(id);
      await rejects(one.createContainer(ask), 'StartFailed', ask.name);
      await one.stopContainer(id, 1);
      await rejects(one.createContainer(ask), 'StartFailed', ask.name);
      await rejects(other.createContainer({ ...ask, volume: `${ask.volume}-b` }), 'StartFailed', ask.name);
      await rejects(one.createContainer({ ...ask, program: 'somebody-else' }), 'StartFailed', ask.name);
      assert.ok(await one.inspectContainer(id));
    });

    it('keeps the volume when the container goes, and removes it only when nothing uses it', async () => {
      const { one } = world();
      const { id, ask } = await made();
      await rejects(one.removeVolume(ask.volume), 'StartFailed');
      await one.removeContainer(id);
      const volume = (await one.listVolumes()).find(({ name }) => name === ask.volume);
      assert.equal(volume?.labels[LABELS.user], 'ann');
      assert.equal(await one.hasVolume(ask.volume), true);
      assert.equal(await one.removeVolume(ask.volume), true);
      assert.equal(await one.hasVolume(ask.volume), false);
      assert.equal(await one.removeVolume(ask.volume), false);
    });
  });

  describe(`${name}: ports`, () => {
    it('says when a process has the port, and starts once it is free', async () => {
      const { one, occupy } = world();
      const { id, ask } = await made();
      const release = await occupy(ask.publishPort);
      try {
        await rejects(one.startContainer(id), 'PortConflict');
        const found = await inspect(id);
        assert.equal(found.state, 'created');
        assert.notEqual(found.startError, '');
        assert.equal(found.startedAtMs, 0);
      } finally {
        await release();
      }
      assert.equal(await one.startContainer(id), 'started');
      assert.equal((await inspect(id)).startError, '');
    });

    it('says when another container has the port', async () => {
      const { one } = world();
      const { id: first, ask } = await running();
      const { id: second } = await made({ publishPort: ask.publishPort });
      await rejects(one.startContainer(second), 'PortConflict');
      await one.stopContainer(first, 1);
      assert.equal(await one.startContainer(second), 'started');
    });
  });
}
