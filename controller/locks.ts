import { createHash } from 'node:crypto';
import { chmod, mkdir, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { refuseLinkedOwnFolders } from '../registry/git/linked-own-folders.ts';
import { acquireLock, type Lock } from '../registry/records/lock.ts';
import { AppError, messageOf } from '../schemas/errors.ts';
import type { Config } from './config.ts';

/**
 * One host a registry, and one host an instance on each engine; both locks name their owner. Rejects `Conflict` where
 * another host has one of them, and `RegistryUnavailable`.
 */
export async function takeLocks({ registry, instance }: Config): Promise<Lock> {
  // Before the first file is written there.
  await refuseLinkedOwnFolders(registry);
  const folder = join(registry, 'data', 'locks');
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw new AppError(
      'RegistryUnavailable',
      `the registry ${registry} can not be used: ${messageOf(error)}`,
    );
  });
  const shared = join(tmpdir(), 'hersh-host-locks');
  await mkdir(shared, { recursive: true });
  // Hosts of all users of this machine may share an engine; mkdir's mode would be cut by the umask.
  await chmod(shared, 0o1777).catch(() => undefined);
  const engine = await engineEndpoint();
  const key = createHash('sha256').update(engine).digest('hex').slice(0, 12);
  const about = `registry ${registry}, instance ${instance}`;
  const ofRegistry = await acquireLock(join(folder, 'host.lock'), `the registry ${registry}`, about);
  try {
    const what = `the instance ${instance} on the engine ${engine}`;
    const ofInstance = await acquireLock(join(shared, `${key}-${instance}.lock`), what, about);
    return {
      async release() {
        await ofRegistry.release();
        await ofInstance.release();
      },
    };
  } catch (error) {
    await ofRegistry.release();
    throw error;
  }
}

/** The engine by one name, however it is spelled: /var/run is a link to /run on most machines. */
async function engineEndpoint(): Promise<string> {
  const given = process.env.DOCKER_HOST || 'unix:///var/run/docker.sock';
  if (!given.startsWith('unix://')) return given;
  const path = given.slice('unix://'.length);
  const folder = await realpath(dirname(path)).catch(() => dirname(path));
  return `unix://${join(folder, basename(path))}`;
}
