import type { BigIntStats } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { statKey } from '../files/settle.ts';
import type { GitRun } from './run.ts';

/** Files that stand in the git folder while something is half done, and what that is called. */
const OPERATIONS: readonly [string, string][] = [
  ['rebase-merge', 'rebase'],
  ['rebase-apply', 'rebase'],
  ['MERGE_HEAD', 'merge'],
  ['CHERRY_PICK_HEAD', 'cherry-pick'],
  ['REVERT_HEAD', 'revert'],
  ['sequencer', 'cherry-pick or revert'],
  ['BISECT_LOG', 'bisect'],
];

export interface GitFolders {
  /** Of this work tree: HEAD, index. */
  gitDir: string;
  /** Shared by all work trees of the repository: refs, objects. */
  commonDir: string;
}

/** What a look into the git folder shows without starting git. */
export interface GitHead {
  /** The commit, `""` where there is none yet or it can not be read. */
  id: string;
  /** `refs/heads/main`, or `""` for a detached HEAD. */
  ref: string;
  /** `merge`, `rebase`, …, or `""`. */
  operation: string;
  locked: boolean;
  /** Changes with every step that git takes here: each writes the index, or moves a reference. */
  key: string;
  /** Of the index, which git writes when it has written the files; undefined where there is none. */
  index: BigIntStats | undefined;
}

/** What git itself says of HEAD. */
export interface AskedHead {
  id: string;
  ref: string;
  /** `cherry-pick`, `revert`, or `""`, where that is a reference; files tell of the others. */
  operation: string;
}

/**
 * Reads HEAD and what git is in the middle of. A few `stat` calls when nothing moved.
 * @param ask git, when something did: how it keeps references is its own affair. Undefined where it can not tell now
 */
export function createHeadReader(
  { gitDir, commonDir }: GitFolders,
  ask: (isReftable: boolean) => Promise<AskedHead | undefined>,
): () => Promise<GitHead> {
  let known: AskedHead & { key: string } = { key: '', id: '', ref: '', operation: '' };
  return async () => {
    const names = new Set(await readdir(gitDir).catch(() => []));
    const [index, ...heads] = await Promise.all(
      [
        join(gitDir, 'index'),
        join(gitDir, 'HEAD'),
        // A work tree beside the first has its own HEAD, in either form.
        join(gitDir, 'reftable', 'tables.list'),
        join(commonDir, await headFile(gitDir)),
        join(commonDir, 'packed-refs'),
        join(commonDir, 'reftable', 'tables.list'),
      ].map((path) => stat(path, { bigint: true }).catch(() => undefined)),
    );
    const [, beside, , , tables] = heads;
    const refs = heads.map(keyOf).join(' ');
    if (refs !== known.key) {
      const asked = await ask([beside, tables].some((one) => one !== undefined));
      if (asked !== undefined) known = { key: refs, ...asked };
    }
    const operation = OPERATIONS.find(([file]) => names.has(file))?.[1] ?? known.operation;
    const key = `${keyOf(index)} ${refs}`;
    return { id: known.id, ref: known.ref, operation, locked: names.has('index.lock'), key, index };
  };
}

/**
 * Asks git what HEAD is. Undefined where it could not be run.
 * @param isReftable then (git 2.47) a cherry-pick or revert that stands still is a reference, and no file
 */
export async function askHead(run: GitRun, isReftable: boolean): Promise<AskedHead | undefined> {
  const head = await run(['rev-parse', '-q', '--verify', 'HEAD']);
  const branch = await run(['symbolic-ref', '-q', 'HEAD']);
  if ([head, branch].some(({ code }) => code === 124 || code === 127)) return undefined;
  const has = async (name: string) =>
    isReftable && (await run(['rev-parse', '-q', '--verify', name])).code === 0;
  const operation = (await has('CHERRY_PICK_HEAD'))
    ? 'cherry-pick'
    : (await has('REVERT_HEAD'))
      ? 'revert'
      : '';
  return {
    id: head.code === 0 ? head.stdout.trim() : '',
    ref: branch.code === 0 ? branch.stdout.trim() : '',
    operation,
  };
}

function keyOf(stats: BigIntStats | undefined): string {
  return stats === undefined ? '-' : statKey(stats);
}

/** The file that changes with the branch, where branches are files. */
async function headFile(gitDir: string): Promise<string> {
  const text = await readFile(join(gitDir, 'HEAD'), 'utf8').catch(() => '');
  return /^ref: (.+)$/m.exec(text)?.[1]?.trim() ?? '';
}
