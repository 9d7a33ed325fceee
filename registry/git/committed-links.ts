import { realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { AppError } from '../../schemas/errors.ts';
import { RESERVED_FOLDERS } from '../../schemas/resolve.ts';
import type { MayLink } from '../contexts/folder.ts';
import { isLink } from '../files/is-there.ts';
import type { GitQuestions } from './questions.ts';

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
    if (real === '' || isHome(home, real) || !(await git.tracks(path))) return '';
    const target = relative(home, real).split(sep).join('/');
    if (await git.tracks(target)) return '';
    return `${path} is a link that git tracks, and leads out of the registry; commit what is behind it in its place, or take the link out of git (git rm --cached ${path})`;
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

function isHome(home: string, real: string): boolean {
  if (real !== home && !real.startsWith(home + sep)) return false;
  return ![...RESERVED_FOLDERS, 'secrets'].includes(relative(home, real).split(sep)[0] ?? '');
}
