import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buildHashSteps, buildIdOf } from '../../schemas/build-id.ts';
import { AppError, codeOf, messageOf } from '../../schemas/errors.ts';
import type { BuildSpec } from '../../schemas/program.ts';
import { temporaryName } from '../files/atomic-write.ts';
import { isThere } from '../files/is-there.ts';
import { inSlices } from '../files/pause.ts';
import { statKey } from '../files/settle.ts';
import { contentOf } from './entries.ts';
import { damagedSources } from './restore.ts';
import { ContextChanged, type LocatedEntry, readTar, type Sifted, writeTar } from './tar.ts';

/** A tar that holds what a build gets. */
export interface Snapshot {
  path: string;
  /** Names in the context of what the tar has under `asideName`: no `COPY` is to see it. */
  aside: readonly string[];
}

/** `data/contexts/<hash>.tar`: what images were built from. */
export interface Snapshots {
  fileOf(hash: string): string;
  /** See `Contexts.has`. */
  has(build: BuildSpec, hash: string): Promise<boolean>;
  /**
   * Keeps a snapshot where there is none that is whole, see `Contexts.snapshot`.
   * @param read gives the context as it is now
   */
  keep(build: BuildSpec, hash: string, read: () => Promise<Sifted<LocatedEntry>>): Promise<Snapshot>;
}

/** The hash of what a build gets, a slice at a time. */
export function hashOf(build: BuildSpec, sifted: Sifted): Promise<string> {
  return inSlices(buildHashSteps(build.dockerfile, build.args, contentOf(build, sifted)));
}

export function openSnapshots(folder: string): Snapshots {
  /** What was found whole. To read one takes long, so it is done once in the life of a host. */
  const whole = new Map<string, { key: string; aside: readonly string[] }>();
  const fileOf = (hash: string) => join(folder, `${hash}.tar`);

  async function find(build: BuildSpec, hash: string): Promise<Snapshot | undefined> {
    const path = fileOf(hash);
    const stats = await stat(path, { bigint: true }).catch(() => undefined);
    if (stats?.isFile() !== true) return undefined;
    const known = whole.get(hash);
    if (known?.key === statKey(stats)) return { path, aside: known.aside };
    const sifted = await readTar(path).catch(() => undefined);
    if (sifted === undefined || (await hashOf(build, sifted)) !== hash) return undefined;
    const aside = sifted.aside.map(({ name }) => name);
    whole.set(hash, { key: statKey(stats), aside });
    return { path, aside };
  }

  return {
    fileOf,
    has: async (build, hash) => (await find(build, hash)) !== undefined,
    async keep(build, hash, read) {
      const found = await find(build, hash);
      if (found !== undefined) return found;
      const path = fileOf(hash);
      const isDamaged = await isThere(path);
      const temp = join(folder, temporaryName());
      try {
        const sifted = await read();
        if ((await hashOf(build, sifted)) !== hash) throw new ContextChanged();
        await writeTar(temp, sifted);
        await rename(temp, path);
        return { path, aside: sifted.aside.map(({ name }) => name) };
      } catch (error) {
        if (error instanceof AppError) throw error;
        await rm(temp, { force: true }).catch(() => undefined);
        throw notKept(error, temp, build, isDamaged ? buildIdOf(hash) : '');
      }
    },
  };
}

/** @param damaged the build id, where what was kept until now is damaged; or `""` */
function notKept(error: unknown, temp: string, { context }: BuildSpec, damaged: string): AppError {
  const { path: where = '', syscall = '' } = error as NodeJS.ErrnoException;
  const isSource = where === '' ? syscall === 'read' : where !== temp;
  if (error instanceof ContextChanged || (isSource && codeOf(error) === 'ENOENT')) {
    if (damaged !== '') return damagedSources('RegistryUnavailable', damaged);
    return new AppError('ContextChanged', `${context} changed while it was read`, { cause: error });
  }
  // What the folder of snapshots refuses says nothing about the sources, and is over one day.
  const reason = isSource || codeOf(error) === '' ? 'BuildFailed' : 'RegistryUnavailable';
  const hint = 'Free disk space, or mend data/contexts: it is then tried again by itself.';
  return new AppError(reason, `the context can not be kept: ${messageOf(error)}`, {
    cause: error,
    ...(reason === 'RegistryUnavailable' ? { hint } : {}),
  });
}
