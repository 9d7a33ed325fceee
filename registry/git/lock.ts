import { randomBytes } from 'node:crypto';
import { link, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, elapse } from '../../schemas/clock.ts';
import { AppError, codeOf, messageOf } from '../../schemas/errors.ts';
import { isThere } from '../files/is-there.ts';
import { alone, identify, isAlive, type LockOwner } from '../records/lock.ts';

/** How often a lock that somebody else holds is tried again. */
const TRY_MS = 50;
/** Indexes under construction, beside the real one. */
export const TEMP_INDEX_PREFIX = 'hersh-index-';

/** Who asked for an edit, and for what. */
export interface Intent {
  /** User id. */
  author: string;
  /** One line, e.g. `start my-program`. */
  message: string;
}

/** What a lock of ours says, so that the next start can finish what a killed host began. */
export interface LockNote {
  intent: Intent;
  /** Relative to the root: the manifest first. */
  paths: readonly string[];
  /** One of them: a source folder that is new, and nobody's where the manifest does not come to name it. */
  brought?: string;
}

export interface IndexLock {
  /** What a dead host left in its lock, which was taken over. */
  left: LockNote | undefined;
  /** Says what is about to be changed. */
  note(note: LockNote): Promise<void>;
  release(): Promise<void>;
}

/**
 * Takes `.git/index.lock`, the lock that git itself takes, so that no other git changes the index or HEAD's
 * files meanwhile. It holds words of ours, by which one that a killed host left is recognised and taken over.
 * Rejects `RegistryUnavailable` where another process holds it until the deadline.
 * @param deadlineMs on the monotonic clock
 */
export async function lockIndex(
  gitDir: string,
  note: LockNote,
  clock: Clock,
  deadlineMs: number,
): Promise<IndexLock> {
  const path = join(gitDir, 'index.lock');
  const owner: LockOwner = { ...(await identify(process.pid)), pid: process.pid, about: 'Hersh Host' };
  let left: LockNote | undefined;
  for (;;) {
    // Looked at first, so that waiting does not itself look like a git at work.
    if (!(await isThere(path)) && (await place(gitDir, path, textOf(owner, note), 'link'))) break;
    if ((await readDead(path)) !== undefined) {
      left = (await takeDead(path)) ?? left;
    } else if (clock.monotonic() >= deadlineMs) {
      throw new AppError(
        'RegistryUnavailable',
        'the git index of the registry is locked by another process',
        {
          hint: 'Try again. If no git runs there, a git that crashed left .git/index.lock behind: remove that file.',
        },
      );
    } else {
      await elapse(clock, TRY_MS);
    }
  }
  await removeTempIndexes(gitDir);
  return {
    left,
    note: async (next) => {
      await place(gitDir, path, textOf(owner, next), 'rename');
    },
    release: () => rm(path, { force: true }),
  };
}

/** Whether a host that is dead left its lock. */
export async function isLeftBehind(gitDir: string): Promise<boolean> {
  return (await readDead(join(gitDir, 'index.lock'))) !== undefined;
}

/** Puts a whole file in place. @returns false where `link` found another one there */
async function place(gitDir: string, path: string, text: string, how: 'link' | 'rename'): Promise<boolean> {
  const temp = join(gitDir, `hersh-lock-${randomBytes(6).toString('hex')}`);
  try {
    await writeFile(temp, text, { flag: 'wx' });
    await (how === 'link' ? link(temp, path) : rename(temp, path));
    return true;
  } catch (error) {
    if (how === 'link' && codeOf(error) === 'EEXIST') return false;
    throw new AppError(
      'RegistryUnavailable',
      `.git of the registry can not be written: ${messageOf(error)}`,
      {
        cause: error,
        hint: 'Is the .git folder there and writable, and the disk not full?',
      },
    );
  } finally {
    await rm(temp, { force: true });
  }
}

function textOf(owner: LockOwner, note: LockNote): string {
  return `${JSON.stringify({ hershHost: owner, ...note })}\n`;
}

/** A lock of ours whose owner lives no more. */
async function readDead(path: string): Promise<LockNote | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  try {
    const { hershHost, ...note } = JSON.parse(text) as { hershHost: LockOwner } & LockNote;
    if (typeof hershHost.pid !== 'number' || (await isAlive(hershHost))) return undefined;
    return note;
  } catch {
    return undefined;
  }
}

/** Removes a lock that a dead host left, and gives what it says. No two hosts do so at once, see `alone`. */
async function takeDead(path: string): Promise<LockNote | undefined> {
  let left: LockNote | undefined;
  await alone(path, async () => {
    left = await readDead(path);
    if (left !== undefined) await rm(path, { force: true });
  });
  return left;
}

/** Only the holder of the lock makes them, so whatever is there now was left by one that was killed. */
async function removeTempIndexes(gitDir: string): Promise<void> {
  for (const name of await readdir(gitDir).catch(() => [])) {
    if (name.startsWith(TEMP_INDEX_PREFIX)) await rm(join(gitDir, name), { force: true });
  }
}
