import type { Clock } from '../../schemas/clock.ts';
import { foldersAbove } from '../contexts/entries.ts';
import type { GitAsk } from './ask.ts';

/** What differs from HEAD is asked for this often even when nothing hints at a change. */
const STATUS_MS = 10_000;
/** How `git status` begins the line of a file that both sides changed. */
const CONFLICT = /^(DD|AU|UD|UA|DU|AA|UU) /;

/** Which files differ from HEAD, untracked ones among them, as git said last. */
export interface Differences {
  /** Whether this file is known to be as HEAD has it, */
  isFileClean(path: string): boolean;
  /** and all that lies in this folder. */
  isFolderClean(path: string): boolean;
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

export function createDifferences(ask: GitAsk, clock: Clock): Differences {
  let files = new Set<string>();
  /** All folders above them, `.` among them. */
  let folders = new Set<string>();
  let conflicts = false;
  let known = false;
  let touched = true;
  let askedAt = 0;

  const set = (paths: Iterable<string>) => {
    files = new Set(paths);
    folders = new Set([...files].flatMap((path) => ['.', ...foldersAbove(path)]));
  };

  return {
    isFileClean: (path) => known && !files.has(path),
    isFolderClean: (path) => known && !folders.has(path),
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
      const lines = await ask('status', '--porcelain', '-z', '--untracked-files=all', '--no-renames');
      const before = files;
      known = lines !== undefined;
      touched = !known;
      askedAt = clock.monotonic();
      set((lines ?? []).map((line) => line.slice(3)));
      conflicts = lines?.some((line) => CONFLICT.test(line)) === true;
      return [...new Set([...before, ...files])].filter((path) => !before.has(path) || !files.has(path));
    },
    committed(paths) {
      const isWithin = (path: string) => paths.some((one) => path === one || path.startsWith(`${one}/`));
      set([...files].filter((path) => !isWithin(path)));
    },
  };
}
