import { readlink, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { AppError, messageOf } from '../../schemas/errors.ts';
import { RESERVED_FOLDERS } from '../../schemas/resolve.ts';
import type { MayLink } from '../contexts/folder.ts';
import { isLink } from '../files/is-there.ts';
import { isWithin } from '../files/is-within.ts';
import type { GitQuestions } from './questions.ts';

/** As many links as Linux follows on the way to a file. */
const LINKS_MAX = 40;

/**
 * Links in the registry that commits brought. Such a link is the wish of whoever may commit, and may lead to anything
 * that the host can read or write: it is followed within the registry alone, or to what git has itself. One that git
 * does not know was made by whoever runs the host, and leads anywhere.
 */
export interface CommittedLinks {
  /** Why what is behind that path is neither read nor written, or `""`. @param path relative to the registry */
  refusal(path: string): Promise<string>;
  /** Rejects `RegistryUnavailable` where one of these paths is refused. */
  mustLeadHome(...paths: string[]): Promise<void>;
  /** Whether `sources/` may lead elsewhere. */
  mayLink: MayLink;
}

/** No links in git where there is no git. */
export function createCommittedLinks(
  root: string,
  git: Pick<GitQuestions, 'tracks'> | undefined,
): CommittedLinks {
  async function refusal(path: string): Promise<string> {
    if (git === undefined || !(await isLink(join(root, path)))) return '';
    const [home, real] = await Promise.all([realpath(root), realpath(join(root, path)).catch(() => '')]);
    // Of a link to nothing whoever reads it tells.
    if (real === '' || isHome(home, real)) return '';
    try {
      for (const link of await linksOnTheWay(home, path)) {
        if (!(await isForbidden(git, home, link))) continue;
        const shown = isWithin(home, link) ? relative(home, link) : link;
        return `${shown} is a link that git tracks, and leads out of the registry; commit what is behind it in its place, or take the link out of git (git rm --cached ${shown})`;
      }
    } catch (error) {
      return `${path} is a link that leads out of the registry, and git does not say whether a commit brought it: ${messageOf(error)}`;
    }
    return '';
  }
  return {
    refusal,
    mayLink: async () => (await refusal('sources')) === '',
    async mustLeadHome(...paths) {
      for (const path of paths) {
        const why = await refusal(path);
        if (why !== '') throw new AppError('RegistryUnavailable', why);
      }
    },
  };
}

/**
 * Whether that link leads out, a commit brought it, and what is behind it is none of what git has there. Rejects where
 * git does not say.
 * @param home the registry, free of links
 */
async function isForbidden(git: Pick<GitQuestions, 'tracks'>, home: string, link: string): Promise<boolean> {
  const real = await realpath(link);
  if (isHome(home, real)) return false;
  const folder = dirname(link);
  const isCommitted = await git.tracks(folder, basename(link));
  // Elsewhere there may be no git; in here there was one when the host started.
  if (isCommitted === undefined && isWithin(home, folder))
    throw new Error('it finds no repository there any more');
  if (isCommitted !== true) return false;
  const isTracked = await git.tracks(folder, relative(folder, real).split(sep).join('/')).catch(() => false);
  return isTracked !== true;
}

/**
 * The links that lead from a path to what is behind it, each as a path whose folder is free of links: those of others
 * that it leads through, as well.
 */
async function linksOnTheWay(home: string, path: string): Promise<string[]> {
  const links: string[] = [];
  const left = path.split(sep);
  let at = home;
  while (left.length > 0 && links.length < LINKS_MAX) {
    const next = join(at, left.shift() ?? '');
    const target = await readlink(next).catch(() => undefined);
    if (target === undefined) at = next;
    else {
      links.push(next);
      left.unshift(...target.split(sep));
      if (isAbsolute(target)) at = sep;
    }
  }
  return links;
}

function isHome(home: string, real: string): boolean {
  if (!isWithin(home, real)) return false;
  return ![...RESERVED_FOLDERS, 'secrets'].includes(relative(home, real).split(sep)[0] ?? '');
}
