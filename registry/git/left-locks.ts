import { lstat, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Clock, elapse } from '../../schemas/clock.ts';
import { statKey } from '../files/settle.ts';
import type { WorkTree } from './folders.ts';
import { isOpen, livesIn } from './lock-holder.ts';

/** In the git folder from before the host has git change anything until that went well; what is younger may be its own. */
const NOTE = 'hersh-work';
/** A lock is looked at twice, so far apart: one that is held for a moment, by what is no git, is gone by then. */
const TWICE_MS = 1_000;
/** Where git locks what lies in there, however deep. */
const DEEP = ['refs', 'reftable', 'objects/info'];

/**
 * Locks, other than that on the index, that a git of the host left when it was killed. git never removes one of another.
 * None of this rejects: the work itself goes on.
 */
export interface LeftLocks {
  /** Before git is let change anything. What was noted before and may have left a lock stays noted. */
  begin(): Promise<void>;
  /** All of it went well. */
  end(): Promise<void>;
  /** Removes what came about since `begin`, of this host or one before, and nobody who lives can hold. */
  clear(): Promise<void>;
}

export function createLeftLocks(
  { top, gitDir, commonDir }: Pick<WorkTree, 'top' | 'gitDir' | 'commonDir'>,
  clock: Clock,
): LeftLocks {
  const note = join(gitDir, NOTE);

  async function left(): Promise<Map<string, string>> {
    const noted = await stat(note, { bigint: true }).catch(() => undefined);
    const found = new Map<string, string>();
    if (noted === undefined) return found;
    for (const path of await locksIn(gitDir, commonDir)) {
      const lock = await lstat(path, { bigint: true }).catch(() => undefined);
      if (lock === undefined || !lock.isFile()) continue;
      // As whole numbers: of two made in the same moment one may be the smaller by rounding alone.
      if (lock.uid !== noted.uid || lock.mtimeNs < noted.mtimeNs) continue;
      found.set(path, statKey(lock));
    }
    return found;
  }

  async function isHeld(path: string): Promise<boolean> {
    const folders = [top, gitDir, commonDir, ...(await workTreesOf(commonDir))];
    const lives = await Promise.all(folders.map(livesIn));
    return lives.includes(true) || (await isOpen(path));
  }

  return {
    begin: () => writeFile(note, '', { flag: 'wx' }).catch(() => undefined),
    end: () => remove(note),
    async clear() {
      const before = await left();
      if (before.size > 0) await elapse(clock, TWICE_MS);
      for (const [path, key] of await left()) {
        if (before.get(path) === key && !(await isHeld(path))) await remove(path);
      }
      // What comes about from now on is not of that work.
      if ((await left()).size === 0) await remove(note);
    },
  };
}

function remove(path: string): Promise<void> {
  return rm(path, { force: true }).catch(() => undefined);
}

/** Each file that is a lock of git, in a repository and in those of its submodules, but those on the index of a registry. */
async function locksIn(gitDir: string, commonDir: string): Promise<string[]> {
  // In a work tree beside the first, also the first one's own.
  const indexes = [gitDir, commonDir].map((folder) => join(folder, 'index.lock'));
  const own = [...(await locksOf(gitDir)), ...(gitDir === commonDir ? [] : await locksOf(commonDir))];
  return [
    ...own.filter((path) => !indexes.includes(path)),
    ...(await locksOfModules(join(gitDir, 'modules'))),
  ];
}

async function locksOf(gitDir: string): Promise<string[]> {
  const deep = await Promise.all(DEEP.map((name) => locksBelow(join(gitDir, name), true)));
  return [...(await locksBelow(gitDir, false)), ...deep.flat()];
}

async function locksBelow(folder: string, isDeep: boolean): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isFile() && entry.name.endsWith('.lock')) found.push(path);
    else if (isDeep && entry.isDirectory()) found.push(...(await locksBelow(path, true)));
  }
  return found;
}

/** The name of a submodule may have slashes in it. */
async function locksOfModules(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isDirectory()) continue;
    const path = join(folder, entry.name);
    const isGitDir = await stat(join(path, 'HEAD')).then(
      () => true,
      () => false,
    );
    if (isGitDir) found.push(...(await locksOf(path)), ...(await locksOfModules(join(path, 'modules'))));
    else found.push(...(await locksOfModules(path)));
  }
  return found;
}

/** All that share these references: a git at work in any of them may hold a lock on one. */
async function workTreesOf(commonDir: string): Promise<string[]> {
  const names = await readdir(join(commonDir, 'worktrees')).catch(() => []);
  const trees = names.map(async (name) => {
    const text = await readFile(join(commonDir, 'worktrees', name, 'gitdir'), 'utf8').catch(() => '');
    return text === '' ? [] : [dirname(text.trim())];
  });
  const first = basename(commonDir) === '.git' ? [dirname(commonDir)] : [];
  return [...first, ...(await Promise.all(trees)).flat()];
}
