import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createDockerEngine } from '../../controller/engine/docker/docker.ts';
import { IMAGE_VOLUME_LABEL } from '../../controller/engine/docker/hardening.ts';
import { HELPER_LABEL } from '../../controller/engine/docker/state-owner.ts';
import type { CreateContainer, Engine, EngineEvent } from '../../controller/engine/engine.ts';
import { tailOf } from '../../controller/loop/observe.ts';
import type { AppError } from '../../schemas/errors.ts';
import { exitOf, unrunnable } from '../../schemas/last-exit.ts';
import { fixedIdentity } from '../setup/registry-identity.ts';
import { rejects } from './contract-kit.ts';
import { type CuttableEngine, openCuttableEngine } from './cuttable-engine.ts';
import { createDockerFixture, type DockerFixture } from './docker-fixture.ts';

/** A Docker engine that breaks off, comes back, or is changed behind the host's back. */

const never = new AbortController().signal;
const silent = { debug() {}, info() {}, warn() {} };

let fixture: DockerFixture;
let engine: Engine;
let wire: CuttableEngine;
/** The same engine, over a connection that tests can cut. */
let remote: Engine;
let count = 0;

before(async () => {
  fixture = await createDockerFixture(29200);
  engine = fixture.engine();
  wire = await openCuttableEngine();
  remote = createDockerEngine({
    dockerHost: wire.host,
    instance: fixture.run,
    registry: fixedIdentity(),
    log: silent,
  });
});

after(async () => {
  await wire?.close();
  await fixture?.close();
});

function asked(more: Partial<CreateContainer> = {}): CreateContainer {
  const name = `${fixture.run}-r${++count}`;
  return {
    program: `r${count}`,
    name,
    image: fixture.image,
    labels: {},
    env: {},
    publishPort: fixture.port(),
    runtime: 'runc',
    memoryBytes: 64 * 1024 * 1024,
    cpus: 1,
    pids: 64,
    volume: name,
    volumeLabels: {},
    ...more,
  };
}

describe('an engine that is not there', () => {
  it('is said to be away, with what to do', async () => {
    const host = 'unix:///nowhere/docker.sock';
    const gone = createDockerEngine({
      dockerHost: host,
      instance: fixture.run,
      registry: fixedIdentity(),
      log: silent,
    });
    await rejects(gone.ping(), 'EngineUnavailable');
    await rejects(gone.listContainers(), 'EngineUnavailable');
    await rejects(gone.createContainer(asked()), 'EngineUnavailable');
    await rejects(gone.stopContainer('x', 1), 'EngineUnavailable');
    const error = (await gone.ping().catch((thrown: unknown) => thrown)) as AppError;
    assert.match(error.hint ?? '', /DOCKER_HOST/);
  });

  it('is not waited for where it accepts and says nothing', async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const mute = createDockerEngine({
      dockerHost: `tcp://127.0.0.1:${port}`,
      instance: fixture.run,
      registry: fixedIdentity(),
      log: silent,
    });
    await rejects(mute.ping(100), 'EngineUnavailable');
    server.close();
  });
});

describe('a connection that breaks', () => {
  it('is made again by a watch, which tells what happened meanwhile, once', async () => {
    const events: EngineEvent[] = [];
    let connects = 0;
    let disconnects = 0;
    const watch = remote.watch(
      (event) => events.push(event),
      () => (connects += 1),
      () => (disconnects += 1),
    );
    await fixture.until('it watches', () => connects === 1);
    const id = await engine.createContainer(asked());
    await fixture.until('the creation is told', () => events.some((event) => event.containerId === id));
    wire.refuse(true);
    wire.cut();
    await fixture.until('the break is told', () => disconnects > 0);
    await engine.startContainer(id);
    wire.refuse(false);
    await fixture.until('the start is told', () => events.some(({ action }) => action === 'start'));
    assert.equal(connects, 2);
    wire.cut();
    await fixture.until('it watches once more', () => connects === 3);
    await engine.removeContainer(id);
    await fixture.until('the end is told', () => events.some(({ action }) => action === 'destroy'));
    const told = events
      .filter((event) => event.containerId === id && event.program !== '')
      .map(({ action }) => action);
    assert.deepEqual(told, ['create', 'start', 'die', 'destroy']);
    await watch.close();
  });

  it('closes a watch that waits to connect', async () => {
    wire.refuse(true);
    let disconnects = 0;
    const watch = remote.watch(
      () => {},
      () => {},
      () => (disconnects += 1),
    );
    await fixture.until('it could not connect', () => disconnects > 1);
    await watch.close();
    wire.refuse(false);
  });

  it('fails whoever follows a log', async () => {
    const id = await engine.createContainer(asked());
    await engine.startContainer(id);
    const logs = await remote.logs(id, { tail: 'all', sinceNanos: 0n, follow: true, signal: never });
    const reading = (async () => {
      for await (const _ of logs) wire.cut();
    })();
    await rejects(reading, 'EngineUnavailable');
  });
});

