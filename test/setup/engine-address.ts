import type { NetConnectOpts } from 'node:net';
import { targetOf } from '../../controller/engine/docker/client.ts';

/** Where the engine of the tests listens: what DOCKER_HOST says, or the local socket. */
export function engineAddress(dockerHost = process.env.DOCKER_HOST || 'unix://'): NetConnectOpts {
  const target = targetOf(dockerHost) as { host?: string; port?: string; socketPath?: string };
  if (target.socketPath !== undefined) return { path: target.socketPath };
  return { host: target.host ?? 'localhost', port: Number(target.port) };
}
