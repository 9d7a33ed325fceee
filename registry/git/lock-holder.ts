import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { mapLimit } from '../files/map-limit.ts';

const AT_ONCE = 32;

/**
 * Whether a git that lives is writing under that lock: git 2.39 keeps the file open for as long as it writes files,
 * and closes it while it waits for hooks or an editor. A git of another user shows only to root; where there is no
 * /proc, none does.
 * @param path of an `index.lock`
 */
export async function isHeldByLiving(path: string): Promise<boolean> {
  const real = join(await realpath(dirname(path)).catch(() => dirname(path)), basename(path));
  return someGit((pid) => hasOpen(pid, real));
}

/** Whether anybody at all has that file open, as far as this user is shown. */
export async function isOpen(path: string): Promise<boolean> {
  const real = join(await realpath(dirname(path)).catch(() => dirname(path)), basename(path));
  return someProcess((pid) => hasOpen(pid, real));
}

/** Whether a git lives that works in that folder, or below it: one that waits for somebody as well. */
export async function livesIn(folder: string): Promise<boolean> {
  const real = await realpath(folder).catch(() => folder);
  return someGit(async (pid) => {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    return cwd === real || cwd.startsWith(`${real}/`);
  });
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

async function hasOpen(pid: string, path: string): Promise<boolean> {
  for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
    if ((await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')) === path) return true;
  }
  return false;
}
