import type Docker from 'dockerode';
import { absent, isNetworkMissing, startError, statusOf } from './errors.ts';
import type { Networks } from './network.ts';
import { holderIn, publishedPort } from './translate.ts';

/** A sandbox that ends just before what joins it is started is started again once. */
const TRIES = 2;

/**
 * Starts a container, and before it the sandbox that it joins; whatever waits as a spare on its port gives way. Whether that runs only a look at it tells: what a start
 * without it says differs by the engine's version. Rejects `PortConflict`, `StartFailed`, `EngineUnavailable`.
 */
export async function startContainer(
  docker: Docker,
  networks: Networks,
  spares: { clear(port: number): Promise<void> },
  id: string,
): Promise<'started' | 'gone'> {
  const found = await absent(docker.getContainer(id).inspect(), [404], 'StartFailed');
  if (found === undefined) return 'gone';
  const holder = holderIn(found.HostConfig.NetworkMode, found.Config.Labels);
  if (found.State.Running) return startAlone(docker, networks, id);
  await spares.clear(publishedPort(found));
  if (holder === '') return startAlone(docker, networks, id);
  for (let tries = 1; ; tries++) {
    if ((await raise(docker, networks, holder)) === 'gone') return 'gone';
    try {
      return await startAlone(docker, networks, id);
    } catch (error) {
      if (tries >= TRIES || (await isRunning(docker, holder))) throw error;
    }
  }
}

async function raise(docker: Docker, networks: Networks, holder: string): Promise<'started' | 'gone'> {
  const found = await absent(docker.getContainer(holder).inspect(), [404], 'StartFailed');
  if (found === undefined) return 'gone';
  // Paused, it holds its network all the same.
  return found.State.Running ? 'started' : startAlone(docker, networks, holder);
}

async function isRunning(docker: Docker, id: string): Promise<boolean> {
  const found = await absent(docker.getContainer(id).inspect(), [404], 'StartFailed');
  return found?.State.Running === true;
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
