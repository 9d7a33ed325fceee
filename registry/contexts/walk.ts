import { createHash } from 'node:crypto';
import { type BigIntStats, createReadStream } from 'node:fs';
import { lstat, readdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { compareBytes } from '../../schemas/build-id.ts';
import { AppError, codeOf, messageOf } from '../../schemas/errors.ts';
import type { BuildSpec } from '../../schemas/program.ts';
import { ROOT_FOLDERS_LEFT_OUT } from '../../schemas/resolve.ts';
import { isTemporary } from '../files/atomic-write.ts';
import { mapLimit } from '../files/map-limit.ts';
import { SETTLE_MS, settleMs, statKey } from '../files/settle.ts';
import { unlessGone } from '../files/unless-gone.ts';
import { contextFilter, ignoreFileNames, MODE_FOLDER, modeOf } from './entries.ts';
import { leadsOut, locate } from './folder.ts';
import { type LocatedEntry, sha256 } from './tar.ts';

/** More than this is not a source tree. */
const CONTEXT_BYTES_MAX = 2 ** 30;
const CONTEXT_ENTRIES_MAX = 100_000;
const IGNORE_BYTES_MAX = 2 ** 20;
const STATS_AT_ONCE = 32;

export interface Walk {
  entries: LocatedEntry[];
  /** By name, what stood still. A file that did not is to be read again: a change within a tick of the clock shows nowhere. */
  settled: Map<string, LocatedEntry>;
  /** Milliseconds after which to look again because a file was just being written; 0 when all are settled. */
  againMs: number;
}

/**
 * Every entry of a context. Rejects `BuildFailed` with what to do.
 * @param before what stood still at the last walk, which is not read again where it is as it was
 * @param nowMs epoch milliseconds
 */
export async function walkContext(
  root: string,
  build: BuildSpec,
  before: ReadonlyMap<string, LocatedEntry>,
  nowMs: number,
): Promise<Walk> {
  try {
    return await walk(root, build, before, nowMs);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('BuildFailed', `${build.context} can not be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function walk(
  root: string,
  build: BuildSpec,
  before: ReadonlyMap<string, LocatedEntry>,
  nowMs: number,
): Promise<Walk> {
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
    const listed = isTop ? await readdir(folder) : await readdir(join(folder, inner)).catch(unlessGone);
    if (listed === undefined) againMs = Math.max(againMs, SETTLE_MS + 1);
    const bases = (listed ?? [])
      .filter((base) => !isTemporary(base) && !(isRoot && isTop && ROOT_FOLDERS_LEFT_OUT.includes(base)))
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
  return lstat(path, { bigint: true }).catch(unlessGone);
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
    const target = await readlink(path).catch(unlessGone);
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
    unlessGone(error);
    return 'gone';
  });
  return read === 'gone' ? undefined : { ...base, sha256: hash.digest('hex') };
}

function folderEntry(name: string, path: string): LocatedEntry {
  return { name, path, statKey: '', size: 0, mode: MODE_FOLDER, sha256: sha256('') };
}

function tooLarge(build: BuildSpec, limit: string): AppError {
  return new AppError('BuildFailed', `${build.context} holds more than ${limit}`, {
    hint: 'List what the build does not need in .dockerignore.',
  });
}
