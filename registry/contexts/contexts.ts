import { createHash, randomBytes } from 'node:crypto';
import { type BigIntStats, createReadStream } from 'node:fs';
import { lstat, readdir, readFile, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { buildHash, buildIdOf, compareBytes } from '../../schemas/build-id.ts';
import { AppError, codeOf, messageOf } from '../../schemas/errors.ts';
import type { BuildSpec } from '../../schemas/program.ts';
import { RESERVED_FOLDERS } from '../../schemas/resolve.ts';
import { isTemporary, TEMP_PREFIX } from '../files/atomic-write.ts';
import { mapLimit } from '../files/map-limit.ts';
import { SETTLE_MS, settleMs, statKey } from '../files/settle.ts';
import { contextFilter, ignoreFileNames, MODE_FOLDER, modeOf } from './entries.ts';
import { leadsOut, locate } from './folder.ts';
import { damagedSources, restoreContext } from './restore.ts';
import type { OnPlace, PlacedSources } from './source-folder.ts';
import { ContextChanged, type LocatedEntry, readTar, sha256, writeTar } from './tar.ts';

/** More than this is not a source tree. */
const CONTEXT_BYTES_MAX = 2 ** 30;
const CONTEXT_ENTRIES_MAX = 100_000;
const IGNORE_BYTES_MAX = 2 ** 20;
const STATS_AT_ONCE = 32;

/** A context as it is on the disk now. */
export interface BuildContext {
  /** Whole hash, 64 hex digits. */
  hash: string;
  buildId: string;
  /** Milliseconds after which to look again because a file was just being written; 0 when all are settled. */
  againMs: number;
}

export interface Contexts {
  /**
   * Looks at every file of the context and reads those that changed since the last look.
   * Rejects `BuildFailed` with what to do: gone, leading out of the registry, unreadable, too large; `SourcesHeld`
   * where that says nothing at present.
   */
  look(build: BuildSpec): Promise<BuildContext>;
  /**
   * The path of a tar that holds exactly what `hash` was made of; written once, kept in `data/contexts/`, and written
   * anew where it is damaged. Rejects `ContextChanged` when the files changed meanwhile: look again. Rejects
   * `RegistryUnavailable` where they can not be kept, or what is kept is damaged and there is nothing else; `BuildFailed`
   * where they can not be read.
   */
  snapshot(build: BuildSpec, hash: string): Promise<string>;
  /** Whether a snapshot of that hash is kept, and whole. */
  has(build: BuildSpec, hash: string): Promise<boolean>;
  /** Forgets what was read of every context but these, so that memory does not grow with what is used no more. */
  keepOnly(builds: readonly BuildSpec[]): void;
  /**
   * Puts the kept snapshot of `hash` back under `sources/`, where no folder there holds the same. Rejects `Conflict`
   * where no snapshot is kept, or it is damaged.
   */
  restore(build: BuildSpec, hash: string, buildId: string, onPlace?: OnPlace): Promise<PlacedSources>;
  /** Whether the folder holds just what `hash` was made of. */
  holds(build: BuildSpec, hash: string): Promise<boolean>;
}

interface Walk {
  entries: LocatedEntry[];
  againMs: number;
}

/**
 * @param root the registry's root
 * @param snapshots folder for the tars
 * @param now epoch milliseconds
 */
export function openContexts(root: string, snapshots: string, now: () => number): Contexts {
  /** Last look at each context, by folder and Dockerfile: what did not change is not read again. */
  const seen = new Map<string, Map<string, LocatedEntry>>();

  const keyOf = (build: BuildSpec) => `${build.context}\0${build.dockerfile}`;

  async function walk(build: BuildSpec): Promise<Walk> {
    const key = keyOf(build);
    let result: Walk & { settled: Map<string, LocatedEntry> };
    try {
      result = await walkContext(root, build, seen.get(key) ?? new Map(), now());
    } catch (error) {
      seen.delete(key);
      if (error instanceof AppError) throw error;
      throw new AppError('BuildFailed', `${build.context} can not be read: ${messageOf(error)}`, {
        cause: error,
      });
    }
    seen.set(key, result.settled);
    const isThere = result.entries.some(
      ({ name, mode }) => name === build.dockerfile && mode !== MODE_FOLDER,
    );
    if (!isThere && result.againMs === 0) {
      throw new AppError('BuildFailed', `${build.context}/${build.dockerfile} does not exist`, {
        hint: 'Put a Dockerfile there, or name it in spec.build.dockerfile.',
      });
    }
    return result;
  }

  async function look(build: BuildSpec): Promise<BuildContext> {
    const { entries, againMs } = await walk(build);
    const hash = buildHash(build.dockerfile, build.args, entries);
    return { hash, buildId: buildIdOf(hash), againMs };
  }

  const holds = async (build: BuildSpec, hash: string) =>
    (await look(build).catch(() => undefined))?.hash === hash;
  const fileOf = (hash: string) => join(snapshots, `${hash}.tar`);
  /** Keys of the tars that were found whole. To read one takes long, so it is done once in the life of a host. */
  const whole = new Map<string, string>();

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
    look,
    has,
    keepOnly(builds) {
      const kept = new Set(builds.map(keyOf));
      for (const key of seen.keys()) if (!kept.has(key)) seen.delete(key);
    },
    holds,
    restore(build, hash, buildId, onPlace = async () => undefined) {
      const holdsSame = (context: string) => holds({ ...build, context }, hash);
      return restoreContext(root, fileOf(hash), buildId, () => has(build, hash), holdsSame, onPlace);
    },
    async snapshot(build, hash) {
      const path = fileOf(hash);
      if (await has(build, hash)) return path;
      const isDamaged = (await lstat(path).catch(() => undefined)) !== undefined;
      const { entries } = await walk(build);
      const temp = join(snapshots, `${TEMP_PREFIX}${randomBytes(6).toString('hex')}`);
      try {
        if (buildHash(build.dockerfile, build.args, entries) !== hash) throw new ContextChanged();
        await writeTar(temp, entries);
        await rename(temp, path);
      } catch (error) {
        await rm(temp, { force: true }).catch(() => undefined);
        const { path: where = '', syscall = '' } = error as NodeJS.ErrnoException;
        const isSource = where === '' ? syscall === 'read' : where !== temp;
        if (error instanceof ContextChanged || (isSource && codeOf(error) === 'ENOENT')) {
          if (isDamaged) throw damagedSources('RegistryUnavailable', buildIdOf(hash));
          throw new AppError('ContextChanged', `${build.context} changed while it was read`);
        }
        // What the folder of snapshots refuses says nothing about the sources, and is over one day.
        const reason = isSource || codeOf(error) === '' ? 'BuildFailed' : 'RegistryUnavailable';
        const hint = 'Free disk space, or mend data/contexts: it is then tried again by itself.';
        throw new AppError(reason, `the context can not be kept: ${messageOf(error)}`, {
          cause: error,
          ...(reason === 'RegistryUnavailable' ? { hint } : {}),
        });
      }
      return path;
    },
  };
}

