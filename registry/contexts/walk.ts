import type { BigIntStats } from 'node:fs';
import { lstat, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { compareBytes } from '../../schemas/build-id.ts';
import { AppError, codeOf, messageOf } from '../../schemas/errors.ts';
import type { BuildSpec } from '../../schemas/program.ts';
import { type Listed, listFolder, printable } from '../files/list-folder.ts';
import { mapLimit } from '../files/map-limit.ts';
import { readAtHome } from '../files/open-at-home.ts';
import { SETTLE_MS, settleMs, statKey } from '../files/settle.ts';
import { unlessGone } from '../files/unless-gone.ts';
import { type Bounds, type LocatedFolder, leadsOut, locate, type MayLink } from './folder.ts';
import { type Filter, type Form, ignoreFileNames } from './form.ts';
import { folderEntry, readEntry } from './read-entry.ts';
import type { LocatedEntry } from './tar.ts';
import { NAME_STEPS, TooMuchWork, type Work } from './work.ts';

/** More than this is not a source tree. */
const CONTEXT_BYTES_MAX = 2 ** 30;
const CONTEXT_ENTRIES_MAX = 100_000;
const IGNORE_BYTES_MAX = 2 ** 20;
const STATS_AT_ONCE = 32;

export interface Walk {
  /** What `COPY` sees. */
  entries: LocatedEntry[];
  /** What the build needs, or what says what it needs, and is kept out of the entries: Dockerfile and ignore file. */
  aside: LocatedEntry[];
  /** By name, what stood still. A file that did not is to be read again: a change within a tick of the clock shows nowhere. */
  settled: Map<string, LocatedEntry>;
  /** Milliseconds after which to look again because a file was just being written; 0 when all are settled. */
  againMs: number;
}

export interface WalkOptions {
  root: string;
  mayLink: MayLink;
  build: BuildSpec;
  form: Form;
  work: Work;
  /** What stood still at the last walk, which is not read again where it is as it was. */
  before: ReadonlyMap<string, LocatedEntry>;
  /** Epoch milliseconds. */
  nowMs: number;
}

/** Every entry of a context. Rejects `BuildFailed` with what to do. */
export async function walkContext(options: WalkOptions): Promise<Walk> {
  const { root, mayLink, build, form, work } = options;
  try {
    const located = await locate(root, build.context, mayLink);
    const { ignoreFile, filter } = await readFilter(located, build, form, work);
    return await createWalker(options, located, filter).walk(ignoreFile);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('BuildFailed', `${build.context} can not be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** What a walk has found so far, within the limits of a context. */
function createTally(
  { build, before, nowMs }: Pick<WalkOptions, 'build' | 'before' | 'nowMs'>,
  bounds: Bounds,
) {
  const result: Walk = { entries: [], aside: [], settled: new Map(), againMs: 0 };
  let bytes = 0;

  const again = (ms = SETTLE_MS + 1): void => {
    result.againMs = Math.max(result.againMs, ms);
  };
  const settle = (stats: BigIntStats): boolean => {
    const wait = settleMs(stats, nowMs);
    again(wait);
    return wait === 0;
  };
  const add = (entry: LocatedEntry): void => {
    result.entries.push(entry);
    if (result.entries.length > CONTEXT_ENTRIES_MAX) throw tooLarge(build, `${CONTEXT_ENTRIES_MAX} files`);
  };

  async function read(name: string, path: string, stats: BigIntStats): Promise<LocatedEntry | undefined> {
    bytes += Number(stats.size);
    if (bytes > CONTEXT_BYTES_MAX) throw tooLarge(build, `${CONTEXT_BYTES_MAX} bytes`);
    const known = before.get(name);
    const isSettled = settle(stats);
    const isKnown = known?.statKey === statKey(stats);
    const entry = isKnown ? known : await readEntry(bounds, build, name, path, stats);
    if (entry === undefined) again();
    else if (isSettled) result.settled.set(name, entry);
    return entry;
  }

  return { result, again, settle, add, read };
}

function createWalker({ build, form, work, before, nowMs }: WalkOptions, at: LocatedFolder, filter: Filter) {
  const { folder, isRoot } = at;
  const { result, again, settle, add, read } = createTally({ build, before, nowMs }, at.bounds);

  async function take(name: string, { path, isText }: Listed, stats: BigIntStats | undefined): Promise<void> {
    // Gone between listing and looking: the folder is being changed just now.
    if (stats === undefined) return again();
    const isFolder = stats.isDirectory();
    if (isFolder) settle(stats);
    const isKept = await filter.keeps(name, isFolder);
    if (isKept && (!isText || typeof path !== 'string')) throw notText(build, folder, path);
    if (isKept && isFolder) add(folderEntry(name, path as string));
    if (isFolder && (isKept || filter.mayHoldKept(name))) await visit(name, path, !isKept);
    if (isFolder || !isKept) return;
    const entry = await read(name, path as string, stats);
    if (entry !== undefined) add(entry);
  }

  /** @param isOut whether the folder is left out: what is let in again is all that counts, and it may not be readable */
  async function visit(inner: string, path: string | Buffer, isOut: boolean): Promise<void> {
    const isTop = inner === '';
    const pass = (error: unknown) => (isOut ? unlessForbidden(error) : unlessGone(error));
    const listed = isTop ? await listFolder(path) : await listFolder(path).catch(pass);
    if (listed === undefined && !isOut) again();
    const names = (listed ?? [])
      .filter(({ base }) => !form.isForeign(base) && !(isRoot && isTop && form.reserved.includes(base)))
      .filter(({ isText }) => isText || form.knowsBytes)
      .sort((a, b) => compareBytes(a.base, b.base));
    const found = await mapLimit(names, STATS_AT_ONCE, (one) =>
      lstat(one.path, { bigint: true }).catch(pass),
    );
    for (const [index, one] of names.entries()) {
      if (work.spend(NAME_STEPS)) await work.pause();
      if (found[index] === undefined && isOut) continue;
      await take(isTop ? one.base : `${inner}/${one.base}`, one, found[index]);
    }
  }

  /** A file that the rules keep out of what `COPY` sees. One behind a link to a folder is none. */
  async function takeAside(name: string): Promise<void> {
    if (result.entries.some((entry) => entry.name === name) || (await filter.keeps(name, false))) return;
    const path = join(folder, name);
    const above = await realpath(dirname(path)).catch(() => '');
    const stats = await lstat(path, { bigint: true }).catch(() => undefined);
    if (above !== dirname(path) || stats === undefined || stats.isDirectory()) return;
    const entry = await read(name, path, stats);
    if (entry !== undefined) result.aside.push(entry);
  }

  return {
    async walk(ignoreFile: string | undefined): Promise<Walk> {
      settle(await lstat(folder, { bigint: true }));
      await visit('', folder, false);
      for (const name of new Set([build.dockerfile, ...(ignoreFile === undefined ? [] : [ignoreFile])]))
        await takeAside(name);
      return result;
    },
  };
}

async function readFilter(
  { folder, bounds }: LocatedFolder,
  build: BuildSpec,
  form: Form,
  work: Work,
): Promise<{ filter: Filter; ignoreFile?: string }> {
  for (const name of ignoreFileNames(build.dockerfile)) {
    const path = join(folder, name);
    try {
      const text = await readAtHome(path, (real) => leadsOut(bounds, real), IGNORE_BYTES_MAX);
      const filter = await form.filter(build, text, work);
      return { ignoreFile: name, filter: telling(filter, `${build.context}/${name}`) };
    } catch (error) {
      if (codeOf(error) === 'ENOENT') continue;
      throw notUsable(`${build.context}/${name}`, error);
    }
  }
  return { filter: await form.filter(build, undefined, work) };
}

/** A rule that can not be used may show only when it is asked. */
function telling(filter: Filter, label: string): Filter {
  return {
    ...filter,
    keeps: (name, isFolder) =>
      filter.keeps(name, isFolder).catch((error: unknown) => {
        throw notUsable(label, error);
      }),
  };
}

/** To go on without it would send what it was to keep out. */
function notUsable(label: string, error: unknown): AppError {
  return new AppError('BuildFailed', `${label} can not be used: ${messageOf(error)}`, {
    cause: error,
    ...(error instanceof TooMuchWork && {
      hint: 'Use fewer or simpler rules, or leave out large folders first.',
    }),
  });
}

/** As `unlessGone`, of what may also be closed to the host. */
function unlessForbidden(error: unknown): undefined {
  if (!['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(codeOf(error))) throw error;
}

function notText(build: BuildSpec, folder: string, path: string | Buffer): AppError {
  const name = printable(path).slice(printable(folder).length + 1);
  return new AppError('BuildFailed', `${build.context}/${name} has a name that is not UTF-8`, {
    hint: 'Rename it, or list it in .dockerignore: "?" stands there for a byte that is no text.',
  });
}

function tooLarge(build: BuildSpec, limit: string): AppError {
  return new AppError('BuildFailed', `${build.context} holds more than ${limit}`, {
    hint: 'List what the build does not need in .dockerignore.',
  });
}
