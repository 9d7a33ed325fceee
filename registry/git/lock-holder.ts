import type { BigIntStats } from 'node:fs';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { mapLimit } from '../files/map-limit.ts';
import { folderKey } from '../files/settle.ts';

const AT_ONCE = 32;
/** No folder lies deeper than this many others. */
const DEPTH_MAX = 256;

/**
 * Whether a git that lives is writing under that lock: git 2.39 keeps the file open for as long as it writes files,
 * and closes it while it waits for hooks or an editor. A git of another user shows only to root; where there is no
 * /proc, none does. One in a container sees the same folders by other names, so no names are compared.
 * @param path of an `index.lock`
 */
export async function isHeldByLiving(path: string): Promise<boolean> {
  const file = await statOf(path);
  return file !== undefined && someGit((pid) => hasOpen(pid, path, file));
}

/** Whether anybody at all has that file open, as far as this user is shown. */
export async function isOpen(path: string): Promise<boolean> {
  const file = await statOf(path);
  return file !== undefined && someProcess((pid) => hasOpen(pid, path, file));
}

/** Whether a git lives that works in that folder, or below it: one that waits for somebody as well. */
export async function livesIn(folder: string): Promise<boolean> {
  const stats = await statOf(folder);
  return stats !== undefined && someGit((pid) => worksIn(pid, stats));
}

async function worksIn(pid: string, folder: BigIntStats): Promise<boolean> {
  let at: BigIntStats | undefined;
  let path = `/proc/${pid}/cwd/`;
  for (let depth = 0; depth < DEPTH_MAX; depth++, path += '../') {
    const above = await statOf(path);
    if (above === undefined || (at !== undefined && isSame(at, above))) return false;
    if (isSame(above, folder)) return true;
    at = above;
  }
  return false;
}

async function someGit(is: (pid: string) => Promise<boolean>): Promise<boolean> {
  return someProcess(async (pid) => (await isGit(pid)) && is(pid));
}

async function someProcess(is: (pid: string) => Promise<boolean>): Promise<boolean> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found = await mapLimit(pids, AT_ONCE, is);
  return found.includes(true);
}

async function isGit(pid: string): Promise<boolean> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).startsWith('git');
}

async function hasOpen(pid: string, path: string, file: BigIntStats): Promise<boolean> {
  for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
    // By its last name first: what lies on a disk that does not answer is not to be asked.
    const name = basename(await readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''));
    if (name !== basename(path)) continue;
    const open = await statOf(`/proc/${pid}/fd/${fd}`);
    if (open !== undefined && isSame(open, file)) return true;
  }
  return false;
}

function statOf(path: string): Promise<BigIntStats | undefined> {
  return stat(path, { bigint: true }).catch(() => undefined);
}

const isSame = (one: BigIntStats, other: BigIntStats) => folderKey(one) === folderKey(other);
