import { basename } from 'node:path';
import type { Clock } from '../../schemas/clock.ts';
import { labelOf, programOf } from '../paths.ts';
import { createGitAsk, itemsIn } from './ask.ts';
import { pathsBehind } from './behind.ts';
import type { Committed } from './commit.ts';
import { createDifferences, type Differences, type Place } from './differences.ts';
import type { GitHead } from './head.ts';
import type { GitRun } from './run.ts';

/** Paths alone, as the registry calls them. */
const DIFF = ['-r', '-z', '--name-only', '--no-renames', '--relative'];

/** What git says of the files, as of the last refresh. */
export interface GitState {
  /** The commit, `""` where there is none. */
  head(): string;
  /** Whether the index holds conflicts that nobody has resolved. */
  hasConflicts(): boolean;
  /** The commit that the manifest and its context, behind links as well, are those of; `""` where either differs from HEAD's. */
  commitOf(name: string, context: string | undefined, dockerfile?: string): string;
  /** Whether HEAD has the manifest. */
  hasProgram(name: string): boolean;
  /**
   * Whether a commit took the program away: it was in a HEAD seen before, and is neither in this one, which has other
   * programs, nor in the index.
   * @param came the commit that it was last seen in, by this host or one before, or `""`
   */
  droppedProgram(name: string, came: string): boolean;
  /** What git has of a path: the links on the way, and what is behind them, or the submodule that has it. */
  recordedAs(path: string): string[];
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

/** @param place the registry, and where it lies in the work tree */
export function createGitState(
  place: Place,
  run: GitRun,
  clock: Clock,
  onWarning: (fields: object, message: string) => void,
): GitState {
  const ask = createGitAsk(run, onWarning);
  const { root } = place;
  const differences = createDifferences(place, ask, clock);
  let head = '';
  /** Names whose manifest is in HEAD. */
  let programs = new Set<string>();
  /** Names that a HEAD seen before had, and this one has not. */
  const dropped = new Set<string>();

  /**
   * Takes in another HEAD. Gives what differs between the two, or everything it has where there was none before;
   * undefined where it can not be read: then it is not known, and what was known of the last one stays.
   */
  async function readHead(to: string): Promise<string[] | undefined> {
    const tree = to === '' ? [] : await ask('ls-tree', '-z', '--name-only', to, `${manifestsIn(root)}/`);
    if (tree === undefined) return undefined;
    const from = head;
    head = to;
    for (const name of programs) dropped.add(name);
    programs = new Set(namesIn(tree));
    for (const name of programs) dropped.delete(name);
    if (head === '') return [];
    if (from === '') return tree;
    const { code, stdout } = await run(['diff-tree', ...DIFF, from, head]);
    return code === 0 ? itemsIn(stdout) : tree;
  }

  return {
    head: () => head,
    hasConflicts: differences.hasConflicts,
    commitOf(name, context, dockerfile = 'Dockerfile') {
      const isClean =
        programs.has(name) &&
        isCleanBehind(root, differences, labelOf(name), differences.isFileClean) &&
        (context === undefined ||
          isCleanBehind(root, differences, context, (path) => differences.isFolderClean(path, dockerfile)));
      return isClean ? head : '';
    },
    hasProgram: (name) => programs.has(name),
    droppedProgram: (name, came) => {
      const wasThere = came !== '' || dropped.has(name);
      const hasOthers = head !== '' && programs.size > 0;
      return wasThere && hasOthers && !programs.has(name) && differences.isFileClean(labelOf(name));
    },
    recordedAs: (path) => recordedAs(root, differences, path),
    touch: differences.touch,
    async refresh(now) {
      const isMove = now.id !== head;
      const changed = isMove ? await readHead(now.id) : [];
      if (changed === undefined) {
        differences.forget();
        return new Set();
      }
      if (isMove) differences.touch();
      return new Set([...changed, ...(await differences.refresh())]);
    },
    committed(now, { there, gone }) {
      head = now;
      differences.committed([...there, ...gone]);
      for (const name of there.flatMap((path) => programOf(path) ?? [])) programs.add(name);
      for (const name of gone.flatMap((path) => programOf(path) ?? [])) programs.delete(name);
    },
  };
}

/** Where git has the manifests. */
function manifestsIn(root: string): string {
  return pathsBehind(root, 'programs')?.at(-1) ?? 'programs';
}

function namesIn(manifests: readonly string[]): string[] {
  return manifests.flatMap((path) => programOf(`programs/${basename(path)}`) ?? []);
}

/** Whether HEAD has the path as it is: the links on the way, and what is behind them. */
function isCleanBehind(
  root: string,
  { isFileClean }: Differences,
  path: string,
  isLastClean: (path: string) => boolean,
): boolean {
  const behind = pathsBehind(root, path);
  const last = behind?.pop();
  return last !== undefined && behind?.every(isFileClean) === true && isLastClean(last);
}

function recordedAs(root: string, { submoduleOf }: Differences, path: string): string[] {
  const behind = pathsBehind(root, path) ?? [path];
  return [...new Set(behind.map((one) => submoduleOf(one) ?? one))];
}
