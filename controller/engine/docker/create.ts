import { randomBytes } from 'node:crypto';
import type Docker from 'dockerode';
import { AppError } from '../../../schemas/errors.ts';
import type { CreateContainer } from '../engine.ts';
import { describeOther, isOwn, labelsOf, OTHER_REGISTRY_HINT, type Owner } from '../owner.ts';
import type { Connection } from './client.ts';
import { absent, engineError, failureOf, statusOf } from './errors.ts';
import { createOptions, imageConfigOf } from './hardening.ts';
import { holdImage } from './held-images.ts';
import { prepareImageVolumes } from './image-volumes.ts';
import { claimImage } from './images.ts';
import type { Networks } from './network.ts';
import { imageVolumes, removeContainer, removeImageVolumes } from './remove.ts';
import type { Sandboxes } from './sandboxes.ts';
import { giveState } from './state-owner.ts';
import { containerOf } from './translate.ts';

export interface CreateDeps {
  connection: Connection;
  networks: Networks;
  sandboxes: Pick<Sandboxes, 'ensure'>;
  owner: Owner;
}

/**
 * Makes a program's container, with its volume and network. Rejects `ImageNotFound`, `StartFailed`,
 * `EngineUnavailable`; then no container is left.
 */
export async function createContainer(deps: CreateDeps, request: CreateContainer): Promise<string> {
  try {
    return await create(deps, request);
  } catch (error) {
    throw engineError(error, 'StartFailed');
  }
}

async function create(deps: CreateDeps, request: CreateContainer): Promise<string> {
  const { connection, networks, owner } = deps;
  const docker = connection.quick;
  const image = await inspectImage(docker, request.image);
  await claimImage(docker, image, owner);
  await holdImage(docker, image, owner);
  const config = imageConfigOf(image);
  const network = request.sandboxed
    ? `container:${await deps.sandboxes.ensure(request)}`
    : await networks.pick();
  const options = createOptions(request, config, {
    owner,
    network,
    // One a container: two that fill the same one at a time would see it half full.
    volumeName: () => `${request.name}-image-volume-${randomBytes(6).toString('hex')}`,
  });
  const made = { image: request.image, config, owner };
  const mounts = options.HostConfig?.Mounts ?? [];
  let id = '';
  try {
    await prepareImageVolumes(connection, made, imageVolumes(mounts));
    await ensureVolume(docker, owner, request);
    id = (await createNamed(docker, options, request, owner)).id;
    await giveState(connection, id, { ...made, volume: request.volume });
    return id;
  } catch (error) {
    // Their names are this try's own: nobody would look for them.
    const undo = id === '' ? removeImageVolumes(docker, mounts) : removeContainer(connection, id);
    await undo.catch(() => {});
    throw error;
  }
}

async function inspectImage(docker: Docker, image: string): Promise<Docker.ImageInspectInfo> {
  try {
    return await docker.getImage(image).inspect();
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    throw new AppError('ImageNotFound', `no image ${image} on this machine`, { cause: error });
  }
}

/** A volume without our label is taken as it is: somebody restored it from a backup. */
async function ensureVolume(docker: Docker, owner: Owner, request: CreateContainer): Promise<void> {
  const there = await absent(docker.getVolume(request.volume).inspect(), [404], 'StartFailed');
  if (there === undefined) {
    const labels = { ...request.volumeLabels, ...labelsOf(owner) };
    await docker.createVolume({ Name: request.volume, Labels: labels });
    return;
  }
  const other = describeOther(owner, there.Labels ?? {});
  if (other !== '') throw otherRegistrys(`volume ${request.volume} belongs to ${other}`);
}

/**
 * Nothing that has the name is removed for it: whose it is its labels can not tell, and the next look takes up what a
 * host has left that was killed.
 */
async function createNamed(
  docker: Docker,
  options: Docker.ContainerCreateOptions,
  { name, program }: CreateContainer,
  owner: Owner,
): Promise<Docker.Container> {
  try {
    return await docker.createContainer(options);
  } catch (error) {
    if (statusOf(error) === 404) {
      throw new AppError('ImageNotFound', failureOf(error).message, { cause: error });
    }
    if (statusOf(error) !== 409) throw error;
    const holder = containerOf(await docker.getContainer(name).inspect());
    const { labels, state, id } = holder;
    const other = holder.program === '' ? '' : describeOther(owner, labels);
    const taken = `the name ${name} is taken by container ${id.slice(0, 12)}`;
    if (other !== '') throw otherRegistrys(`${taken} (${holder.program} of ${other}, ${state})`, error);
    const isLabelled = isOwn(owner, labels) && holder.program === program;
    const whose = isLabelled
      ? 'with the labels of this program'
      : holder.program || 'not a program of this host';
    throw new AppError('StartFailed', `${taken} (${whose}, ${state})`, {
      cause: error,
      hint: `Remove it: docker rm -f ${name}`,
    });
  }
}

/** Two registries on one engine want the same name: told, and nothing of the other's is touched. */
function otherRegistrys(message: string, cause?: unknown): AppError {
  return new AppError('StartFailed', message, { cause, hint: OTHER_REGISTRY_HINT });
}
