import { randomBytes, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { pack } from 'tar-stream';
import { createDockerEngine } from '../../controller/engine/docker/docker.ts';
import { IMAGE_VOLUME_LABEL } from '../../controller/engine/docker/hardening.ts';
import { HELPER_LABEL } from '../../controller/engine/docker/state-owner.ts';
import type { Engine, Image } from '../../controller/engine/engine.ts';
import type { RegistryIdentity } from '../../controller/engine/owner.ts';
import { LABELS } from '../../schemas/program.ts';
import { aptInstall } from '../setup/apt.ts';
import { findCommand } from '../setup/command.ts';
import { removeHolds } from '../setup/holds.ts';
import { fixedIdentity } from '../setup/registry-identity.ts';
import { ensureTestImage } from '../setup/test-image.ts';

const LIMIT_MS = 300_000;
const POLL_MS = 20;
const PORTS_PER_FILE = 100;
/** On everything a run builds, with the run's own name as its value. */
export const RUN_LABEL = 'dev.hersh.test.run';

export interface DockerFixture {
  /** For what the port does not show: pausing, looking at host configs. */
  docker: Docker;
  /** A name nobody else uses, and the start of every other instance's. */
  run: string;
  /** Id of the image with test/setup/test-server in it. */
  image: string;
  /** Of the run itself and on the local socket, where nothing else is said. */
  engine(instance?: string, dockerHost?: string, registry?: RegistryIdentity): Engine;
  port(): number;
  tag(name: string): string;
  context(dockerfile: string, files?: Record<string, string | Buffer>): () => NodeJS.ReadableStream;
  /** Builds an image of the test server with these lines on top: `USER`, `VOLUME`, … */
  variant(name: string, lines: string, files?: Record<string, string | Buffer>): Promise<Image>;
  /** Commits a container of an image, as people do; without a tag where none is given. Gives the new image's id. */
  derive(image: string, reference?: string): Promise<string>;
  until(what: string, condition: () => boolean | Promise<boolean>): Promise<void>;
  occupy(port: number): Promise<() => Promise<void>>;
  /** GET from a published port; waits until the program listens. */
  get(port: number, path: string): Promise<string>;
  /** Removes all this run made. */
  close(): Promise<void>;
}

const silent = { debug() {}, info() {}, warn() {} };

/**
 * A run on the engine of this machine, with ports from `firstPort`. Throws where no engine answers: such a
 * test fails, it is never left out.
 */
export async function createDockerFixture(firstPort: number): Promise<DockerFixture> {
  const docker = new Docker();
  await docker.ping();
  const run = `t-${randomBytes(4).toString('hex')}`;
  const { id: image } = await ensureTestImage(() => {}, docker);
  const busybox = readFileSync(await ensureBusybox());
  const instances = new Set<string>();
  const ports = await freePorts(firstPort);

  const fixture: DockerFixture = {
    docker,
    run,
    image,
    engine(instance = run, dockerHost, registry = fixedIdentity()) {
      instances.add(instance);
      const place = dockerHost === undefined ? {} : { dockerHost };
      const sandboxRepository = `${run}/sandbox`;
      return createDockerEngine({ ...place, instance, registry, sandboxRepository, log: silent });
    },
    port() {
      const port = ports.pop();
      if (port === undefined) throw new Error(`the ports from ${firstPort} on are used up`);
      return port;
    },
    tag: (name) => `${run}/${name}`,
    context: (dockerfile, files = {}) => {
      return () => {
        const tar = pack();
        tar.entry({ name: 'Dockerfile' }, dockerfile);
        tar.entry({ name: 'busybox', mode: 0o755 }, busybox);
        for (const [name, content] of Object.entries(files)) tar.entry({ name }, content);
        tar.finalize();
        return Readable.from(tar);
      };
    },
    variant(name, lines, files) {
      return fixture.engine().build(
        {
          context: fixture.context(`FROM hersh-test/server\n${lines}\n`, files),
          dockerfile: 'Dockerfile',
          args: {},
          tag: fixture.tag(name),
          labels: { [RUN_LABEL]: run },
        },
        () => {},
        new AbortController().signal,
      );
    },
    async derive(from, reference) {
      const container = await docker.createContainer({ Image: from, Cmd: ['/'] });
      const named = reference === undefined ? {} : { repo: reference, tag: 'latest' };
      const { Id } = await container.commit({ changes: `LABEL ${RUN_LABEL}=${run}`, ...named });
      await container.remove();
      return Id;
    },
    until,
    occupy,
    async get(at, path) {
      let body = '';
      await until(`port ${at} answers`, async () => {
        try {
          body = await (await fetch(`http://127.0.0.1:${at}${path}`)).text();
          return true;
        } catch {
          return false;
        }
      });
      return body;
    },
    async close() {
      const labels = [...instances].flatMap((instance) =>
        [LABELS.instance, LABELS.sandboxInstance, HELPER_LABEL, IMAGE_VOLUME_LABEL].map(
          (key) => `${key}=${instance}`,
        ),
      );
      await removeAll(docker, labels);
      await removeHolds(docker, instances);
      await removeImages(docker, run, instances);
    },
  };
  return fixture;
}

/** The path of a static shell for steps of builds on an empty image. */
export async function ensureBusybox(): Promise<string> {
  if (!findCommand('busybox')) await aptInstall(console.error, 'the engine tests', ['busybox-static']);
  const path = findCommand('busybox');
  if (path === undefined) throw new Error('busybox is not in PATH');
  return path;
}

/** Listens; rejects where something else does. */
function occupy(port: number): Promise<() => Promise<void>> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.end());
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      resolve(() => new Promise((done) => server.close(() => done())));
    });
  });
}

/** The ports nothing listens on, in no order: what a killed run left, or one beside this one has, is passed over. */
async function freePorts(firstPort: number): Promise<number[]> {
  const free: number[] = [];
  for (let port = firstPort; port < firstPort + PORTS_PER_FILE; port++) {
    try {
      await (await occupy(port))();
      free.splice(randomInt(free.length + 1), 0, port);
    } catch {}
  }
  return free;
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`it never came about that ${what}`);
    await sleep(POLL_MS);
  }
}

/** What the run tagged, what its instances built, and what was derived of that. The newest are listed first. */
async function removeImages(docker: Docker, run: string, instances: ReadonlySet<string>): Promise<void> {
  const isOurs = (tag: string) =>
    tag.startsWith(`${run}/`) || [...instances].some((instance) => tag.includes(`:for-${instance}`));
  for (const { Id, RepoTags, Labels } of await docker.listImages()) {
    const tags = RepoTags ?? [];
    if (Labels?.[RUN_LABEL] === run) await docker.getImage(Id).remove({ force: true });
    else if (tags.some(isOurs)) for (const tag of tags) await docker.getImage(tag).remove({ force: true });
  }
}

/** Containers first: they hold the rest. */
async function removeAll(docker: Docker, labels: string[]): Promise<void> {
  for (const label of labels) {
    for (const { Id } of await docker.listContainers({ all: true, filters: { label: [label] } })) {
      await docker.getContainer(Id).remove({ force: true, v: true });
    }
  }
  for (const label of labels) {
    const { Volumes } = await docker.listVolumes({ filters: { label: [label] } });
    for (const { Name } of Volumes ?? []) await docker.getVolume(Name).remove();
    for (const { Id } of await docker.listNetworks({ filters: { label: [label] } })) {
      await docker.getNetwork(Id).remove();
    }
  }
}
