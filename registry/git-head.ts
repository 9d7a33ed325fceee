import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { statKey } from './settle.ts';

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
  /** Changes with every step that git takes here. */
  activity: string;
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
    const [folder, index, ...heads] = await Promise.all(
      [
        gitDir,
        join(gitDir, 'index'),
        join(gitDir, 'HEAD'),
        join(commonDir, ref),
        join(commonDir, 'packed-refs'),
        join(commonDir, 'reftable', 'tables.list'),
      ].map(keyOf),
    );
    const key = heads.join(' ');
    if (key !== known.key) known = { key, id: (await idOf(gitDir, commonDir)) ?? (await resolve()) };
    const activity = `${folder} ${index} ${key}`;
    return { id: known.id, ref, operation, locked: names.has('index.lock'), activity };
  };
}

async function keyOf(path: string): Promise<string> {
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
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
