import { lstat, readFile, readlink, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { itemsIn } from './ask.ts';
import { type GitRun, wordsOf } from './run.ts';

/** A filter of the user may take this long for one file, of which git says nothing. */
export const MOVE_SILENCE_MS = 600_000;

/** What was about to be done when it was noted. */
export interface MoveNote {
  /** The commit that index and files were those of; `""` where there was none. */
  from: string;
  to: string;
  /** Paths that differed before: none of this is the host's. */
  dirty: readonly string[];
}

/** One path of the two commits. */
interface Change {
  path: string;
  /** Whether the target has it. */
  isThere: boolean;
  id: string;
}

/**
 * Gives files back what the index has, where the move wrote them and nobody since.
 * @returns why that can not be done, or `""`
 */
export async function undoMove(top: string, run: GitRun, note: MoveNote): Promise<string> {
  const changes = await changesOf(run, note);
  const now = await differing(run);
  if (changes === undefined || now === undefined) return 'git does not say what was changed';
  const written = changes.filter(({ path }) => {
    const letter = now.get(path);
    return letter !== undefined && letter !== ' ' && !note.dirty.includes(path);
  });
  const ours = await pathsOfMove(top, run, note.to, written);
  const isNew = (path: string) => now.get(path) === '?';
  for (const path of ours.filter(isNew)) await removeFile(top, path);
  const input = ours.filter((path) => !isNew(path)).map((path) => `${path}\0`);
  if (input.length === 0) return '';
  const options = { input: input.join(''), silenceMs: MOVE_SILENCE_MS };
  const back = await run(['checkout-index', '-f', '-z', '--stdin'], options);
  return back.code === 0 ? '' : `files can not be taken back: ${wordsOf(back)}`;
}

/** Paths, with the letter of git status that tells how the file differs from the index; undefined where git fails. */
export async function differing(run: GitRun): Promise<Map<string, string> | undefined> {
  const { code, stdout } = await run(
    ['status', '--porcelain', '-z', '--untracked-files=all', '--no-renames', '--ignore-submodules=all'],
    { silenceMs: MOVE_SILENCE_MS },
  );
  return code === 0 ? new Map(itemsIn(stdout).map((line) => [line.slice(3), line[1] ?? ' '])) : undefined;
}

async function changesOf(run: GitRun, { from, to }: MoveNote): Promise<Change[] | undefined> {
  const before = from || (await run(['hash-object', '-t', 'tree', '--stdin'])).stdout.trim();
  const { code, stdout } = await run(['diff-tree', '-r', '-z', '--raw', '--no-renames', before, to]);
  if (code !== 0) return undefined;
  const items = itemsIn(stdout);
  const changes: Change[] = [];
  for (let at = 0; at + 1 < items.length; at += 2) {
    const [, mode, , id = ''] = items[at]?.split(' ') ?? [];
    changes.push({ path: items[at + 1] ?? '', isThere: mode !== '000000', id });
  }
  return changes;
}

/** Those of the paths at which there is what the move left: all of it, the beginning, or nothing. */
async function pathsOfMove(
  top: string,
  run: GitRun,
  to: string,
  changes: readonly Change[],
): Promise<string[]> {
  const ours: string[] = [];
  const whole = await idsOf(top, run, changes);
  for (const { path, isThere, id } of changes) {
    const file = join(top, path);
    const stats = await lstat(file).catch(() => undefined);
    // git removes a file before it writes it anew.
    if (stats === undefined || whole.get(path) === id) ours.push(path);
    else if (!isThere || stats.isDirectory()) continue;
    else {
      const there = stats.isSymbolicLink() ? await readlink(file, 'latin1') : await readFile(file, 'latin1');
      const ask = stats.isSymbolicLink()
        ? ['cat-file', 'blob', id]
        : ['cat-file', '--filters', `${to}:${path}`];
      const meant = await run(ask, { encoding: 'latin1', silenceMs: MOVE_SILENCE_MS });
      if (meant.code === 0 && meant.stdout.startsWith(there)) ours.push(path);
    }
  }
  return ours;
}

/** What git would call the files, by path: of all at once, since there may be thousands. */
async function idsOf(top: string, run: GitRun, changes: readonly Change[]): Promise<Map<string, string>> {
  const paths: string[] = [];
  for (const { path } of changes) {
    const isFile = await lstat(join(top, path)).then(
      (stats) => stats.isFile(),
      () => false,
    );
    // The list has one in each line.
    if (isFile && !path.includes('\n')) paths.push(path);
  }
  if (paths.length === 0) return new Map();
  const input = `${paths.join('\n')}\n`;
  const { stdout } = await run(['hash-object', '--stdin-paths'], { input, silenceMs: MOVE_SILENCE_MS });
  const ids = stdout.split('\n');
  return new Map(paths.map((path, at) => [path, ids[at] ?? '']));
}

/** With the folders above it that are empty then, as git does. */
async function removeFile(top: string, path: string): Promise<void> {
  await rm(join(top, path), { force: true });
  for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
    const isGone = await rmdir(join(top, folder)).then(
      () => true,
      () => false,
    );
    if (!isGone) return;
  }
}
