import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { unreachable } from '../../schemas/container.ts';
import { type ContractKit, rejects } from './contract-kit.ts';

/** Network sandboxes that stand ready, until a program takes one. */
export function describeSpares(name: string, kit: ContractKit): void {
  const { world, made, request, inspect, ended } = kit;
  const on = async (port: number) =>
    (await world().one.listSpares()).find(({ publishPort }) => publishPort === port);
  const spare = async (): Promise<number> => {
    const port = world().port();
    await world().one.makeSpare(port);
    assert.deepEqual(await on(port), { publishPort: port, isReady: true });
    return port;
  };
  const taken = async (program: string) => {
    const [one, ...others] = await world().one.listSandboxes(program);
    assert.ok(one);
    assert.deepEqual(others, []);
    return one;
  };

  describe(`${name}: spare sandboxes`, () => {
    it('are the first one’s that joins one on its port, with all that a sandbox does', async () => {
      const { one } = world();
      const port = await spare();
      const { id, ask } = await made({ sandboxed: true, publishPort: port });
      assert.equal(await on(port), undefined);
      const sandbox = await taken(ask.program);
      assert.deepEqual([sandbox.state, sandbox.publishPort, sandbox.program], ['running', port, ask.program]);
      const before = await inspect(id);
      assert.deepEqual(before.sandbox, { id: sandbox.id, state: 'running' });
      assert.deepEqual([before.publishPort, unreachable(before), before.loosened], [port, '', []]);

      assert.equal(await one.startContainer(id), 'started');
      assert.equal((await inspect(id)).servedPort, port);
      for (const listed of [await one.listContainers(ask.program), await one.listContainers()])
        assert.equal(listed.find((each) => each.id === id)?.servedPort, port);
      const next = await one.createContainer({ ...ask, name: `${ask.name}-next` });
      assert.equal((await inspect(next)).sandbox?.id, sandbox.id);
      await one.stopContainer(id, 10);
      await ended(id);
      assert.equal(await one.startContainer(next), 'started');
      assert.equal((await inspect(next)).servedPort, port);
      await one.removeSandbox(sandbox.id);
      assert.deepEqual((await inspect(next)).sandbox, { id: sandbox.id, state: 'gone' });
      assert.deepEqual(await one.listSandboxes(ask.program), []);
    });

    it('are no sandboxes of programs, and those of another instance or program are let alone', async () => {
      const { one, other } = world();
      const port = await spare();
      assert.deepEqual(await one.listSandboxes(''), []);
      assert.equal(
        (await one.listSandboxes()).some(({ publishPort }) => publishPort === port),
        false,
      );
      assert.deepEqual(
        (await other.listSpares()).filter(({ publishPort }) => publishPort === port),
        [],
      );
      await other.removeSpare(port);
      const { ask } = await made({ sandboxed: true });
      assert.notEqual((await taken(ask.program)).publishPort, port);
      assert.equal((await on(port))?.isReady, true);
    });

    it('are made once, and gone once they are removed, unless a program has one', async () => {
      const { one } = world();
      const port = await spare();
      await one.makeSpare(port);
      const { length } = (await one.listSpares()).filter(({ publishPort }) => publishPort === port);
      assert.equal(length, 1);
      await one.removeSpare(port);
      await one.removeSpare(port);
      assert.equal(await on(port), undefined);
      await one.makeSpare(port);
      const { ask } = await made({ sandboxed: true, publishPort: port });
      await one.removeSpare(port);
      assert.equal((await taken(ask.program)).state, 'running');
    });

    it('give way to what is started on their port and does not join them', async () => {
      const { one } = world();
      const { id, ask } = await made();
      await one.makeSpare(ask.publishPort);
      assert.equal(await one.startContainer(id), 'started');
      assert.equal((await inspect(id)).servedPort, ask.publishPort);
      assert.equal(await on(ask.publishPort), undefined);
      const joined = await made({ sandboxed: true });
      await one.makeSpare(joined.ask.publishPort);
      assert.equal(await one.startContainer(joined.id), 'started');
      assert.equal((await inspect(joined.id)).servedPort, joined.ask.publishPort);
      assert.equal(await on(joined.ask.publishPort), undefined);
    });

    it('can not be had where the port is taken, and leave nothing', async () => {
      const { one, port, occupy } = world();
      const at = port();
      const free = await occupy(at);
      try {
        await rejects(one.makeSpare(at), 'PortConflict');
      } finally {
        await free();
      }
      assert.equal(await on(at), undefined);
    });

    it('are a program’s own, also where its container could not be made', async () => {
      const { one } = world();
      const { ask: before } = await made();
      const port = await spare();
      const ask = request({ sandboxed: true, publishPort: port });
      await rejects(one.createContainer({ ...ask, name: before.name }), 'StartFailed');
      const id = await one.createContainer(ask);
      assert.equal((await inspect(id)).sandbox?.state, 'running');
      assert.equal((await taken(ask.program)).publishPort, port);
      assert.equal(await on(port), undefined);
    });

    it('that are broken are told to be, and not joined', async () => {
      const { one, spareOn, hitSandbox } = world();
      for (const how of ['disconnect', 'kill', 'pause'] as const) {
        const port = await spare();
        await hitSandbox(await spareOn(port), how);
        assert.equal((await on(port))?.isReady, how === 'pause');
        const { id, ask } = await made({ sandboxed: true, publishPort: port });
        assert.equal(await one.startContainer(id), 'started');
        const now = await inspect(id);
        assert.deepEqual([now.servedPort, unreachable(now)], [port, '']);
        assert.equal((await taken(ask.program)).id, now.sandbox?.id);
        assert.equal(await on(port), undefined);
      }
    });

    it('are known to a host that comes after, with what programs took', async () => {
      const { again } = world();
      const port = await spare();
      const { id, ask } = await made({ sandboxed: true, publishPort: await spare() });
      const next = again();
      const { ask: own } = { ask: request({ publishPort: port, sandboxed: true }) };
      assert.deepEqual(
        (await next.listSandboxes(ask.program)).map((each) => each.id),
        [(await inspect(id)).sandbox?.id],
      );
      const joined = await next.createContainer(own);
      assert.equal((await next.inspectContainer(joined))?.sandbox?.state, 'running');
      assert.equal((await next.inspectContainer(id))?.publishPort, ask.publishPort);
    });
  });
}
