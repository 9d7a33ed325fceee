import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buildHash, buildIdOf } from '../../schemas/build-id.ts';
import { AppError, codeOf, messageOf } from '../../schemas/errors.ts';
import type { BuildSpec } from '../../schemas/program.ts';
import { temporaryName } from '../files/atomic-write.ts';
import { isThere } from '../files/is-there.ts';
import { statKey } from '../files/settle.ts';
import { damagedSources } from './restore.ts';
import { ContextChanged, type LocatedEntry, readTar, writeTar } from './tar.ts';

/** `data/contexts/<hash>.tar`: what images were built from. */
export interface Snapshots {
  fileOf(hash: string): string;
  /** See `Contexts.has`. */
  has(build: BuildSpec, hash: string): Promise<boolean>;
  /**
   * Keeps a snapshot where there is none that is whole, see `Contexts.snapshot`, and gives its path.
   * @param read gives the entries of the context as it is now
   */
  keep(build: BuildSpec, hash: string, read: () => Promise<LocatedEntry[]>): Promise<string>;
}

export function openSnapshots(folder: string): Snapshots {
  /** Keys of the tars that were found whole. To read one takes long, so it is done once in the life of a host. */
  const whole = new Map<string, string>();
  const fileOf = (hash: string) => join(folder, `${hash}.tar`);

  async function has(build: BuildSpec, hash: string): Promise<boolean> {
    const stats = await stat(fileOf(hash), { bigint: true }).catch(() => undefined);
    if (stats?.isFile() !== true) return false;
    if (whole.get(hash) === statKey(stats)) return true;
    const entries = await readTar(fileOf(hash)).catch(() => []);
    const isWhole = buildHash(build.dockerfile, build.args, entries) === hash;
    if (isWhole) whole.set(hash, statKey(stats));
    return isWhole;
  }

  return {
    fileOf,
    has,
    async keep(build, hash, read) {
      const path = fileOf(hash);
      if (await has(build, hash)) return path;
      const isDamaged = await isThere(path);
      const entries = await read();
      const temp = join(folder, temporaryName());
      try {
        if (buildHash(build.dockerfile, build.args, entries) !== hash) throw new ContextChanged();
        await writeTar(temp, entries);
        await rename(temp, path);
      } catch (error) {
        await rm(temp, { force: true }).catch(() => undefined);
        throw notKept(error, temp, build, isDamaged ? buildIdOf(hash) : '');
      }
      return path;
    },
  };
}

/** @param damaged the build id, where what was kept until now is damaged; or `""` */
function notKept(error: unknown, temp: string, { context }: BuildSpec, damaged: string): AppError {
  const { path: where = '', syscall = '' } = error as NodeJS.ErrnoException;
  const isSource = where === '' ? syscall === 'read' : where !== temp;
  if (error instanceof ContextChanged || (isSource && codeOf(error) === 'ENOENT')) {
    if (damaged !== '') return damagedSources('RegistryUnavailable', damaged);
    return new AppError('ContextChanged', `${context} changed while it was read`);
  }
  // What the folder of snapshots refuses says nothing about the sources, and is over one day.
  const reason = isSource || codeOf(error) === '' ? 'BuildFailed' : 'RegistryUnavailable';
  const hint = 'Free disk space, or mend data/contexts: it is then tried again by itself.';
  return new AppError(reason, `the context can not be kept: ${messageOf(error)}`, {
    cause: error,
    ...(reason === 'RegistryUnavailable' ? { hint } : {}),
  });
}
