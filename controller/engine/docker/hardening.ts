import { posix } from 'node:path';
import type Docker from 'dockerode';
import { AppError } from '../../../schemas/errors.ts';
import { LABELS } from '../../../schemas/program.ts';
import type { CreateContainer } from '../engine.ts';
import { labelsOf, type Owner } from '../owner.ts';
import { PORT_KEY, STATE_DIR } from './floor.ts';

/** How every container is made: all that keeps a program in. What must hold of one that is there says `floor.ts`. */

const OUR_PREFIX = 'dev.hersh.';
/** On the read-only volumes that stand in for an image's own VOLUMEs: the instance they belong to. */
export const IMAGE_VOLUME_LABEL = 'dev.hersh.image-volume';

/** What of an image decides how its container is made. */
export interface ImageConfig {
  user: string;
  volumes: string[];
  labels: Record<string, string>;
}

export function imageConfigOf(inspected: Docker.ImageInspectInfo): ImageConfig {
  const config = inspected.Config as Partial<Docker.ImageInspectInfo['Config']> | null;
  return {
    user: config?.User ?? '',
    volumes: Object.keys(config?.Volumes ?? {}),
    labels: config?.Labels ?? {},
  };
}

/**
 * Docker's create options for a program: the security contract in one object. Nothing of the request can
 * loosen it, and nothing of the image either. `network` is a bridge, or `container:` and a sandbox's id. `volumeName` names the stand-in for an image's VOLUME.
 * Throws `StartFailed` where the image declares a VOLUME below /state, over everything, or by no path from the root.
 */
export function createOptions(
  request: CreateContainer,
  image: ImageConfig,
  place: { owner: Owner; network: string; volumeName: (path: string) => string },
): Docker.ContainerCreateOptions {
  const declared = declaredVolumes(image);
  const mounts: Docker.MountSettings[] = [
    { Type: 'volume', Source: request.volume, Target: STATE_DIR, ReadOnly: false },
    ...declared.map((path) => readOnlyVolume(path, place.volumeName(path), place.owner)),
  ];
  const { network } = place;
  const isJoined = network.startsWith('container:');
  const labels = {
    ...ownLabels(request, image, place.owner),
    ...(isJoined && { [LABELS.sandboxPort]: String(request.publishPort) }),
  };
  const published = isJoined
    ? { options: {}, host: { NetworkMode: network } }
    : publishedOn(network, request.publishPort);
  return {
    name: request.name,
    Image: request.image,
    Labels: labels,
    // An engine that is given the first alone leaves out the image's CMD (20.10.24).
    ...(request.command && { Entrypoint: [...request.command] }),
    ...(request.args && { Cmd: [...request.args] }),
    Env: Object.entries(request.env).map(([key, value]) => `${key}=${value}`),
    ...UNATTENDED,
    ...published.options,
    HostConfig: {
      ...keptIn(request),
      ...published.host,
      // Reaps what the program leaves behind, and lets SIGTERM end a program that has no handler for it.
      Init: true,
      Runtime: request.runtime,
      Mounts: mounts,
      Tmpfs: closedMounts(request.runtime, declared),
      NanoCpus: Math.round(request.cpus * 1e9),
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    },
  };
}

/** On one of our bridges, and on a port of this machine's alone. */
export function publishedOn(
  network: string,
  port: number,
): { options: Omit<Docker.ContainerCreateOptions, 'HostConfig'>; host: Docker.HostConfig } {
  return {
    options: {
      ExposedPorts: { [PORT_KEY]: {} },
      NetworkingConfig: { EndpointsConfig: { [network]: {} } },
    },
    host: {
      NetworkMode: network,
      PortBindings: { [PORT_KEY]: [{ HostIp: '127.0.0.1', HostPort: String(port) }] },
    },
  };
}

/** Nobody is at its terminal, and the engine asks it nothing. */
export const UNATTENDED = {
  ...{ Tty: false, OpenStdin: false, AttachStdout: false, AttachStderr: false },
  Healthcheck: { Test: ['NONE'] },
};

