import type Docker from 'dockerode';
import { AppError } from '../../../schemas/errors.ts';
import { absent, isNetworkMissing, startError, statusOf } from './errors.ts';
import type { Networks } from './network.ts';
import { holderIn, publishedPort } from './translate.ts';

/** A sandbox that ends just before what joins it is started is started again once. */
const TRIES = 2;

/** Removes what waits on a port as a spare. Gives whether something may have. */
type ClearPort = (port: number) => Promise<boolean>;

/**
 * Starts a container, and before it the sandbox that it joins; a spare on its port gives way. Whether that sandbox runs
 * only a look at it tells: what a start without it says differs by the engine's version. Rejects `PortConflict`,
 * `StartFailed`, `EngineUnavailable`.
 * @param joins the sandbox, `""` for none; undefined where that is not known
 */
export async function startContainer(
  docker: Docker,
  networks: Networks,
  clear: ClearPort,
  id: string,
  joins?: string,
): Promise<'started' | 'gone'> {
  const found = joins === '' ? undefined : await look(docker, id);
  if (found === undefined && joins !== '') return 'gone';
  const holder = found && holderIn(found.HostConfig.NetworkMode, found.Config.Labels);
  if (!holder || found.State.Running) return startPublished(docker, networks, clear, id);
  for (let tries = 1; ; tries++) {
    if ((await raise(docker, networks, clear, holder)) === 'gone') return 'gone';
    try {
      return await startAlone(docker, networks, id);
    } catch (error) {
      if (tries >= TRIES || (await look(docker, holder))?.State.Running === true) throw error;
    }
  }
}

async function raise(
  docker: Docker,
  networks: Networks,
  clear: ClearPort,
  holder: string,
): Promise<'started' | 'gone'> {
  const found = await look(docker, holder);
  if (found === undefined) return 'gone';
  // Paused, it holds its network all the same.
  return found.State.Running ? 'started' : startPublished(docker, networks, clear, holder);
}

/** What is published itself. That a spare is in its way is seen by its start alone, which costs the others nothing. */
async function startPublished(
  docker: Docker,
  networks: Networks,
  clear: ClearPort,
  id: string,
): Promise<'started' | 'gone'> {
  try {
    return await startAlone(docker, networks, id);
  } catch (error) {
    if (!(error instanceof AppError) || error.reason !== 'PortConflict') throw error;
    const found = await look(docker, id);
    if (found === undefined || !(await clear(publishedPort(found)))) throw error;
    return startAlone(docker, networks, id);
  }
}

function look(docker: Docker, id: string): Promise<Docker.ContainerInspectInfo | undefined> {
  return absent(docker.getContainer(id).inspect(), [404], 'StartFailed');
}

/**
 * Starts a container. A network that somebody removed is made anew and the container joins it, since nothing
 * but a start can tell.
 */
export async function startAlone(
  docker: Docker,
  networks: Networks,
  id: string,
): Promise<'started' | 'gone'> {
  const container = docker.getContainer(id);
  try {
    await start(container);
    return 'started';
  } catch (error) {
    if (isNetworkMissing(error)) return rejoin(docker, networks, container, error);
    if (await isGone(container, error)) return 'gone';
    throw startError(error);
  }
}

async function start(container: Docker.Container): Promise<void> {
  try {
    await container.start();
  } catch (error) {
    // It runs already.
    if (statusOf(error) !== 304) throw error;
  }
}

/** 404 is not only the container: a missing command or network is one too. */
async function isGone(container: Docker.Container, error: unknown): Promise<boolean> {
  const status = statusOf(error);
  if (status !== 404 && status !== 409) return false;
  try {
    const { State: state } = await container.inspect();
    return (state as { Status: string }).Status === 'removing' || state.Dead;
  } catch (inspectError) {
    return statusOf(inspectError) === 404;
  }
}

async function rejoin(
  docker: Docker,
  networks: Networks,
  container: Docker.Container,
  cause: unknown,
): Promise<'started' | 'gone'> {
  try {
    const { HostConfig: host } = await container.inspect();
    const name = host.NetworkMode;
    if (name === undefined) throw cause;
    await networks.restore(name);
    const network = docker.getNetwork(name);
    // The container remembers the id of the one that is gone.
    await network.disconnect({ Container: container.id, Force: true }).catch(() => {});
    await network.connect({ Container: container.id });
    await start(container);
    return 'started';
  } catch (error) {
    if (await isGone(container, error)) return 'gone';
    throw startError(error);
  }
}
