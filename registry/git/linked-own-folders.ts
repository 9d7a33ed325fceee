/** Where the host writes, and a commit says that it is elsewhere: whoever may commit would have it write there. */

import { lstat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { AppError } from '../../schemas/errors.ts';
import { isLink, isThere } from '../files/is-there.ts';
import { ownFolders, registryPaths } from '../paths.ts';
import { itemsIn } from './ask.ts';
import { hasOwn, mayBeInGit } from './folders.ts';
import { LINK, listed, pathOf, SUBMODULE } from './listed.ts';
import type { GitStand } from './may-be-read.ts';
import type { GitQuestions } from './questions.ts';
import { createGitRun, type GitResult, type GitRun, wordsOf } from './run.ts';

/**
 * Rejects `RegistryUnavailable` where something in `status/` or `data/`, or one of them, is a link that a commit
 * brought. One that whoever runs the host made is theirs to make. Asks git itself, since the host's first lock lies there.
 */
export async function refuseLinkedOwnFolders(root: string): Promise<void> {
  const own = ownFolders(registryPaths(root));
  const there = await Promise.all(own.map(({ path }) => lstat(path).catch(() => undefined)));
  if (there.every((stats) => stats === undefined)) return;
  if (!(await mayBeInGit(root))) return;
  const isOwn = await hasOwn(root);
  const run = createGitRun(root, undefined, isOwn ? root : '/');
  const { lines, failed } = await listed(run, namesOf(root));
  if (failed !== undefined) {
    // By a git that is not installed no commit comes; whoever opens the registry is told that it is plain files then.
    const isMissing = failed.code === 127 && failed.stderr.includes('ENOENT');
    const isNone = isMissing || (!isOwn && /not a git repository/.test(failed.stderr));
    return isNone ? undefined : refuseUnsure(root, failed);
  }
  for (const line of lines) if (await leadsAway(root, line)) throw committed(pathOf(line));
}

async function refuseUnsure(root: string, failed: GitResult): Promise<void> {
  for (const path of foldersOf(root)) {
    if (!(await isLink(join(root, path)))) continue;
    throw new AppError(
      'RegistryUnavailable',
      `${path} is a link, and git does not say whether a commit brought it: ${wordsOf(failed)}`,
      { hint: 'Mend git there, or put a folder in its place, and start the host again.' },
    );
  }
}

/**
 * Asked while the host runs, as often as one likes: paths, relative to the registry, of what came into `status/` or
 * `data/` by a commit and leads elsewhere. git is asked anew only when it took a step.
 */
export function linksOf(
  root: string,
  git: (Pick<GitQuestions, 'listed'> & Pick<GitStand, 'head'>) | undefined,
): () => Promise<string[]> {
  const folders = foldersOf(root);
  let askedAt = '';
  let known: string[] = [];
  return async () => {
    if (git === undefined) return [];
    const { key } = await git.head();
    if (key !== askedAt) {
      const { lines, failed } = await git.listed(namesOf(root));
      known = lines.filter((line) => line.startsWith(LINK) || line.startsWith(SUBMODULE));
      if (failed === undefined) askedAt = key;
    }
    const present = await Promise.all(known.map((line) => leadsAway(root, line)));
    const paths = [...new Set(known.filter((_, at) => present[at]).map(pathOf))];
    // A repository that somebody made of one of the folders themselves has all records in it.
    const areLinks = await Promise.all(paths.map((path) => isLink(join(root, path))));
    return paths.filter((path, at) => areLinks[at] || !folders.includes(path));
  };
}

/**
 * What git would say of a commit that is not to be moved to, had it known where the host writes: some of that would
 * lead elsewhere, or git does not tell. Undefined where nothing speaks against it.
 * @param run git in the registry
 */
export async function whyNotMoved(run: GitRun, commit: string): Promise<GitResult | undefined> {
  const tree = await run(['ls-tree', '-r', '-z', commit, '--', ...namesOf('.')]);
  if (tree.code !== 0) return tree;
  const line = itemsIn(tree.stdout).find((one) => one.startsWith(LINK) || one.startsWith(SUBMODULE));
  if (line === undefined) return undefined;
  const path = pathOf(line);
  const stderr = `${path} leads elsewhere by that commit, and the host writes there: take it out (git rm -r --cached ${path})`;
  return { code: 1, stdout: '', stderr };
}

const namesOf = (root: string) => ownFolders(registryPaths(root)).map(({ path }) => relative(root, path));

const foldersOf = (root: string) =>
  ownFolders(registryPaths(root)).flatMap(({ path, inner }) =>
    [path, ...inner].map((one) => relative(root, one)),
  );

async function leadsAway(root: string, line: string): Promise<boolean> {
  const path = join(root, pathOf(line));
  return line.startsWith(LINK) ? isLink(path) : line.startsWith(SUBMODULE) && isThere(join(path, '.git'));
}

function committed(path: string): AppError {
  const message = `${path} leads elsewhere by a commit, and the host writes nothing where a commit sends it`;
  return new AppError('RegistryUnavailable', message, {
    hint: `Take it out of git there and commit that: git rm -r --cached ${path}; then remove it. A link of your own is made anew after that, and named in .gitignore.`,
  });
}
