import { createHash, randomBytes } from 'node:crypto';
import { link, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { AppError, codeOf } from '../schemas/errors.ts';
import { readPlainFile } from './read-plain-file.ts';

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
const TRIES_MAX = 100;
const TRY_AGAIN_MS = 10;

/**
 * Takes a lock file, or rejects `Conflict` with a message that names the owner. A lock whose owner is dead, or
 * from before the last boot, or unreadable, is taken over.
 * @param what what is locked, for the message: `the registry /srv/registry`
 * @param about what others are told about this process
 */
export async function acquireLock(path: string, what: string, about: string): Promise<Lock> {
  const me: LockOwner = { ...(await identify(process.pid)), pid: process.pid, about };
  const nonce = randomBytes(8).toString('hex');
  const text = `${JSON.stringify({ ...me, nonce })}\n`;
  for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
    if (await create(path, text, nonce)) return { release: () => release(path, text) };
    const owner = await readOwner(path);
    if (owner !== undefined && (await isAlive(owner))) {
      throw new AppError('Conflict', `${what} is in use by process ${owner.pid} (${owner.about})`, {
        hint: 'Stop that host first, or give this one another --registry and --instance.',
      });
    }
    const removed = await alone(path, async () => {
      const text = await readText(path);
      // Gone already: then the next to come may have taken it, and it is not ours to remove.
      if (text === undefined) return;
      const current = parseOwner(text);
      if (current === undefined || !(await isAlive(current))) await rm(path, { force: true });
    });
    if (!removed) await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
  }
  throw new AppError('Conflict', `${what} could not be locked: others keep taking ${path}`);
}

/** Linked into place whole, so that nobody ever reads a lock that is half written. */
async function create(path: string, text: string, nonce: string): Promise<boolean> {
  const temp = `${path}.${process.pid}.${nonce}`;
  try {
    await writeFile(temp, text, { mode: 0o644, flag: 'wx' });
    await link(temp, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temp, { force: true });
  }
}

/**
 * Does the work while nobody else on this machine does the same for this path, or gives false at once. Of two
 * that see the same stale lock the slower would otherwise remove what the faster has just taken. The kernel lets
 * go of the name of a socket when its process ends, so this can not itself be left behind.
 */
export async function alone(path: string, work: () => Promise<void>): Promise<boolean> {
  const server = createServer();
  const real = join(await realpath(dirname(path)), basename(path));
  const name = createHash('sha256').update(real).digest('hex').slice(0, 32);
  const free = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error) => (codeOf(error) === 'EADDRINUSE' ? resolve(false) : reject(error)));
    server.listen(`\0hersh-host-lock-${name}`, () => resolve(true));
  });
  if (!free) return false;
  try {
    await work();
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
  return true;
}

/** Undefined where there is no such file. */
async function readText(path: string): Promise<string | undefined> {
  return readPlainFile(path).catch((error) => (codeOf(error) === 'ENOENT' ? undefined : ''));
}

async function release(path: string, text: string): Promise<void> {
  const current = await readFile(path, 'utf8').catch(() => '');
  if (current === text) await rm(path, { force: true });
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
