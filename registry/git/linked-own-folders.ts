/** Where the host writes, and a commit says that it is elsewhere: whoever may commit would have it write there. */

import { lstat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { AppError } from '../../schemas/errors.ts';
import { isLink, isThere } from '../files/is-there.ts';
import { ownFolders, registryPaths } from '../paths.ts';
import { itemsIn } from './ask.ts';
import { hasOwn } from './folders.ts';
import type { GitQuestions } from './questions.ts';
import { createGitRun, wordsOf } from './run.ts';

/** What git has of a path: a link, and a submodule, in which there may be links. */
const LINK = '120000 ';
const SUBMODULE = '160000 ';

/**
 * Rejects `RegistryUnavailable` where something in `status/` or `data/`, or one of them, is a link that a commit
 * brought. One that whoever runs the host made is theirs to make. Asks git itself, since the host's first lock lies there.
 */
export async function refuseLinkedOwnFolders(root: string): Promise<void> {
  const own = ownFolders(registryPaths(root));
  const names = own.map(({ path }) => relative(root, path));
  const there = await Promise.all(own.map(({ path }) => lstat(path).catch(() => undefined)));
  if (there.every((stats) => stats === undefined)) return;
  const isOwn = await hasOwn(root);
  const run = createGitRun(root, undefined, isOwn ? root : '/');
  const index = await run(['ls-files', '-s', '-z', '--', ...names]);
  const head = await run(['ls-tree', '-r', '-z', 'HEAD', '--', ...names]);
  if (index.code !== 0) {
    const isNone = !isOwn && (index.code === 127 || /not a git repository/.test(index.stderr));
    const links = own.flatMap(({ path, inner }) => [path, ...inner]);
    for (const path of isNone ? [] : links) {
      if (!(await isLink(path))) continue;
      throw new AppError(
        'RegistryUnavailable',
        `${relative(root, path)} is a link, and git does not say whether a commit brought it: ${wordsOf(index)}`,
        {
          hint: 'Mend git there, or put a folder in its place, and start the host again.',
        },
      );
    }
    return;
  }
  for (const line of new Set([...itemsIn(index.stdout), ...itemsIn(head.stdout)])) {
    const path = line.slice(line.indexOf('\t') + 1);
    const leadsAway = line.startsWith(LINK)
      ? await isLink(join(root, path))
      : line.startsWith(SUBMODULE) && (await isThere(join(root, path, '.git')));
    if (leadsAway) throw committed(path);
  }
}

/** Whether that path of a registry is a link that a commit brought, as far as git tells. */
export function linksOf(
  root: string,
  git: Pick<GitQuestions, 'tracks'> | undefined,
): (path: string) => Promise<boolean> {
  return async (path) => git !== undefined && (await isLink(path)) && git.tracks(relative(root, path));
}

function committed(path: string): AppError {
  const message = `${path} leads elsewhere by a commit, and the host writes nothing where a commit sends it`;
  return new AppError('RegistryUnavailable', message, {
    hint: `Take it out of git there and commit that: git rm -r --cached ${path}; then remove it. A link of your own is made anew after that, and named in .gitignore.`,
  });
}
