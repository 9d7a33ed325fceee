import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { AppError, codeOf } from '../schemas/errors.ts';

/** Who holds a lock: enough to see that a dead owner is dead, even where its pid is in use again. */
export interface LockOwner {
  pid: number;
  /** Start time in clock ticks since boot, from /proc; `""` where there is no /proc. */
  startTime: string;
  bootId: string;
  /** What people are told about the owner. */
  about: string;
}

export interface Lock {
  release(): Promise<void>;
}

/** Tries before giving up against others that take over the same stale lock at the same moment. */
const TRIES_MAX = 5;

/**
 * Takes a lock file, or rejects `Conflict` with a message that names the owner. A lock whose owner is dead, or
 * from before the last boot, or unreadable, is taken over.
 * @param what what is locked, for the message: `the registry /srv/registry`
 * @param about what others are told about this process
 */
export async function acquireLock(path: string, what: string, about: string): Promise<Lock> {
  const me: LockOwner = { ...(await identify(process.pid)), pid: process.pid, about };
  const text = `${JSON.stringify(me)}\n`;
  for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
    const temp = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
    try {
      // Linked into place whole, so that nobody ever reads a lock that is half written.
      await writeFile(temp, text, { mode: 0o644, flag: 'wx' });
      await link(temp, path);
      return { release: () => release(path, text) };
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    } finally {
      await rm(temp, { force: true });
    }
    const owner = await readOwner(path);
    if (owner !== undefined && (await isAlive(owner))) {
      throw new AppError('Conflict', `${what} is in use by process ${owner.pid} (${owner.about})`, {
        hint: 'Stop that host first, or give this one another --registry and --instance.',
      });
    }
    await removeStale(path, owner);
  }
  throw new AppError('Conflict', `${what} could not be locked: others keep taking ${path}`);
}

/** Renames first and looks again, so that of two that see the same stale lock neither removes a fresh one. */
async function removeStale(path: string, stale: LockOwner | undefined): Promise<void> {
  const aside = `${path}.stale.${randomBytes(4).toString('hex')}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  const moved = await readOwner(aside);
  if (moved !== undefined && JSON.stringify(moved) !== JSON.stringify(stale)) {
    await link(aside, path).catch(() => undefined);
  }
  await rm(aside, { force: true });
}

async function release(path: string, text: string): Promise<void> {
  const current = await readFile(path, 'utf8').catch(() => '');
  if (current === text) await rm(path, { force: true });
}

async function readOwner(path: string): Promise<LockOwner | undefined> {
  try {
    const owner = JSON.parse(await readFile(path, 'utf8')) as Partial<LockOwner>;
    if (typeof owner.pid !== 'number' || typeof owner.bootId !== 'string') return undefined;
    return {
      pid: owner.pid,
      startTime: owner.startTime ?? '',
      bootId: owner.bootId,
      about: owner.about ?? '',
    };
  } catch {
    return undefined;
  }
}

/** Whether that very process still runs; not another that got its pid. */
export async function isAlive(owner: LockOwner): Promise<boolean> {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: there is such a process, it is somebody else's.
    if (codeOf(error) !== 'EPERM') return false;
  }
  const now = await identify(owner.pid);
  return now.bootId === owner.bootId && now.startTime === owner.startTime;
}

/** What tells a process apart from a later one with the same pid. Empty where there is no /proc. */
export async function identify(pid: number): Promise<{ startTime: string; bootId: string }> {
  const bootId = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // Field 22; the command in field 2 may hold spaces and brackets, so count from the last bracket.
  const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return { startTime, bootId: bootId.trim() };
}