/**
 * Every entry of a context.
 * @param before what is known of files that stood still at the last look
 * @returns also what stood still at this one; a file that did not is read again, since a change within a tick of
 * the clock shows nowhere
 */
async function walkContext(
  root: string,
  build: BuildSpec,
  before: ReadonlyMap<string, LocatedEntry>,
  nowMs: number,
): Promise<Walk & { settled: Map<string, LocatedEntry> }> {
  const { folder, realRoot, isRoot } = await locate(root, build.context);
  const { keeps, mayHoldKept } = await readFilter(folder, build);
  const entries: LocatedEntry[] = [];
  const settled = new Map<string, LocatedEntry>();
  let againMs = 0;
  let bytes = 0;

  const settle = (stats: BigIntStats): boolean => {
    const wait = settleMs(stats, nowMs);
    againMs = Math.max(againMs, wait);
    return wait === 0;
  };
  const add = (entry: LocatedEntry): void => {
    entries.push(entry);
    if (entries.length > CONTEXT_ENTRIES_MAX) throw tooLarge(build, `${CONTEXT_ENTRIES_MAX} files`);
  };
  const visit = async (inner: string): Promise<void> => {
    const isTop = inner === '';
    const listed = isTop ? await readdir(folder) : await readdir(join(folder, inner)).catch(goneAsUndefined);
    if (listed === undefined) againMs = Math.max(againMs, SETTLE_MS + 1);
    const bases = (listed ?? [])
      .filter((base) => !isTemporary(base) && !(isRoot && isTop && RESERVED_FOLDERS.includes(base)))
      .sort(compareBytes);
    const found = await mapLimit(bases, STATS_AT_ONCE, (base) => statOf(join(folder, inner, base)));
    for (const [index, base] of bases.entries()) {
      const name = isTop ? base : `${inner}/${base}`;
      const path = join(folder, name);
      const stats = found[index];
      // Gone between listing and looking: the folder is being changed just now.
      if (stats === undefined) againMs = Math.max(againMs, SETTLE_MS + 1);
      else if (stats.isDirectory()) {
        settle(stats);
        if (keeps(name)) add(folderEntry(name, path));
        if (mayHoldKept(name)) await visit(name);
      } else if (keeps(name)) {
        bytes += Number(stats.size);
        if (bytes > CONTEXT_BYTES_MAX) throw tooLarge(build, `${CONTEXT_BYTES_MAX} bytes`);
        const known = before.get(name);
        const isSettled = settle(stats);
        const entry =
          known?.statKey === statKey(stats) ? known : await readEntry(realRoot, build, name, path, stats);
        if (entry === undefined) againMs = Math.max(againMs, SETTLE_MS + 1);
        else add(entry);
        if (entry !== undefined && isSettled) settled.set(name, entry);
      }
    }
  };
  settle(await lstat(folder, { bigint: true }));
  await visit('');
  return { entries, settled, againMs };
}

