import { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import type Docker from 'dockerode';
import { AppError } from '../../../schemas/errors.ts';
import type { EngineLog } from '../engine.ts';
import { jsonLines } from './client.ts';
import { absent, diskFull, engineError, refused, streamError } from './errors.ts';
import { type SandboxImage, type ShownImage, sandboxImage } from './sandbox/image.ts';
import type { Architecture } from './sandbox/process.ts';

/** As engines name their machine, which is the kernel's word with most and Go's with some. */
const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  x86_64: 'amd64',
  amd64: 'amd64',
  aarch64: 'arm64',
  arm64: 'arm64',
};

/**
 * Has the engine load the image of network sandboxes where it has none, or where another image took its name. Needs no
 * registry. It is the same on every host, so it is claimed by nobody and collected by nobody: some kilobytes for each
 * version of it. Rejects `StartFailed` where there is none for the engine's machine, `DiskFull`, `EngineUnavailable`.
 * @param repository under which it is named
 * @returns its id, the same each time on the same engine
 */
export async function ensureSandboxImage(docker: Docker, repository?: string): Promise<string> {
  const { Architecture: machine } = await refused(docker.info(), 'EngineUnavailable');
  const image = await sandboxImage(architectureOf(String(machine)), repository);
  const there = await find(docker, image);
  if (there !== undefined) return there;
  await load(docker, image);
  const loaded = await find(docker, image);
  if (loaded === undefined)
    throw new AppError('InternalError', `${image.reference} is not what was loaded under that name`);
  return loaded;
}

/** Undefined where there are no network sandboxes for that machine. */
function knownArchitecture(machine: string): Architecture | undefined {
  return Object.hasOwn(ARCHITECTURES, machine) ? ARCHITECTURES[machine] : undefined;
}

export const hasSandboxes = (machine: string): boolean => knownArchitecture(machine) !== undefined;

/** Whether there are network sandboxes for the engine's machine; asked once, and told where there are none. */
export function createHasSandboxes(docker: Docker, log: EngineLog): () => Promise<boolean> {
  let known: Promise<boolean> | undefined;
  const ask = async (): Promise<boolean> => {
    const { Architecture: machine } = await refused(docker.info(), 'EngineUnavailable');
    const has = hasSandboxes(String(machine));
    if (!has)
      log.warn(
        { machine },
        'there are no network sandboxes for this machine: each container has a network of its own',
      );
    return has;
  };
  return () => {
    known ??= ask();
    known.catch(() => {
      known = undefined;
    });
    return known;
  };
}

function architectureOf(machine: string): Architecture {
  const known = knownArchitecture(machine);
  if (known !== undefined) return known;
  const all = [...new Set(Object.values(ARCHITECTURES))].join(' and ');
  throw new AppError(
    'StartFailed',
    `there is no network sandbox for the engine's machine, ${machine}: only for ${all}`,
  );
}

/** Its id, where what has its name is it. */
async function find(docker: Docker, { reference, shown }: SandboxImage): Promise<string | undefined> {
  const found = await absent(docker.getImage(reference).inspect(), [404], 'InternalError');
  return found !== undefined && isDeepStrictEqual(partOf(found), shown) ? found.Id : undefined;
}

function partOf({
  Architecture,
  RootFS,
  Config,
}: Docker.ImageInspectInfo): Record<keyof ShownImage, unknown> {
  const { User, Entrypoint, Labels } = Config ?? {};
  return { Architecture, RootFS: { Layers: RootFS?.Layers }, Config: { User, Entrypoint, Labels } };
}

/** To its end: the image is there after the last word of the answer. */
async function load(docker: Docker, { archive, reference }: SandboxImage): Promise<void> {
  try {
    const answer = await docker.loadImage(Readable.from([archive]), { quiet: true });
    for await (const message of jsonLines(answer as AsyncIterable<unknown> as AsyncIterable<Uint8Array>)) {
      const said = streamError(message);
      if (said === undefined) continue;
      throw diskFull(said) ?? new AppError('InternalError', `${reference} could not be loaded: ${said}`);
    }
  } catch (error) {
    throw engineError(error, 'InternalError');
  }
}
