import type Docker from 'dockerode';
import { isNetworkMissing, startError, statusOf } from './errors.ts';
import type { Networks } from './network.ts';

/**
 * Starts a container. A network that somebody removed is made anew and the container joins it, since nothing
 * but a start can tell. Rejects `PortConflict`, `StartFailed`, `EngineUnavailable`.
 */
export async function startContainer(
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
