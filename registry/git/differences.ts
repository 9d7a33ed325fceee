import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../schemas/clock.ts';
import { ROOT_FOLDERS_LEFT_OUT } from '../../schemas/resolve.ts';
import { letsInAny } from '../contexts/dockerignore.ts';
import { foldersAbove } from '../contexts/entries.ts';
import { ignoreFileNames } from '../contexts/form.ts';
import type { GitAsk } from './ask.ts';

/** What differs from HEAD is asked for this often even when nothing hints at a change. */
const STATUS_MS = 10_000;
const STATUS = [
  ...['--porcelain', '-z', '--untracked-files=all', '--no-renames'],
  // What is in a build and not in git differs from HEAD, whether git is told to look at it or not.
  ...['--ignored=matching', '--ignore-submodules=none'],
];
/** How `git status` begins the line of a file that both sides changed. */
const CONFLICT = /^(DD|AU|UD|UA|DU|AA|UU) /;
/** The mode of a submodule. */
const SUBMODULE = '160000';

/** Which files differ from HEAD, untracked and ignored ones among them, as git said last. */
export interface Differences {
  /** Whether this file is known to be as HEAD has it, */
  isFileClean(path: string): boolean;
  /** and all that a build gets of this folder. */
  isFolderClean(path: string, dockerfile: string): boolean;
  /** The submodule that the path lies in, or is. */
  submoduleOf(path: string): string | undefined;
  /** Whether the index holds conflicts that nobody has resolved. */
  hasConflicts(): boolean;
  /** Some may be others: git is asked at the next refresh. */
  touch(): void;
  /** Nothing is known of them until then. */
  forget(): void;
  /** Asks git where they may be others. Gives the paths that differ now and did not, or the other way round. */
  refresh(): Promise<string[]>;
  /** These paths, and what lies in them, were committed as they are. */
  committed(paths: readonly string[]): void;
}

/** A registry in a work tree. */
export interface Place {
  root: string;
  /** Where it lies there: `""`, or with a slash at its end: `deploy/`. */
  prefix: string;
}

export function createDifferences({ root, prefix }: Place, ask: GitAsk, clock: Clock): Differences {
  let files = new Set<string>();
  /** All folders above them, `.` among them. */
  let folders = new Set<string>();
  let ignored: string[] = [];
  let submodules = new Set<string>();
  let conflicts = false;
  let known = false;
  let touched = true;
  let askedAt = 0;

  const set = (paths: Iterable<string>) => {
    files = new Set(paths);
    const ofRoot = [...files].some((path) => !isLeftOut(path));
    folders = new Set([...(ofRoot ? ['.'] : []), ...[...files].flatMap(foldersAbove)]);
  };
  const withAbove = (path: string) => [path, ...foldersAbove(path)];
  const isWithin = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);

  return {
    isFileClean: (path) =>
      known && !withAbove(path).some((one) => files.has(one)) && !ignored.some((one) => isWithin(path, one)),
    isFolderClean(path, dockerfile) {
      if (!known || folders.has(path) || withAbove(path).some((one) => files.has(one))) return false;
      if (ignored.some((one) => isWithin(path, one))) return false;
      const inner = path === '.' ? ignored : ignored.filter((one) => one.startsWith(`${path}/`));
      return inner.length === 0 || !isInBuild(root, path, dockerfile, inner);
    },
    submoduleOf: (path) => withAbove(path).find((one) => submodules.has(one)),
    hasConflicts: () => conflicts,
    touch() {
      touched = true;
    },
    forget() {
      known = false;
      touched = true;
    },
    async refresh() {
      if (!touched && clock.monotonic() - askedAt < STATUS_MS) return [];
      const lines = await ask('status', ...STATUS, '--', '.');
      const listed = await ask('ls-files', '-z', '-v', '-s');
      const before = new Set([...files, ...ignored]);
      known = lines !== undefined && listed !== undefined;
      touched = !known;
      askedAt = clock.monotonic();
      const { links, hidden } = indexOf(listed ?? []);
      submodules = new Set(links);
      // git status says nothing of a submodule that was never brought, though HEAD has files there.
      const empty = links.filter((path) => !existsSync(join(root, path, '.git')));
      const named = (lines ?? []).map((line) => ({
        code: line.slice(0, 2),
        path: innerOf(prefix, line.slice(3)),
      }));
      ignored = named.filter(({ code, path }) => code === '!!' && !isOwn(path)).map(({ path }) => path);
      set([...named.filter(({ code }) => code !== '!!').map(({ path }) => path), ...empty, ...hidden]);
      conflicts = lines?.some((line) => CONFLICT.test(line)) === true;
      const now = new Set([...files, ...ignored]);
      return [...new Set([...before, ...now])].filter((path) => !before.has(path) || !now.has(path));
    },
    committed(paths) {
      const isOf = (path: string) => paths.some((one) => isWithin(path, one));
      set([...files].filter((path) => !isOf(path)));
      ignored = ignored.filter((path) => !isOf(path));
    },
  };
}

/** As the registry calls it: git begins at the top, and a folder, or a repository within, ends with a slash. */
function innerOf(prefix: string, path: string): string {
  const inner = path.startsWith(prefix) ? path.slice(prefix.length) : path;
  return inner.endsWith('/') ? inner.slice(0, -1) : inner;
}

/** Written by the host, and in no build. */
function isOwn(path: string): boolean {
  return /^(status|data)(\/|$)/.test(path);
}

function isLeftOut(path: string): boolean {
  return ROOT_FOLDERS_LEFT_OUT.includes(path.split('/')[0] ?? '');
}

/** The submodules, and the files of which git was told not to see how they differ. */
function indexOf(lines: readonly string[]): { links: string[]; hidden: string[] } {
  const links: string[] = [];
  const hidden: string[] = [];
  for (const line of lines) {
    const path = line.slice(line.indexOf('\t') + 1);
    // `H 100644 <id> 0`: lower case is assumed unchanged, S is skipped in the work tree.
    if (line.startsWith(SUBMODULE, 2)) links.push(path);
    if (/^[a-zS] /.test(line)) hidden.push(path);
  }
  return { links, hidden };
}

/** Whether a build of that context gets any of these, which git ignores: `.dockerignore` may leave them out. */
function isInBuild(root: string, context: string, dockerfile: string, paths: readonly string[]): boolean {
  const names =
    context === '.'
      ? paths.filter((path) => !isLeftOut(path))
      : paths.map((path) => path.slice(context.length + 1));
  try {
    const text = ignoreTextOf(join(root, context), dockerfile);
    // The Dockerfile always counts for what is built.
    return text === undefined ? names.length > 0 : names.includes(dockerfile) || letsInAny(text, names);
  } catch {
    return true;
  }
}

function ignoreTextOf(folder: string, dockerfile: string): string | undefined {
  const path = ignoreFileNames(dockerfile)
    .map((name) => join(folder, name))
    .find(existsSync);
  return path === undefined ? undefined : readFileSync(path, 'utf8');
}
