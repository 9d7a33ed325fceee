import { createHash } from 'node:crypto';
import { type BigIntStats, createReadStream, createWriteStream } from 'node:fs';
import { lstat, readdir, readFile, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack as tarPack } from 'tar-stream';
import { buildHash, buildIdOf, type ContextEntry, compareBytes } from '../schemas/build-id.ts';
import { AppError, codeOf, messageOf } from '../schemas/errors.ts';
import type { BuildSpec } from '../schemas/program.ts';
import { TEMP_PREFIX } from './atomic-write.ts';
import {
  contextFilter,
  ignoreFileNames,
  MODE_EXECUTABLE,
  MODE_FILE,
  MODE_FOLDER,
  MODE_LINK,
} from './context-entries.ts';
import { restoreContext } from './context-restore.ts';
import { settleMs, statKey } from './settle.ts';

/** More than this is not a source tree. */
const CONTEXT_BYTES_MAX = 2 ** 30;
const CONTEXT_ENTRIES_MAX = 100_000;
/** Folders of the registry that no context includes, even one that is the registry itself. */
const RESERVED = new Set(['.git', 'status', 'data']);

interface LocatedEntry extends ContextEntry {
  path: string;
  statKey: string;
  size: number;
}

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
   * Rejects `BuildFailed` with what to do: gone, leading out of the registry, unreadable, too large.
   */
  look(build: BuildSpec): Promise<BuildContext>;
  /**
   * The path of a tar that holds exactly what `hash` was made of; written once, kept in `data/contexts/`.
   * Rejects `BuildFailed` when the files changed meanwhile: look again.
   */
  snapshot(build: BuildSpec, hash: string): Promise<string>;
  /**
   * Puts the kept snapshot of `hash` back under `sources/`, where no folder there holds the same, and gives the
   * folder relative to the registry. Rejects `Conflict` where no snapshot is kept.
   */
  restore(build: BuildSpec, hash: string, buildId: string): Promise<string>;
}

/**
 * @param root the registry's root
 * @param snapshots folder for the tars
 * @param now epoch milliseconds
 */
export function openContexts(root: string, snapshots: string, now: () => number): Contexts {
  /** Last look at each context, by folder and Dockerfile: what did not change is not read again. */
  const seen = new Map<string, Map<string, LocatedEntry>>();

  async function walk(build: BuildSpec): Promise<{ entries: LocatedEntry[]; againMs: number }> {
    const folder = await locate(root, build.context);
    const key = `${build.context}\0${build.dockerfile}`;
    const before = seen.get(key) ?? new Map<string, LocatedEntry>();
    const isRoot = build.context === '.';
    const { keeps, mayHoldKept } = contextFilter(
      build.dockerfile,
      await ignoreText(folder, build.dockerfile),
    );
    const entries: LocatedEntry[] = [];
    let againMs = 0;
    let bytes = 0;
    const visit = async (inner: string): Promise<void> => {
      const names = await readdir(inner === '' ? folder : join(folder, inner));
      for (const base of names.sort(compareBytes)) {
        if (isRoot && inner === '' && RESERVED.has(base)) continue;
        if (base.startsWith(TEMP_PREFIX)) continue;
        const name = inner === '' ? base : `${inner}/${base}`;
        const path = join(folder, name);
        const stats = await lstat(path, { bigint: true });
        if (stats.isDirectory()) {
          if (keeps(name)) entries.push(folderEntry(name, path));
          if (mayHoldKept(name)) await visit(name);
          continue;
        }
        if (!keeps(name)) continue;
        if (entries.length >= CONTEXT_ENTRIES_MAX) throw tooLarge(build, `${CONTEXT_ENTRIES_MAX} files`);
        bytes += Number(stats.size);
        if (bytes > CONTEXT_BYTES_MAX) throw tooLarge(build, `${CONTEXT_BYTES_MAX} bytes`);
        const known = before.get(name);
        if (known?.statKey === statKey(stats)) {
          entries.push(known);
          continue;
        }
        const wait = settleMs(stats, now());
        if (wait > 0) againMs = Math.max(againMs, wait);
        entries.push(await readEntry(root, build, name, path, stats));
      }
    };
    try {
      await visit('');
    } catch (error) {
      if (error instanceof AppError) throw error;
      // A file that went away between listing and reading: the folder is being changed just now.
      throw new AppError('BuildFailed', `${build.context} can not be read: ${messageOf(error)}`, {
        cause: error,
      });
    }
    const files = entries.filter(({ mode }) => mode !== MODE_FOLDER);
    // What is not settled yet is read again at the next look, since a change within a clock tick shows nowhere.
    seen.set(key, new Map(againMs > 0 ? [] : files.map((entry) => [entry.name, entry])));
    if (!files.some(({ name }) => name === build.dockerfile)) {
      throw new AppError('BuildFailed', `${build.context}/${build.dockerfile} does not exist`, {
        hint: 'Put a Dockerfile there, or name it in spec.build.dockerfile.',
      });
    }
    return { entries, againMs };
  }

  async function look(build: BuildSpec): Promise<BuildContext> {
    const { entries, againMs } = await walk(build);
    const hash = buildHash(build.dockerfile, build.args, entries);
    return { hash, buildId: buildIdOf(hash), againMs };
  }

  return {
    look,
    restore(build, hash, buildId) {
      const holdsSame = async (context: string) =>
        (await look({ ...build, context }).catch(() => undefined))?.hash === hash;
      return restoreContext(root, join(snapshots, `${hash}.tar`), buildId, holdsSame);
    },
    async snapshot(build, hash) {
      const path = join(snapshots, `${hash}.tar`);
      if ((await stat(path).catch(() => undefined))?.isFile()) return path;
      const { entries } = await walk(build);
      const changed = () => new AppError('BuildFailed', `${build.context} changed while it was read`);
      if (buildHash(build.dockerfile, build.args, entries) !== hash) throw changed();
      const temp = join(snapshots, `${TEMP_PREFIX}${hash}`);
      try {
        await writeTar(temp, entries, changed);
        await rename(temp, path);
      } catch (error) {
        await rm(temp, { force: true });
        if (error instanceof AppError) throw error;
        throw new AppError('BuildFailed', `the context can not be kept: ${messageOf(error)}`, {
          cause: error,
          hint: 'Is the disk full?',
        });
      }
      return path;
    },
  };
}