async function readFilter(folder: string, build: BuildSpec): Promise<ReturnType<typeof contextFilter>> {
  for (const name of ignoreFileNames(build.dockerfile)) {
    const path = join(folder, name);
    try {
      const stats = await stat(path);
      if (!stats.isFile() || stats.size > IGNORE_BYTES_MAX) throw new Error('it is no file of that kind');
      return contextFilter(build.dockerfile, await readFile(path, 'utf8'));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') continue;
      // To go on without it would send what it was to keep out.
      throw new AppError('BuildFailed', `${build.context}/${name} can not be used: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
  return contextFilter(build.dockerfile, undefined);
}

async function statOf(path: string): Promise<BigIntStats | undefined> {
  return lstat(path, { bigint: true }).catch(goneAsUndefined);
}

/** The entry, or undefined where it is gone by now. */
async function readEntry(
  realRoot: string,
  build: BuildSpec,
  name: string,
  path: string,
  stats: BigIntStats,
): Promise<LocatedEntry | undefined> {
  const base = { name, path, statKey: statKey(stats), size: Number(stats.size), mode: modeOf(stats) };
  if (stats.isSymbolicLink()) {
    const target = await readlink(path).catch(goneAsUndefined);
    const end = await realpath(path).catch(() => undefined);
    if (end !== undefined && leadsOut(realRoot, end)) {
      throw new AppError('BuildFailed', `${build.context}/${name} is a link that leads out of the registry`, {
        hint: 'Copy the file into the context, or list the link in .dockerignore.',
      });
    }
    return target === undefined ? undefined : { ...base, sha256: sha256(target) };
  }
  if (!stats.isFile()) {
    throw new AppError('BuildFailed', `${build.context}/${name} is neither a file, a folder nor a link`, {
      hint: 'Remove it, or list it in .dockerignore.',
    });
  }
  const hash = createHash('sha256');
  const read = await pipeline(createReadStream(path), hash).catch((error: unknown) => {
    goneAsUndefined(error);
    return 'gone';
  });
  return read === 'gone' ? undefined : { ...base, sha256: hash.digest('hex') };
}

function goneAsUndefined(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
  return undefined;
}

function folderEntry(name: string, path: string): LocatedEntry {
  return { name, path, statKey: '', size: 0, mode: MODE_FOLDER, sha256: sha256('') };
}

function tooLarge(build: BuildSpec, limit: string): AppError {
  return new AppError('BuildFailed', `${build.context} holds more than ${limit}`, {
    hint: 'List what the build does not need in .dockerignore.',
  });
}
