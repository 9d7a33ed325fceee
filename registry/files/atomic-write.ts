/** How files are written and read, whatever is in them: whole, within limits, one after the other. */

import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, renameSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { type FileHandle, link, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../../schemas/errors.ts';

/** Temporary files of the host: never manifests, and cleaned at the next start. */
export const TEMP_PREFIX = '.hersh-tmp-';

/** A name for such a file or folder that nobody else has. */
export function temporaryName(): string {
  return `${TEMP_PREFIX}${randomBytes(6).toString('hex')}`;
}

/** Whether a file or folder of that name is one the host is just writing. */
export function isTemporary(base: string): boolean {
  return base.startsWith(TEMP_PREFIX);
}

/** What is written without a wait keeps everything else waiting: some tens of microseconds for so much. */
const AT_ONCE_MAX = 64 * 1024;

const temporaryOf = (path: string) =>
  join(dirname(path), `${temporaryName()}-${basename(path).slice(0, 100)}`);
const modeOf = ({ mode }: Stats) => mode & 0o7777;

export interface AtomicWriteOptions {
  /** Mode of a file that is new; one that is replaced keeps its own, and its owner where permitted. */
  mode?: number;
  /** Waits until the bytes are on the disk. Default true. */
  durable?: boolean;
  /** Rejects with EEXIST instead of replacing. */
  exclusive?: boolean;
  /** Called when all is ready; throwing gives the write up. Nothing else runs between it and the rename. */
  beforeRename?: () => void;
}

/**
 * Writes a whole file so that readers see the old one or the new one, never a part: temporary file in the same
 * folder, fsync, rename. On any failure (a full disk) the old file stands and the temporary one is removed.
 */
export async function writeAtomic(
  path: string,
  content: string | Uint8Array | AsyncIterable<string>,
  options: AtomicWriteOptions = {},
): Promise<void> {
  const { durable = true, exclusive = false } = options;
  const isWhole = typeof content === 'string' || content instanceof Uint8Array;
  if (!durable && !exclusive && isWhole && content.length <= AT_ONCE_MAX)
    return writeAtOnce(path, content, options);
  const before = exclusive ? undefined : await stat(path).catch(() => undefined);
  const temp = temporaryOf(path);
  try {
    const file = await open(temp, 'wx', before === undefined ? (options.mode ?? 0o644) : modeOf(before));
    try {
      await (isWhole ? file.writeFile(content) : writeFile(file, content));
      if (before !== undefined) await keepOwner(file, before);
      if (durable) await file.sync();
    } finally {
      await file.close();
    }
    if (exclusive) {
      await link(temp, path);
    } else {
      options.beforeRename?.();
      renameSync(temp, path);
    }
  } catch (error) {
    await rm(temp, { force: true }).catch(() => undefined);
    throw error;
  }
  if (exclusive) await rm(temp, { force: true });
  if (durable) await syncFolder(dirname(path));
}

/**
 * The same of what is small and goes to no disk yet. Statuses are written by the thousand, and to wait for each of
 * six calls takes ten times what they do.
 */
async function writeAtOnce(
  path: string,
  content: string | Uint8Array,
  { mode = 0o644, beforeRename }: AtomicWriteOptions,
): Promise<void> {
  const before = statNow(path);
  const temp = temporaryOf(path);
  try {
    writeFileSync(temp, content, { flag: 'wx', mode: before === undefined ? mode : modeOf(before) });
    if (before !== undefined) keepOwnerNow(temp, before);
    beforeRename?.();
    renameSync(temp, path);
  } catch (error) {
    await rm(temp, { force: true }).catch(() => undefined);
    throw error;
  }
}

function statNow(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function keepOwnerNow(path: string, before: Stats): void {
  const now = statSync(path);
  if (now.mode !== before.mode) chmodSync(path, modeOf(before));
  if (now.uid === before.uid && now.gid === before.gid) return;
  try {
    chownSync(path, before.uid, before.gid);
  } catch {
    // As below.
  }
}

/** What is so already is not asked for again: statuses are written by the thousand. */
async function keepOwner(file: FileHandle, before: Stats): Promise<void> {
  const now = await file.stat();
  if (now.mode !== before.mode) await file.chmod(modeOf(before));
  // Only root may give a file away; for anyone else the owner can not have been another.
  if (now.uid !== before.uid || now.gid !== before.gid) {
    await file.chown(before.uid, before.gid).catch(() => undefined);
  }
}

/** Makes a rename in the folder survive a power cut. Some file systems refuse; then there is nothing to do. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  if (folder === undefined) return;
  await folder.sync().catch(() => undefined);
  await folder.close();
}

/** Moves a file, also to another file system. */
export async function moveFile(
  from: string,
  to: string,
  read: (path: string) => Promise<Uint8Array>,
): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    await writeAtomic(to, await read(from));
    await rm(from);
  }
}
