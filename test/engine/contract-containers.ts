import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CreateContainer } from '../../controller/engine/engine.ts';
import { LABELS } from '../../schemas/program.ts';
import { type ContractKit, never, rejects } from './contract-kit.ts';

/** The life of a container, and what happens when it has none. */
export function describeContainers(name: string, kit: ContractKit): void {
  const { world, made, running, inspect, ended, text } = kit;
  const listed = async (id: string) => (await world().one.listContainers()).find((one) => one.id === id);

  describe(`${name}: a container's life`, () => {
    it('answers, and knows its runtimes', async () => {
      await world().one.ping();
      const { runtimes, startedAtMs } = await world().one.info();
      assert.ok(runtimes.includes('runc'));
      const { id } = await made();
      assert.ok(startedAtMs <= (await inspect(id)).createdAtMs, 'and since when it is there');
    });

    it('is created without running, with our labels on it', async () => {
      const { id, ask } = await made();
      const found = await inspect(id);
      assert.equal(found.state, 'created');
      assert.equal(found.name, ask.name);
      assert.equal(found.program, ask.program);
      assert.equal(found.imageId, ask.image);
      assert.equal(found.publishPort, ask.publishPort);
      assert.equal(found.servedPort, 0, 'nothing is published of what does not run');
      assert.ok(found.createdAtMs > 0);
      assert.equal(found.startedAtMs, 0);
      assert.equal(found.finishedAtMs, 0);
      assert.equal(found.startError, '');
      assert.equal(found.labels[LABELS.instance], world().instances.one);
      assert.equal(found.labels[LABELS.program], ask.program);
      assert.equal(found.labels[LABELS.specHash], 'v1:abc');
      assert.equal(found.labels[LABELS.build], '', 'a label of ours that was not given is there, and empty');
      assert.equal(found.labels.team, 'desk-3');
    });

    it("runs a command and args in the place of the image's, whose CMD goes with its ENTRYPOINT", async () => {
      const runs = async (more: Partial<CreateContainer>) => {
        const { settings } = await inspect((await made(more)).id);
        return [settings.command, settings.args];
      };
      assert.deepEqual(await runs({}), [[], ['/server']]);
      assert.deepEqual(await runs({ args: ['/server', 'a b'] }), [[], ['/server', 'a b']]);
      assert.deepEqual(await runs({ command: ['/server'] }), [['/server'], []]);
      assert.deepEqual(await runs({ command: ['/server'], args: [''] }), [['/server'], ['']]);
    });

    it('starts, also when it runs already; stops, also when it has stopped; starts again', async () => {
      const { one } = world();
      const { id, ask } = await running();
      assert.equal(await one.startContainer(id), 'started');
      const first = await inspect(id);
      assert.equal(first.state, 'running');
      assert.equal(first.servedPort, ask.publishPort);
      assert.equal((await listed(id))?.servedPort, ask.publishPort);
      assert.ok(first.startedAtMs > 0);
      await one.stopContainer(id, 5);
      await one.stopContainer(id, 5);
      const second = await inspect(id);
      assert.equal(second.state, 'exited');
      assert.equal((await listed(id))?.servedPort, 0);
      assert.equal(second.exitCode, 0);
      assert.ok(second.finishedAtMs >= second.startedAtMs);
      assert.equal(await one.startContainer(id), 'started');
      assert.equal((await inspect(id)).state, 'running');
    });

    it('tells how it exited by itself', async () => {
      const { id } = await running({ EXIT: '7' });
      await ended(id);
      const found = await inspect(id);
      assert.equal(found.exitCode, 7);
      assert.equal(found.oomKilled, false);
      assert.ok(found.finishedAtMs > 0);
    });

    it('is killed when its grace is over', async () => {
      const { id } = await running({ IGNORE_TERM: '1' });
      await world().until('it has taken its precautions', async () => (await text(id)).includes('listening'));
      await world().one.stopContainer(id, 1);
      assert.equal((await inspect(id)).exitCode, 137);
    });

    it('stops though it is paused, and goes on when it is unpaused', async () => {
      const { one, pause } = world();
      const { id } = await running();
      await pause(id);
      assert.equal((await inspect(id)).state, 'paused');
      await one.unpauseContainer(id);
      await one.unpauseContainer(id);
      assert.equal((await inspect(id)).state, 'running');
      await pause(id);
      await one.stopContainer(id, 1);
      assert.equal((await inspect(id)).state, 'exited');
    });

    it('tells of one that runs where it does, within what, and what it has used; of another nothing', async () => {
      const { one } = world();
      const { id, ask } = await made();
      const told = async () => [await one.placeOf(id), await one.usageOf(id)];
      assert.deepEqual(await told(), [undefined, undefined]);
      await one.startContainer(id);
      const [place, used] = [await one.placeOf(id), await one.usageOf(id)];
      assert.ok(place && used);
      const { pid, ...limits } = place;
      assert.deepEqual(limits, { cpuLimit: ask.cpus, memoryLimitBytes: ask.memoryBytes });
      assert.ok(pid === undefined || pid > 1, `a pid, not ${pid}`);
      const { cpuNanos, memoryBytes } = used;
      assert.ok(Number(cpuNanos) > 0 && Number(memoryBytes) > 0, `${cpuNanos} ns, ${memoryBytes} bytes`);
      assert.ok(Number(memoryBytes) <= ask.memoryBytes);
      await one.stopContainer(id, 5);
      assert.deepEqual(await told(), [undefined, undefined]);
      await one.removeContainer(id);
      assert.deepEqual(await told(), [undefined, undefined]);
    });

    it('shows what somebody changes of it, each setting for itself', async () => {
      const { id, ask } = await running();
      const { settings } = await inspect(id);
      const { memoryBytes, cpus, pids } = ask;
      assert.deepEqual(settings, {
        ...settings,
        ...{ memoryBytes, memorySwapBytes: memoryBytes, cpus, pids, restartPolicy: 'no' },
        networks: [settings.network],
      });
      const mib = 2 ** 20;
      let now = settings;
      for (const change of [
        { memorySwapBytes: 128 * mib },
        { memoryBytes: 96 * mib },
        { memorySwapBytes: -1 },
        { memoryReservationBytes: 32 * mib },
        { cpus: 0.5 },
        { cpuShares: 512 },
        { cpusetCpus: '0' },
        { cpusetMems: '0' },
        { pids: 100 },
        { restartPolicy: 'always' },
      ]) {
        await world().update(id, change);
        const found = (await inspect(id)).settings;
        assert.deepEqual(found, { ...now, ...change });
        now = found;
      }
    });

    it('is renamed, also to the name it has, and never to a taken one', async () => {
      const { one } = world();
      const { id, ask } = await made();
      const { ask: neighbour } = await made();
      await one.renameContainer(id, `${ask.name}-old`);
      await one.renameContainer(id, `${ask.name}-old`);
      assert.equal((await inspect(id)).name, `${ask.name}-old`);
      await rejects(one.renameContainer(id, neighbour.name), 'StartFailed');
    });

    it('is removed while it runs, and twice', async () => {
      const { one } = world();
      const { id } = await running();
      await one.removeContainer(id);
      assert.equal(await one.inspectContainer(id), undefined);
      await one.removeContainer(id);
    });
  });

  describe(`${name}: silence`, () => {
    it('is given up by a ping after its time, and with it by all that waits for a short answer', async () => {
      const { one, freeze } = world();
      const { id, ask } = await made();
      const startMs = performance.now();
      freeze(true);
      try {
        const logs = { tail: 10, sinceNanos: 0n, follow: false, signal: never } as const;
        const waiting = [
          one.listContainers(),
          one.inspectContainer(id),
          one.startContainer(id),
          one.createContainer(kit.request()),
          one.renameContainer(id, `${ask.name}-old`),
          one.unpauseContainer(id),
          one.removeContainer(id),
          one.inspectImage(ask.image),
          one.listVolumes(),
          one.listBuiltImages(),
          one.logs(id, logs),
        ].map((call) => rejects(call, 'EngineUnavailable'));
        await rejects(one.ping(100), 'EngineUnavailable');
        await Promise.all(waiting);
        // Far from the time each of them has for itself.
        assert.ok(performance.now() - startMs < 10_000);
      } finally {
        freeze(false);
      }
      await one.ping();
      await world().until('it is looked at as before', async () => {
        const listed = await one.listContainers(ask.program);
        return listed.length <= 1;
      });
    });
  });

  describe(`${name}: what is gone is data`, () => {
    it('says so for containers, images and volumes', async () => {
      const { one } = world();
      const id = 'f'.repeat(64);
      assert.equal(await one.inspectContainer(id), undefined);
      assert.equal(await one.startContainer(id), 'gone');
      await one.stopContainer(id, 1);
      await one.unpauseContainer(id);
      await one.renameContainer(id, 'whatever');
      await one.removeContainer(id);
      assert.equal(await text(id), '');
      assert.equal(await one.inspectImage(`sha256:${'e'.repeat(64)}`), undefined);
      assert.equal(await one.inspectImage('no/such/image:1'), undefined);
      assert.equal(await one.inspectImage('../containers/json?all=1'), undefined);
      assert.equal(await one.removeVolume(`${world().instances.one}-none`), false);
    });

    it('refuses to make a container of an image that is not there', async () => {
      await rejects(made({ image: `sha256:${'e'.repeat(64)}` }), 'ImageNotFound');
    });

    it('refuses to pull what no registry gives, and stops pulling when asked', async () => {
      const { one } = world();
      await rejects(
        one.pull('127.0.0.1:9/no/such:1', () => {}, never),
        'ImageNotFound',
      );
      await rejects(
        one.pull('no/such:1', () => {}, AbortSignal.abort()),
        'BuildAborted',
      );
    });
  });
}
