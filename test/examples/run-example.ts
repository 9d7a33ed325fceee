import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
// Not the global one: Node 20's never settles when a peer closes before the request is written, as docker-proxy does.
import { fetch } from 'undici';
import { exampleFiles } from '../setup/example-files.ts';
import { buildImage } from '../setup/images.ts';

const READY_MS_MAX = 300_000;
/** What tests made here, for whoever finds it left over. */
const LABELS = { 'dev.hersh.test': 'examples' };

export interface RunningExample {
  /** Of the port 8080, as it is published now. A restart may move it. */
  url(): Promise<string>;
  container: Docker.Container;
  /** Both streams so far. */
  log(): Promise<string>;
  /** Resolves when the path answers 2xx. */
  ready(path: string): Promise<void>;
  remove(): Promise<void>;
}

export async function buildExample(
  docker: Docker,
  name: string,
  buildArgs: Record<string, string>,
): Promise<string> {
  const { dockerfile, src_files: sources } = exampleFiles(name);
  const context = pack();
  context.entry({ name: 'Dockerfile' }, dockerfile);
  for (const [path, content] of Object.entries(sources)) context.entry({ name: path }, content);
  context.finalize();
  const tag = `hersh-test/example-${name}`;
  await buildImage(docker, Readable.from(context), tag, () => {}, { buildArgs, labels: LABELS });
  return tag;
}

/** Runs an image under the rules that every program lives under (contract, section 3), with a /state of its own. */
export async function runExample(docker: Docker, image: string): Promise<RunningExample> {
  const volume = `hersh-test-${process.pid}-${Date.now()}`;
  await docker.createVolume({ Name: volume, Labels: LABELS });
  const container = await docker.createContainer({
    Image: image,
    Labels: LABELS,
    ExposedPorts: { '8080/tcp': {} },
    HostConfig: {
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      IpcMode: 'none',
      Memory: 128 * 1024 * 1024,
      PidsLimit: 64,
      Binds: [`${volume}:/state`],
      PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
    },
  });
  await container.start();

  const url = async () => {
    const { NetworkSettings: network } = await container.inspect();
    return `http://127.0.0.1:${network.Ports['8080/tcp']?.[0]?.HostPort}`;
  };
  const log = async () => {
    const framed = await container.logs({ stdout: true, stderr: true });
    return unframe(framed);
  };
  return {
    url,
    container,
    log,
    async ready(path) {
      for (const deadline = Date.now() + READY_MS_MAX; ; await sleep(50)) {
        const answer = await fetch(`${await url()}${path}`).catch(() => undefined);
        await answer?.text().catch(() => '');
        if (answer?.ok) return;
        if (Date.now() > deadline) throw new Error(`${image} is not ready. Its log:\n${await log()}`);
      }
    },
    async remove() {
      await container.remove({ force: true });
      await docker.getVolume(volume).remove();
    },
  };
}

/** The engine puts 8 bytes before each piece: the stream's number and the length. */
function unframe(framed: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 8 <= framed.length; ) {
    const length = framed.readUInt32BE(at + 4);
    pieces.push(framed.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(pieces).toString();
}
