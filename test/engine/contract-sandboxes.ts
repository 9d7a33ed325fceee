import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isUp, unreachable } from '../../schemas/container.ts';
import { LABELS } from '../../schemas/program.ts';
import { type ContractKit, rejects } from './contract-kit.ts';

/** Network sandboxes, and what joins one: to whoever looks it is published as it would be without. */
export function describeSandboxes(name: string, kit: ContractKit): void {
  const { world, made, inspect, ended } = kit;
  const running = async () => {
    const result = await made({ sandboxed: true });
    assert.equal(await world().one.startContainer(result.id), 'started');
    return result;
  };
  const sandboxesOf = (program: string) => world().one.listSandboxes(program);
  const only = async (program: string) => {
    const [one, ...others] = await sandboxesOf(program);
    assert.ok(one);
    assert.deepEqual(others, []);
    return one;
  };
  const servedPort = async (id: string) =>
    (await world().one.listContainers()).find((one) => one.id === id)?.servedPort;

  describe(`${name}: network sandboxes`, () => {
    it('are made with the first container for a port, started before it, and kept when it ends', async () => {
      const { one } = world();
      const { id, ask } = await made({ sandboxed: true });
      const { id: sandboxId, state, ...more } = await only(ask.program);
      assert.equal(state, 'created');
      assert.equal(more.program, ask.program);
      assert.equal(more.publishPort, ask.publishPort);
      const before = await inspect(id);
      assert.equal(before.publishPort, ask.publishPort);
      assert.equal(before.servedPort, 0);
      assert.deepEqual(before.sandbox, { id: sandboxId, state: 'created' });
      assert.equal(unreachable(before), '');
      assert.deepEqual(before.loosened, []);

      assert.equal(await one.startContainer(id), 'started');
      const up = await inspect(id);
      assert.equal(up.servedPort, ask.publishPort);
      assert.equal(await servedPort(id), ask.publishPort);
      assert.equal(unreachable(up), '');
      await one.stopContainer(id, 10);
      await ended(id);
      const down = await inspect(id);
      assert.equal(down.servedPort, 0);
      assert.equal(await servedPort(id), 0);
      assert.equal(unreachable(down), '');
      assert.deepEqual(down.sandbox, { id: sandboxId, state: 'running' });
      assert.equal(await one.startContainer(id), 'started');
      assert.equal((await inspect(id)).servedPort, ask.publishPort);
      assert.deepEqual((await only(ask.program)).id, sandboxId);
    });

    it('are none of the containers, and those of another instance or program are not listed', async () => {
      const { one, other } = world();
      const { id, ask } = await running();
      assert.deepEqual(
        (await one.listContainers(ask.program)).map((each) => each.id),
        [id],
      );
      const { id: sandboxId } = await only(ask.program);
      assert.equal(
        (await one.listContainers()).some((each) => each.id === sandboxId),
        false,
      );
      assert.equal(
        (await other.listSandboxes()).some((each) => each.id === sandboxId),
        false,
      );
      assert.ok((await one.listSandboxes()).some((each) => each.id === sandboxId));
      assert.deepEqual(await sandboxesOf('nobody'), []);
    });

    it('pass to the next container for the same port, and to none for another', async () => {
      const { one, port } = world();
      const { id, ask } = await running();
      const sandbox = await only(ask.program);
      const next = await one.createContainer({ ...ask, name: `${ask.name}-next` });
      assert.equal((await inspect(next)).sandbox?.id, sandbox.id);
      const moved = await one.createContainer({ ...ask, name: `${ask.name}-moved`, publishPort: port() });
      assert.notEqual((await inspect(moved)).sandbox?.id, sandbox.id);
      await one.stopContainer(id, 10);
      await one.removeContainer(id);
      assert.equal(await one.startContainer(next), 'started');
      assert.equal((await inspect(next)).servedPort, ask.publishPort);
      assert.equal((await sandboxesOf(ask.program)).length, 2);
    });

    it('take the network along when they end, when they are started again too', async () => {
      const { one, hitSandbox } = world();
      const { id, ask } = await running();
      const sandbox = await only(ask.program);
      await hitSandbox(sandbox.id, 'kill');
      const cut = await inspect(id);
      assert.ok(isUp(cut), 'no event of the container tells it');
      assert.equal(cut.sandbox?.state, 'exited');
      assert.equal(cut.servedPort, 0);
      assert.notEqual(unreachable(cut), '');
      await hitSandbox(sandbox.id, 'start');
      assert.notEqual(unreachable(await inspect(id)), '', 'it is in a network that is no more');
      await one.stopContainer(id, 10);
      assert.equal(await one.startContainer(id), 'started');
      assert.equal(unreachable(await inspect(id)), '');
    });

    it('are whole or not joined; one that is gone is told, and what joined it starts no more', async () => {
      const { one, hitSandbox } = world();
      const { id, ask } = await running();
      const sandbox = await only(ask.program);
      await hitSandbox(sandbox.id, 'disconnect');
      assert.notEqual(unreachable(await inspect(id)), '');
      const next = await one.createContainer({ ...ask, name: `${ask.name}-next` });
      assert.notEqual((await inspect(next)).sandbox?.id, sandbox.id);
      await one.stopContainer(id, 10);
      await one.removeSandbox(sandbox.id);
      await one.removeSandbox(sandbox.id);
      const left = await inspect(id);
      assert.deepEqual(left.sandbox, { id: sandbox.id, state: 'gone' });
      assert.equal(left.publishPort, ask.publishPort, 'what it was made for is known all the same');
      assert.equal(await one.startContainer(id), 'gone');
      assert.equal(await one.startContainer(next), 'started');
      assert.equal((await inspect(next)).servedPort, ask.publishPort);
    });

    it('are let go on with what joins them', async () => {
      const { one, hitSandbox } = world();
      const { id, ask } = await running();
      const sandbox = await only(ask.program);
      await hitSandbox(sandbox.id, 'pause');
      const paused = await inspect(id);
      assert.equal(paused.state, 'running');
      assert.equal(paused.sandbox?.state, 'paused');
      assert.equal(unreachable(paused), '');
      await one.unpauseContainer(id);
      assert.equal((await inspect(id)).sandbox?.state, 'running');
    });

    it('have a port that is taken refused when what joins them is started', async () => {
      const { one, occupy } = world();
      const { id, ask } = await made({ sandboxed: true });
      const free = await occupy(ask.publishPort);
      try {
        await rejects(one.startContainer(id), 'PortConflict');
      } finally {
        await free();
      }
    });

    it('tell of what happens to them under the name of the program', async () => {
      const { one, until, hitSandbox } = world();
      const seen: string[] = [];
      let connected = false;
      const watch = one.watch(
        ({ program, containerId, action }) => void seen.push(`${program} ${containerId} ${action}`),
        () => {
          connected = true;
        },
        () => {},
      );
      try {
        await until('the events are followed', () => connected);
        const { ask } = await running();
        const { id } = await only(ask.program);
        const told = (action: string) =>
          until(`${action} is told`, () => seen.includes(`${ask.program} ${id} ${action}`));
        await told('start');
        await hitSandbox(id, 'disconnect');
        await told('disconnect');
        await hitSandbox(id, 'kill');
        await told('die');
        await one.removeSandbox(id);
        await told('destroy');
      } finally {
        await watch.close();
      }
    });

    it('are not joined where that is asked for: another is made for the same port', async () => {
      const { one } = world();
      const { id, ask } = await running();
      const { id: lost } = await only(ask.program);
      const next = await one.createContainer({ ...ask, name: `${ask.name}-next`, notIn: [lost] });
      const joined = (await inspect(next)).sandbox?.id ?? '';
      assert.notEqual(joined, lost);
      assert.equal((await sandboxesOf(ask.program)).length, 2);
      await one.stopContainer(id, 10);
      await one.removeSandbox(lost);
      assert.equal(await one.startContainer(next), 'started');
      assert.equal((await inspect(next)).servedPort, ask.publishPort);
    });

    it('have an address while they are on their network, which is that of what runs in them', async () => {
      const { one, hitSandbox } = world();
      assert.equal(await one.hasSandboxes(), true);
      const { id, ask } = await running();
      const { id: sandbox, address, createdAtMs } = await only(ask.program);
      assert.match(address, /^\d+\.\d+\.\d+\.\d+$/);
      assert.ok(createdAtMs > 0);
      assert.equal((await inspect(id)).address, address);
      await one.stopContainer(id, 10);
      assert.equal((await inspect(id)).address, undefined, 'nothing is reached there');
      const own = await made();
      assert.equal((await inspect(own.id)).address, undefined);
      await one.startContainer(own.id);
      assert.match((await inspect(own.id)).address ?? '', /^\d+\.\d+\.\d+\.\d+$/);
      await hitSandbox(sandbox, 'kill');
      assert.equal((await only(ask.program)).address, '');
    });

    it('bear no label by which hosts list that know of none', async () => {
      const { ask } = await running();
      const { id } = await only(ask.program);
      assert.equal((await world().one.inspectContainer(id))?.labels[LABELS.instance] ?? '', '');
    });
  });
}
