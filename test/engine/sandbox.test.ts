import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type Docker from 'dockerode';
import { ensureSandboxImage } from '../../controller/engine/docker/ensure-sandbox-image.ts';
import { PORT_KEY } from '../../controller/engine/docker/floor.ts';
import { sandboxImage } from '../../controller/engine/docker/sandbox/image.ts';
import { sandboxOptions } from '../../controller/engine/docker/sandbox-options.ts';
import { messageOf } from '../../schemas/errors.ts';
import { LABELS, PROGRAM_PORT } from '../../schemas/program.ts';
import { createDockerFixture, type DockerFixture } from './docker-fixture.ts';

/** The image of network sandboxes, made and run by a real engine. */

/** A sandbox that does not hear its signal is killed after this, and its code is 137. */
const GRACE_S = 60;

let fixture: DockerFixture;
/** Under names of the run's own: hosts of this engine may use the usual one. */
let repository: string;
let image: string;
const references = new Set<string>();

before(async () => {
  fixture = await createDockerFixture(29400);
  fixture.engine();
  repository = fixture.tag('sandbox');
  for (const architecture of ['amd64', 'arm64'] as const)
    references.add((await sandboxImage(architecture, repository)).reference);
  image = await ensureSandboxImage(fixture.docker, repository);
});

after(async () => {
  if (fixture === undefined) return;
  const own = { label: [`${LABELS.instance}=${fixture.run}`] };
  for (const { Id } of await fixture.docker.listContainers({ all: true, filters: own }))
    await fixture.docker.getContainer(Id).remove({ force: true });
  for (const reference of references) await fixture.docker.getImage(reference).remove().catch(unlessGone);
  await fixture.close();
});

function unlessGone(error: { statusCode?: number }): void {
  if (error.statusCode !== 404) throw error;
}

/** On a busy machine a start may fail whose container is not made wrong; the host then starts it again. */
const STARTS_MAX = 3;

async function start(options: Docker.ContainerCreateOptions): Promise<Docker.Container> {
  const container = await fixture.docker.createContainer({
    ...options,
    Labels: { [LABELS.instance]: fixture.run },
  });
  for (let tries = 1; ; tries++) {
    try {
      await container.start();
      return container;
    } catch (error) {
      if (tries === STARTS_MAX || !/cannot start a stopped process/.test(messageOf(error))) throw error;
    }
  }
}

/** A sandbox on that network, its program's port published where one is given. */
function sandbox(network: string, port?: number): Promise<Docker.Container> {
  const { HostConfig, ...options } = sandboxOptions(image);
  const binding = [{ HostIp: '127.0.0.1', HostPort: String(port) }];
  const published =
    port === undefined
      ? { HostConfig: { ...HostConfig, NetworkMode: network } }
      : {
          ExposedPorts: { [PORT_KEY]: {} },
          HostConfig: { ...HostConfig, NetworkMode: network, PortBindings: { [PORT_KEY]: binding } },
        };
  return start({ ...options, ...published });
}

const join = (holder: Docker.Container, Runtime: string) =>
  start({ Image: fixture.image, HostConfig: { NetworkMode: `container:${holder.id}`, Runtime } });

async function codeAfterStop(container: Docker.Container): Promise<number> {
  await container.stop({ t: GRACE_S });
  return (await container.inspect()).State.ExitCode;
}

const referenceHere = async () =>
  (await fixture.docker.getImage(image).inspect()).RepoTags.filter((tag) => references.has(tag));

it('the image is made where it is missing, and is the same each time', async () => {
  assert.equal(await ensureSandboxImage(fixture.docker, repository), image);
  const [reference = ''] = await referenceHere();
  await fixture.docker.getImage(reference).remove();
  await assert.rejects(fixture.docker.getImage(reference).inspect(), { statusCode: 404 });
  assert.equal(await ensureSandboxImage(fixture.docker, repository), image);
});

it('its name is taken back from another image', async () => {
  const [reference = ''] = await referenceHere();
  const [repo = '', tag = ''] = reference.split(':');
  await fixture.docker.getImage(fixture.image).tag({ repo, tag });
  assert.equal((await fixture.docker.getImage(reference).inspect()).Id, fixture.image);
  assert.equal(await ensureSandboxImage(fixture.docker, repository), image);
  assert.equal((await fixture.docker.getImage(reference).inspect()).Id, image);
});

it('collection takes it for no image that a host built or holds', async () => {
  const engine = fixture.engine();
  assert.ok(!(await engine.listBuiltImages()).some(({ id }) => id === image));
  assert.ok(!(await engine.listHeldImages()).includes(image));
});

for (const network of ['none', 'bridge']) {
  it(`on the network ${network} it is one process without rights, and ends when it is told to`, async () => {
    const container = await sandbox(network);
    const { Processes } = await container.top();
    assert.equal(Processes.length, 1);
    const { HostConfig, Mounts, Config, State } = await container.inspect();
    assert.equal(State.Running, true);
    assert.deepEqual(
      [HostConfig.ReadonlyRootfs, HostConfig.CapDrop, HostConfig.PidsLimit],
      [true, ['ALL'], 1],
    );
    assert.deepEqual([Mounts, Config.Volumes ?? {}], [[], {}]);
    assert.doesNotMatch(Config.User, /^(0|root)?(:|$)/);
    assert.equal(await codeAfterStop(container), 0);
    await container.start();
    assert.equal(await codeAfterStop(container), 0, 'a second time');
  });
}

it('it stands over the runs of what joins it, and answers for it', async () => {
  const port = fixture.port();
  const holder = await sandbox('bridge', port);
  const program = await join(holder, 'runc');
  const address = (await holder.inspect()).NetworkSettings.Networks.bridge?.IPAddress;
  const answers = async () => {
    await fixture.get(port, '/env');
    return (await fetch(`http://${address}:${PROGRAM_PORT}/env`)).ok;
  };
  assert.ok(await answers());
  await program.kill();
  await program.wait();
  await program.start();
  assert.ok(await answers(), 'after a second start');
  await program.remove({ force: true });
  assert.equal(await codeAfterStop(holder), 0);
});

it('what runs under runsc joins it for one start', async () => {
  const port = fixture.port();
  const holder = await sandbox('bridge', port);
  const program = await join(holder, 'runsc');
  await fixture.get(port, '/env');
  await program.remove({ force: true });
  assert.equal(await codeAfterStop(holder), 0);
});