describe('what was changed behind our back', () => {
  it('a network that was removed is made anew, for new containers and for old ones', async () => {
    const own = fixture.engine(`${fixture.run}-net`);
    const name = `${fixture.run}-net-hersh-programs-1`;
    const removeNetwork = (): Promise<unknown> => fixture.docker.getNetwork(name).remove();
    const old = await own.createContainer(asked());
    await own.startContainer(old);
    await own.stopContainer(old, 1);
    await removeNetwork();
    const fresh = asked();
    const created = await own.createContainer(fresh);
    assert.equal(await own.startContainer(created), 'started');
    assert.equal(await own.startContainer(old), 'started');
    await fixture.get(fresh.publishPort, '/');
    const { Options: options } = await fixture.docker.getNetwork(name).inspect();
    assert.equal(options?.['com.docker.network.bridge.enable_icc'], 'false');
    const { NetworkSettings: settings } = await fixture.docker.getContainer(old).inspect();
    assert.deepEqual(Object.keys(settings.Networks), [name]);
  });

  it('a network of that name that is not ours is not used', async () => {
    const instance = `${fixture.run}-foreign`;
    const foreign = await fixture.docker.createNetwork({ Name: `${instance}-hersh-programs-1` });
    try {
      const own = fixture.engine(instance);
      const [one, two] = await Promise.all([own.createContainer(asked()), own.createContainer(asked())]);
      for (const id of [one, two]) {
        const { HostConfig: host } = await fixture.docker.getContainer(id).inspect();
        assert.equal(host.NetworkMode, `${instance}-hersh-programs-2`);
      }
    } finally {
      await foreign.remove();
    }
  });

  it('helpers and image volumes of a host that died are removed', async () => {
    const instance = `${fixture.run}-died`;
    await fixture.docker.createContainer({
      Image: fixture.image,
      Cmd: ['/'],
      Labels: { [HELPER_LABEL]: instance },
    });
    const labels = { [IMAGE_VOLUME_LABEL]: instance };
    const left = `${instance}-image-volume-0123456789ab`;
    await fixture.docker.createVolume({ Name: left, Labels: labels });
    const own = fixture.engine(instance);
    assert.deepEqual(await own.listContainers(), [], 'a helper is no program');
    await own.createContainer(asked());
    const filters = { label: [`${HELPER_LABEL}=${instance}`] };
    assert.deepEqual(await fixture.docker.listContainers({ all: true, filters }), []);
    const { Volumes } = await fixture.docker.listVolumes({ filters: { name: [left] } });
    assert.deepEqual(Volumes ?? [], []);
  });

  it('what somebody made of them stays, though it bears their labels', async () => {
    const instance = `${fixture.run}-copied`;
    const labels = { [HELPER_LABEL]: instance };
    const mine = await fixture.docker.createContainer({ Image: fixture.image, Labels: labels });
    const name = `${instance}-mine`;
    await fixture.docker.createVolume({ Name: name, Labels: { [IMAGE_VOLUME_LABEL]: instance } });
    await mine.start();
    await fixture.engine(instance).createContainer(asked());
    await mine.inspect();
    await fixture.docker.getVolume(name).inspect();
  });

  it('a volume of another instance is not taken', async () => {
    const mine = asked();
    await engine.createContainer(mine);
    await rejects(
      fixture.engine(`${fixture.run}-b`).createContainer(asked({ volume: mine.volume })),
      'StartFailed',
    );
  });

  it('a command that is not there is told by the init, whose words say so, and not taken for a missing container', async () => {
    const { id: image } = await fixture.variant('no-command', 'CMD ["/nowhere"]');
    const id = await engine.createContainer(asked({ image }));
    // 20.10.24 with tini 0.19; without an init the start itself was refused.
    assert.equal(await engine.startContainer(id), 'started');
    const ended = async () => (await engine.inspectContainer(id))?.state === 'exited';
    await fixture.until('it ends', ended);
    const container = await engine.inspectContainer(id);
    assert.ok(container);
    const exit = exitOf(container, await tailOf(engine, id, 10));
    assert.equal(unrunnable(exit), 'exec /nowhere failed: No such file or directory');
  });

  it('many programs at once get networks, volumes and ports of their own', async () => {
    const own = fixture.engine(`${fixture.run}-many`);
    const ids = await Promise.all(Array.from({ length: 6 }, () => own.createContainer(asked())));
    assert.deepEqual(
      await Promise.all(ids.map((id) => own.startContainer(id))),
      ids.map(() => 'started'),
    );
    const filters = { name: [`${fixture.run}-many-hersh-programs-`] };
    assert.equal((await fixture.docker.listNetworks({ filters })).length, 1);
  });
});
