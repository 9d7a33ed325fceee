import type { Clock } from '../../schemas/clock.ts';
import { labelOf, programOf } from '../paths.ts';
import type { Committed } from './commit.ts';
import type { GitHead } from './head.ts';
import { type GitRun, wordsOf } from './run.ts';

/** What differs from HEAD is asked for this often even when nothing hints at a change. */
const STATUS_MS = 10_000;
/** How `git status` begins the line of a file that both sides changed. */
const CONFLICT = /^(DD|AU|UD|UA|DU|AA|UU) /;

/** What git says of the files, as of the last refresh. */
export interface GitState {
  /** The commit, `""` where there is none. */
  head(): string;
  /** Whether the index holds conflicts that nobody has resolved. */
  hasConflicts(): boolean;
  /** The commit that the manifest and its context are those of; `""` where either differs from HEAD's. */
  commitOf(name: string, context: string | undefined): string;
  /** Whether HEAD has the manifest. */
  hasProgram(name: string): boolean;
  /**
   * Whether a commit took the program away: it was in a HEAD seen before, and is neither in this one, which has other
   * programs, nor in the index.
   * @param came the commit that it was last seen in, by this host or one before, or `""`
   */
  droppedProgram(name: string, came: string): boolean;
  /** Somebody changed a file. */
  touch(): void;
  /**
   * Takes in where HEAD stands now, and which files differ from it when that may have changed.
   * @returns paths whose commit, or whose difference from it, changed
   */
  refresh(head: GitHead): Promise<ReadonlySet<string>>;
  /** Takes in a commit of our own that followed on the HEAD known here. */
  committed(head: string, done: Committed): void;
}

export function createGitState(
  run: GitRun,
  clock: Clock,
  onWarning: (fields: object, message: string) => void,
): GitState {
  let head = '';
  /** Names whose manifest is in HEAD. */
  let programs = new Set<string>();
  /** Names that a HEAD seen before had, and this one has not. */
  const dropped = new Set<string>();
  /** Paths that differ from HEAD, untracked ones among them. */
  let modified = new Set<string>();
  /** All folders above them, `.` among them. */
  let folders = new Set<string>();
  let conflicts = false;
  let sound = false;
  let touched = true;
  let statusAt = 0;
  /** Subcommands that failed the last time. */
  const failing = new Set<string>();

  const setModified = (paths: Set<string>) => {
    modified = paths;
    folders = new Set([...paths].flatMap(foldersAbove));
  };

  /** @returns the output, or undefined where git failed, which is told once */
  async function ask(command: string, ...args: readonly string[]): Promise<string | undefined> {
    const result = await run([command, ...args]);
    if (result.code === 0) {
      failing.delete(command);
      return result.stdout;
    }
    if (!failing.has(command)) onWarning({ error: wordsOf(result) }, `git ${command} fails in the registry`);
    failing.add(command);
    return undefined;
  }

  async function readStatus(): Promise<ReadonlySet<string>> {
    const text = await ask('status', '--porcelain', '-z', '--untracked-files=all', '--no-renames');
    sound = text !== undefined;
    const before = modified;
    const lines = split(text);
    setModified(new Set(lines.map((line) => line.slice(3))));
    conflicts = lines.some((line) => CONFLICT.test(line));
    statusAt = clock.monotonic();
    touched = !sound;
    return new Set([...before, ...modified].filter((path) => !before.has(path) || !modified.has(path)));
  }

  /**
   * Takes in another HEAD. Gives what differs between the two, or everything it has where there was none before;
   * undefined where it can not be read: then it is not known, and what was known of the last one stays.
   */
  async function readHead(to: string): Promise<string[] | undefined> {
    const text = to === '' ? '' : await ask('ls-tree', '-z', '--name-only', to, 'programs/');
    if (text === undefined) return undefined;
    const from = head;
    head = to;
    const tree = split(text);
    for (const name of programs) dropped.add(name);
    programs = new Set(tree.flatMap((path) => programOf(path) ?? []));
    for (const name of programs) dropped.delete(name);
    if (head === '') return [];
    if (from === '') return tree;
    const { code, stdout } = await run(['diff-tree', '-r', '-z', '--name-only', '--no-renames', from, head]);
    return code === 0 ? split(stdout) : tree;
  }

  return {
    head: () => head,
    hasConflicts: () => conflicts,
    commitOf(name, context) {
      const clean =
        sound &&
        programs.has(name) &&
        !modified.has(labelOf(name)) &&
        (context === undefined || !folders.has(context));
      return clean ? head : '';
    },
    hasProgram: (name) => programs.has(name),
    droppedProgram: (name, came) =>
      sound &&
      (came !== '' || dropped.has(name)) &&
      head !== '' &&
      programs.size > 0 &&
      !programs.has(name) &&
      !modified.has(labelOf(name)),
    touch() {
      touched = true;
    },
    async refresh(now) {
      const moved = now.id !== head;
      const changed = moved ? await readHead(now.id) : [];
      if (changed === undefined) {
        sound = false;
        touched = true;
        return new Set();
      }
      const due = clock.monotonic() - statusAt >= STATUS_MS;
      const differing = moved || touched || due ? await readStatus() : [];
      return new Set([...changed, ...differing]);
    },
    committed(now, { there, gone }) {
      head = now;
      const all = [...there, ...gone];
      const within = (path: string) => all.some((one) => path === one || path.startsWith(`${one}/`));
      setModified(new Set([...modified].filter((path) => !within(path))));
      for (const path of there) programs.add(programOf(path) ?? '');
      for (const path of gone) programs.delete(programOf(path) ?? '');
      programs.delete('');
    },
  };
}

function split(text: string | undefined): string[] {
  return (text ?? '').split('\0').filter((line) => line !== '');
}

function foldersAbove(path: string): string[] {
  const parts = path.split('/');
  return ['.', ...parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('/'))];
}