/** What keeps in whatever runs at all, a program or the process of a sandbox. */
export function keptIn(limits: { memoryBytes: number; pids: number }): Docker.HostConfig {
  return {
    RestartPolicy: { Name: 'no' },
    PublishAllPorts: false,
    ReadonlyRootfs: true,
    Privileged: false,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    IpcMode: 'none',
    Memory: limits.memoryBytes,
    MemorySwap: limits.memoryBytes,
    PidsLimit: limits.pids,
    Devices: [],
  };
}

/**
 * Writable memory that the runtimes add to a read-only root, closed again.
 *
 * runc mounts a 64 MB tmpfs on /dev that root may fill, with a message-queue file system in it that everybody
 * may. A read-only one in its place still gets the device nodes; what is lost is /dev/pts, hence
 * `docker exec -t`. gVisor refuses to open /dev/null for writing on a read-only /dev, so its /dev stays (it
 * is memory of the sandbox, and counts against its limit); /dev/shm and /tmp can be closed.
 */
function closedMounts(runtime: CreateContainer['runtime'], declared: string[]): Record<string, string> {
  const closed: Record<string, string> =
    runtime === 'runsc'
      ? { '/dev/shm': 'ro,size=64k', '/tmp': 'ro,size=64k' }
      : { '/dev': 'ro,dev,nosuid,noexec,size=64k,mode=755' };
  return Object.fromEntries(Object.entries(closed).filter(([path]) => !declared.includes(path)));
}

/**
 * The image's VOLUMEs other than /state. Docker would give each a writable anonymous volume; they get a
 * read-only one, which is filled from the image like any other.
 */
function declaredVolumes(image: ImageConfig): string[] {
  const relative = image.volumes.find((path) => !path.startsWith('/'));
  if (relative !== undefined) {
    // Docker takes it for another place than the path from the root, and mounts a writable volume there (20.10).
    throw new AppError(
      'StartFailed',
      `the image declares VOLUME ${relative}, which is no path from the root`,
      {
        hint: `Write VOLUME /${posix.normalize(relative)}, or none at all.`,
      },
    );
  }
  const paths = [...new Set(image.volumes.map((path) => posix.resolve('/', path)))];
  if (paths.includes('/')) {
    throw new AppError('StartFailed', 'the image declares VOLUME /, over everything', {
      hint: 'Leave out that VOLUME: the root is read-only, whatever the image says.',
    });
  }
  const below = paths.find((path) => isBelow(path, STATE_DIR));
  if (below !== undefined) {
    throw new AppError('StartFailed', `the image declares VOLUME ${below}, inside ${STATE_DIR}`, {
      hint: `Declare VOLUME ${STATE_DIR} or none at all: ${STATE_DIR} is a volume of its own and keeps what is below it.`,
    });
  }
  return paths.filter((path) => path !== STATE_DIR).sort();
}

/** Whether a path lies inside a folder. Both from the root, without dots. */
export function isBelow(path: string, folder: string): boolean {
  return path !== folder && path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

function readOnlyVolume(path: string, name: string, { instance, registry }: Owner): Docker.MountSettings {
  const labels = { [IMAGE_VOLUME_LABEL]: instance, [LABELS.registry]: registry };
  return {
    Type: 'volume',
    Source: name,
    Target: path,
    ReadOnly: true,
    VolumeOptions: { NoCopy: false, Labels: labels, DriverConfig: { Name: 'local', Options: {} } },
  };
}

/** Ours on top; a label of ours that the image brings is blanked, since a container inherits it otherwise. */
function ownLabels(request: CreateContainer, image: ImageConfig, owner: Owner): Record<string, string> {
  return {
    ...blankedLabels(image),
    [LABELS.specHash]: '',
    [LABELS.build]: '',
    ...request.labels,
    ...labelsOf(owner),
    [LABELS.program]: request.program,
  };
}

/** Every `dev.hersh.` label an image carries, with an empty value: Docker can not drop an inherited label. */
export function blankedLabels(image: Pick<ImageConfig, 'labels'>): Record<string, string> {
  const keys = Object.keys(image.labels).filter((key) => key.startsWith(OUR_PREFIX));
  return Object.fromEntries(keys.map((key) => [key, '']));
}
