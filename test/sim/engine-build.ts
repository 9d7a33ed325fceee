import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream';
import { extract } from 'tar-stream';
import type { BuildImage, Image } from '../../controller/engine/engine.ts';
import type { Owner } from '../../controller/engine/owner.ts';
import { AppError, messageOf } from '../../schemas/errors.ts';
import { claim } from './engine-images.ts';
import { SIM_IMAGE_BYTES, type SimImage, type SimWorld } from './engine-world.ts';

const INSTRUCTIONS = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(
    ' ',
  ),
);

/**
 * A build as a Dockerfile tells it: an unknown instruction or a missing base fails, `RUN` does of its words
 * `echo …`, `sleep <seconds>` and `exit <code>`, `ENV` reaches the container. `RUN` with `fetch` needs the
 * network.
 */
export async function simBuild(
  world: SimWorld,
  owner: Owner,
  request: BuildImage,
  onLog: (text: string) => void,
  signal: AbortSignal,
): Promise<Image> {
  if (signal.aborted) throw aborted();
  const files = await readTar(request.context()).catch((error: unknown) => {
    const message = `the build context could not be read: ${messageOf(error)}`;
    throw new AppError('RegistryUnavailable', message);
  });
  if (world.diskFull) throw diskFull('write /sim: no space left on device');
  const dockerfile = files.get(request.aside?.[request.dockerfile] ?? request.dockerfile);
  if (dockerfile === undefined) {
    throw new AppError(
      'BuildFailed',
      `failed to read dockerfile: open ${request.dockerfile}: no such file or directory`,
    );
  }
  const env: Record<string, string> = {};
  let below: SimImage['layers'] = [];
  let copied = 0;
  const lines = dockerfile.toString('utf8').split('\n');
  for (const [index, line] of lines.entries()) {
    const [word = '', ...rest] = line.trim().split(/\s+/);
    if (word === '' || word.startsWith('#')) continue;
    if (!INSTRUCTIONS.has(word.toUpperCase())) {
      throw new AppError(
        'BuildFailed',
        `dockerfile parse error line ${index + 1}: unknown instruction: ${word}`,
      );
    }
    onLog(`#${index + 1} ${line.trim()}\n`);
    if (word === 'FROM') {
      checkBase(world, rest[0] ?? '', request.pull === true);
      below = world.images.get(world.tags.get(rest[0] ?? '') ?? '')?.layers ?? [];
    }
    if (word === 'COPY') copied += files.get(rest[0] ?? '')?.length ?? 0;
    if (word === 'ENV') {
      const [key = '', value = ''] = rest.join(' ').split('=');
      env[key] = value;
    }
    if (word === 'RUN') await runStep(world, index + 1, rest.join(' '), onLog, signal);
    if (signal.aborted) throw aborted();
    onLog(`#${index + 1} DONE 0.0s\n`);
  }
  const hash = createHash('sha256').update(JSON.stringify([request.args, request.labels]));
  for (const [name, content] of [...files].sort()) hash.update(name).update(content);
  const id = `sha256:${hash.digest('hex')}`;
  const claims = world.images.get(id)?.claims ?? new Set<string>();
  const layers = [...below, { chain: id, bytes: copied || SIM_IMAGE_BYTES }];
  const image = { id, labels: { ...request.labels }, env, claims, layers };
  world.images.set(id, image);
  world.tags.set(request.tag, id);
  claim(world, image, owner);
  return { id, labels: { ...request.labels } };
}

function checkBase(world: SimWorld, base: string, isPulled: boolean): void {
  if (base === 'scratch' || (world.tags.has(base) && !isPulled)) return;
  if (isPulled) world.pulls.push(base);
  if (world.networkDown) throw new AppError('BuildNetworkFailed', `dial tcp: lookup ${base}: no such host`);
  if (!world.remoteImages.has(base)) throw new AppError('BuildFailed', `${base}: pull access denied`);
}

async function runStep(
  world: SimWorld,
  step: number,
  command: string,
  onLog: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const said = /echo ([\w -]+)/.exec(command)?.[1];
  if (said !== undefined) onLog(`#${step} ${said.trim()}\n`);
  const seconds = Number(/sleep ([\d.]+)/.exec(command)?.[1] ?? 0);
  if (seconds > 0) await wait(world, seconds * 1000, signal);
  if (signal.aborted) throw aborted();
  if (/\bfetch\b/.test(command) && world.networkDown) {
    throw new AppError('BuildNetworkFailed', `executor failed running [${command}]: exit code: 1`);
  }
  const code = Number(/exit (\d+)/.exec(command)?.[1] ?? 0);
  if (code !== 0 && /no space left/i.test(said ?? '')) throw diskFull(`exit code: ${code}`);
  if (code !== 0)
    throw new AppError('BuildFailed', `executor failed running [${command}]: exit code: ${code}`);
}

function wait(world: SimWorld, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = world.clock.after(ms, done);
    signal.addEventListener('abort', done, { once: true });
  });
}

async function readTar(stream: NodeJS.ReadableStream): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const archive = extract();
  // It breaks the archive too, which is read just now.
  pipeline(stream, archive, () => {});
  for await (const entry of archive) {
    const pieces: Uint8Array[] = [];
    for await (const piece of entry as AsyncIterable<Uint8Array>) pieces.push(piece);
    if (entry.header.type === 'file')
      files.set(entry.header.name.replace(/^\.\//, ''), Buffer.concat(pieces));
  }
  return files;
}

export function diskFull(message: string): AppError {
  return new AppError('DiskFull', message);
}

export function aborted(): AppError {
  return new AppError('BuildAborted', 'the build was stopped');
}
