import { createHash, randomBytes } from 'node:crypto';
import { link, readFile, readlink, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { AppError, codeOf } from '../../schemas/errors.ts';
import { readPlainFile } from '../files/read-plain-file.ts';

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

const HINT = 'Stop that host first, or give this one another --registry and --instance.';

/** Tries before giving up against others that take over the same stale lock at the same moment. */
const TRIES_MAX = 100;
/** Looks for the file of one who holds the name: it is written in the moment after that. */
const OWNER_TRIES_MAX = 10;
const TRY_AGAIN_MS = 10;

/**
 * Takes a lock, or rejects `Conflict` with a message that names the owner. What holds is a name that the kernel lets go
 * of when its process ends, and a file that tells who it is: the one where the file was removed, or there is no room to
 * write it, the other towards processes that the name does not reach, as those in another container. A file whose owner
 * is dead, or from before the last boot, or unreadable, is taken over.
 * @param what what is locked, for the message: `the registry /srv/registry`
 * @param about what others are told about this process
 */
export async function acquireLock(path: string, what: string, about: string): Promise<Lock> {
  const me: LockOwner = { ...(await identify(process.pid)), pid: process.pid, about };
  const nonce = randomBytes(8).toString('hex');
  const text = `${JSON.stringify({ ...me, nonce })}\n`;
  // Another container has other files under the same path.
  const space = await readlink('/proc/self/ns/mnt').catch(() => '');
  const name = await claim(`${await nameOf(path)}-held-${space}`);
  const held: Lock = {
    async release() {
      await name?.release();
      await release(path, text);
    },
  };
  const tries = name === undefined ? OWNER_TRIES_MAX : TRIES_MAX;
  for (let attempt = 0; attempt < tries; attempt++) {
    const made = name !== undefined && (await create(path, text, nonce));
    if (made === true) return held;
    const owner = await readOwner(path);
    if (owner !== undefined && (await isAlive(owner))) {
      await name?.release();
      throw new AppError('Conflict', `${what} is in use by process ${owner.pid} (${owner.about})`, {
        hint: HINT,
      });
    }
    // Where there is no room for the file, the name holds alone.
    if (made === 'full') return held;
    const removed =
      name !== undefined &&
      (await alone(path, async () => {
        const text = await readText(path);
        // Gone already: then the next to come may have taken it, and it is not ours to remove.
        if (text === undefined) return;
        const current = parseOwner(text);
        if (current === undefined || !(await isAlive(current))) await rm(path, { force: true });
      }));
    if (!removed) await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
  }
  await name?.release();
  throw new AppError('Conflict', `${what} is in use by another process, which ${path} does not tell of`, {
    hint: HINT,
  });
}

/** Linked into place whole, so that nobody ever reads a lock that is half written. */
async function create(path: string, text: string, nonce: string): Promise<boolean | 'full'> {
  const temp = `${path}.${process.pid}.${nonce}`;
  try {
    await writeFile(temp, text, { mode: 0o644, flag: 'wx' });
    await link(temp, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (['ENOSPC', 'EDQUOT'].includes(codeOf(error))) return 'full';
    throw error;
  } finally {
    await rm(temp, { force: true });
  }
}

/**
 * Does the work while nobody else on this machine does the same for this path, or gives false at once. Of two
 * that see the same stale lock the slower would otherwise remove what the faster has just taken.
 */
export async function alone(path: string, work: () => Promise<void>): Promise<boolean> {
  const name = await claim(await nameOf(path));
  if (name === undefined) return false;
  try {
    await work();
  } finally {
    await name.release();
  }
  return true;
}

async function nameOf(path: string): Promise<string> {
  const real = join(await realpath(dirname(path)), basename(path));
  return `hersh-host-lock-${createHash('sha256').update(real).digest('hex').slice(0, 32)}`;
}

/**
 * Holds a name of a socket, of which the kernel lets go when the process ends, so that it can not be left behind.
 * @returns undefined where it is held already
 */
async function claim(name: string): Promise<Lock | undefined> {
  const server = createServer();
  const isFree = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error) => (codeOf(error) === 'EADDRINUSE' ? resolve(false) : reject(error)));
    server.listen(`\0${name}`, () => resolve(true));
  });
  if (!isFree) return undefined;
  // It keeps no process going.
  server.unref();
  return { release: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}

/** Undefined where there is no such file. */
async function readText(path: string): Promise<string | undefined> {
  return readPlainFile(path).catch((error) => (codeOf(error) === 'ENOENT' ? undefined : ''));
}

async function release(path: string, text: string): Promise<void> {
  const current = await readFile(path, 'utf8').catch(() => '');
  if (current === text) await rm(path, { force: true });
}

/** Who holds a lock and lives; undefined where nobody does, as far as its file tells. */
export async function livingOwner(path: string): Promise<LockOwner | undefined> {
  const owner = await readOwner(path);
  return owner !== undefined && (await isAlive(owner)) ? owner : undefined;
}

async function readOwner(path: string): Promise<LockOwner | undefined> {
  return parseOwner((await readText(path)) ?? '');
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<LockOwner>;
    const { pid } = owner;
    if (pid === undefined || !Number.isInteger(pid) || pid < 1 || typeof owner.bootId !== 'string')
      return undefined;
    return {
      pid,
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
  return !now.isZombie && now.bootId === owner.bootId && now.startTime === owner.startTime;
}

/** What tells a process apart from a later one with the same pid. Empty where there is no /proc. */
export async function identify(pid: number): Promise<{ startTime: string; bootId: string; isZombie?: true }> {
  const bootId = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The command in field 2 may hold spaces and brackets, so count from the last bracket: 3 is the state, 22 the start.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const identity = { startTime: fields[19] ?? '', bootId: bootId.trim() };
  // Killed, but its parent has not looked yet: it holds nothing any more.
  return fields[0] === 'Z' || fields[0] === 'X' ? { ...identity, isZombie: true } : identity;
}