/** The real folder of a context, which lies in the registry and outside its reserved folders. */
export async function locate(root: string, context: string): Promise<string> {
  const realRoot = await realpath(root);
  let folder: string;
  try {
    folder = await realpath(join(root, context));
    if (!(await stat(folder)).isDirectory()) {
      throw new AppError('BuildFailed', `${context} is not a folder`, { hint: 'Mend spec.build.context.' });
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    const why = codeOf(error) === 'ENOENT' ? 'does not exist' : `can not be read: ${messageOf(error)}`;
    throw new AppError('BuildFailed', `${context} ${why}`, {
      cause: error,
      hint: 'spec.build.context names a folder relative to the registry.',
    });
  }
  const inner = relative(realRoot, folder);
  if (leavesOrReserved(inner)) {
    throw new AppError('BuildFailed', `${context} leads out of the registry`, {
      hint: 'A context may be any folder of the registry but .git, status and data; copy the files there.',
    });
  }
  return folder;
}

function leavesOrReserved(inner: string): boolean {
  const first = inner.split(sep)[0] ?? '';
  return first === '..' || inner.startsWith(sep) || RESERVED.has(first);
}

async function ignoreText(folder: string, dockerfile: string): Promise<string | undefined> {
  for (const name of ignoreFileNames(dockerfile)) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
  }
  return undefined;
}

async function readEntry(
  root: string,
  build: BuildSpec,
  name: string,
  path: string,
  stats: BigIntStats,
): Promise<LocatedEntry> {
  const base = { name, path, statKey: statKey(stats), size: Number(stats.size) };
  if (stats.isSymbolicLink()) {
    const target = await readlink(path);
    const end = await realpath(path).catch(() => undefined);
    if (end !== undefined && leavesOrReserved(relative(await realpath(root), end))) {
      throw new AppError('BuildFailed', `${build.context}/${name} is a link that leads out of the registry`, {
        hint: 'Copy the file into the context, or list the link in .dockerignore.',
      });
    }
    return { ...base, mode: MODE_LINK, sha256: createHash('sha256').update(target).digest('hex') };
  }
  if (!stats.isFile()) {
    throw new AppError('BuildFailed', `${build.context}/${name} is neither a file, a folder nor a link`, {
      hint: 'Remove it, or list it in .dockerignore.',
    });
  }
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const executable = (stats.mode & 0o100n) !== 0n;
  return { ...base, mode: executable ? MODE_EXECUTABLE : MODE_FILE, sha256: hash.digest('hex') };
}

function folderEntry(name: string, path: string): LocatedEntry {
  return { name, path, statKey: '', size: 0, mode: MODE_FOLDER, sha256: createHash('sha256').digest('hex') };
}

function tooLarge(build: BuildSpec, limit: string): AppError {
  return new AppError('BuildFailed', `${build.context} holds more than ${limit}`, {
    hint: 'List what the build does not need in .dockerignore.',
  });
}

/** Same entries, same bytes: no times, no owners. */
async function writeTar(
  path: string,
  entries: readonly LocatedEntry[],
  changed: () => AppError,
): Promise<void> {
  const pack = tarPack();
  const written = pipeline(pack, createWriteStream(path, { mode: 0o600 }));
  const fill = async () => {
    for (const entry of [...entries].sort((a, b) => compareBytes(a.name, b.name))) {
      const header = { name: entry.name, mode: entry.mode & 0o777, mtime: new Date(0), uid: 0, gid: 0 };
      if (entry.mode === MODE_FOLDER) {
        pack.entry({ ...header, mode: 0o755, type: 'directory' });
      } else if (entry.mode === MODE_LINK) {
        pack.entry({ ...header, mode: 0o777, type: 'symlink', linkname: await readlink(entry.path) });
      } else {
        const hash = createHash('sha256');
        const sink = pack.entry({ ...header, size: entry.size }) as unknown as Writable;
        let size = 0;
        for await (const chunk of createReadStream(entry.path) as AsyncIterable<Buffer>) {
          size += chunk.length;
          if (size > entry.size) throw changed();
          hash.update(chunk);
          if (!sink.write(chunk)) await new Promise<void>((resolve) => sink.once('drain', () => resolve()));
        }
        if (size !== entry.size || hash.digest('hex') !== entry.sha256) throw changed();
        sink.end();
      }
    }
    pack.finalize();
  };
  await Promise.all([
    written,
    fill().catch((error: unknown) => {
      pack.destroy(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }),
  ]);
}
