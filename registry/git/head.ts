import type { BigIntStats } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { statKey } from '../files/settle.ts';

/** References may point at references; more than this is a loop. */
const LINKS_MAX = 5;

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

/**
 * Reads HEAD and what git is in the middle of. A few `stat` calls when nothing moved.
 * @param resolve asks git itself, for kinds of references that are not plain files
 */
export function createHeadReader(
  { gitDir, commonDir }: GitFolders,
  resolve: () => Promise<string>,
): () => Promise<GitHead> {
  let known = { key: '', id: '' };
  return async () => {
    const names = new Set(await readdir(gitDir).catch(() => []));
    const operation = OPERATIONS.find(([file]) => names.has(file))?.[1] ?? '';
    const ref = await headRef(gitDir);
    const [index, ...heads] = await Promise.all(
      [
        join(gitDir, 'index'),
        join(gitDir, 'HEAD'),
        join(commonDir, ref),
        join(commonDir, 'packed-refs'),
        join(commonDir, 'reftable', 'tables.list'),
      ].map((path) => stat(path, { bigint: true }).catch(() => undefined)),
    );
    const refs = heads.map(keyOf).join(' ');
    if (refs !== known.key) known = { key: refs, id: (await idOf(gitDir, commonDir)) ?? (await resolve()) };
    const key = `${keyOf(index)} ${refs}`;
    return { id: known.id, ref, operation, locked: names.has('index.lock'), key, index };
  };
}

function keyOf(stats: BigIntStats | undefined): string {
  return stats === undefined ? '-' : statKey(stats);
}

async function headRef(gitDir: string): Promise<string> {
  const text = await readFile(join(gitDir, 'HEAD'), 'utf8').catch(() => '');
  return /^ref: (.+)$/m.exec(text)?.[1]?.trim() ?? '';
}

/** The commit; or undefined where the references are not plain files that lead to one. */
async function idOf(gitDir: string, commonDir: string): Promise<string | undefined> {
  let text = await readFile(join(gitDir, 'HEAD'), 'utf8').catch(() => '');
  for (let link = 0; link < LINKS_MAX; link++) {
    const id = /^([0-9a-f]{40}|[0-9a-f]{64})\s*$/.exec(text)?.[1];
    if (id !== undefined) return id;
    const ref = /^ref: (.+)$/m.exec(text)?.[1]?.trim();
    if (ref === undefined) return undefined;
    text = await readFile(join(commonDir, ref), 'utf8').catch(() => packed(commonDir, ref));
  }
  return undefined;
}

async function packed(commonDir: string, ref: string): Promise<string> {
  const text = await readFile(join(commonDir, 'packed-refs'), 'utf8').catch(() => '');
  const line = text.split('\n').find((one) => one.endsWith(` ${ref}`));
  return line?.split(' ')[0] ?? '';
}
