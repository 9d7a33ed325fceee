import { stat } from 'node:fs/promises';
import type { Clock } from '../../schemas/clock.ts';
import { statKey } from '../files/settle.ts';
import type { Git } from '../git/git.ts';
import type { ManifestSet } from '../manifests/set.ts';
import type { RegistryPaths } from '../paths.ts';

/** So many manifests are looked at each time, though nothing hinted at a change: some 10 ms. */
const AT_ONCE_MAX = 2_000;
/** Of more, all are looked at this often, and in between each time as many as that, in turn. */
const ALL_MS = 60_000;

/** Which manifests a look is to look at that nothing hinted at. */
export interface Turns {
  /** A look at all begins. */
  begin(): Promise<void>;
  /** Those whose turn it is, or all: also where a file came or went since they were all looked at. */
  next(): Promise<readonly string[] | 'all'>;
}

export interface TurnsOptions {
  paths: Pick<RegistryPaths, 'programs'>;
  git: Git | undefined;
  manifests: Pick<ManifestSet, 'names' | 'size'>;
  clock: Clock;
}

export function createTurns({ paths, git, manifests, clock }: TurnsOptions): Turns {
  let beganMs = Number.NEGATIVE_INFINITY;
  let folder = '';
  let first = 0;

  /** Changes whenever a file comes, goes or takes the place of another, but not when one is written to. */
  async function folderNow(): Promise<string> {
    const stats = await stat(paths.programs, { bigint: true }).catch(() => undefined);
    return stats === undefined ? '' : statKey(stats);
  }

  return {
    async begin() {
      beganMs = clock.monotonic();
      folder = await folderNow();
    },
    async next() {
      const isAll = git !== undefined || manifests.size() <= AT_ONCE_MAX;
      if (isAll || clock.monotonic() - beganMs >= ALL_MS || (await folderNow()) !== folder) return 'all';
      const names = [...manifests.names()];
      if (first >= names.length) first = 0;
      const own = names.slice(first, first + AT_ONCE_MAX);
      first += AT_ONCE_MAX;
      return own;
    },
  };
}
