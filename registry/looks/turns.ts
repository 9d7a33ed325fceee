import { stat } from 'node:fs/promises';
import type { Clock } from '../../schemas/clock.ts';
import { statKey } from '../files/settle.ts';
import type { Git } from '../git/git.ts';
import type { ManifestSet } from '../manifests/set.ts';
import type { RegistryPaths } from '../paths.ts';

/** Up to so many manifests are looked at each time, though nothing hinted at a change: some 15 ms. */
const OFTEN_MAX = 2_000;
/** Of more, all are looked at this often. */
const SELDOM_MS = 60_000;

/** Whether a look that nothing hinted at is to look at the manifests. */
export interface Turns {
  /** A look at all begins. */
  begin(): Promise<void>;
  /** Also where a file came or went since they were last looked at. */
  isDue(): Promise<boolean>;
}

export interface TurnsOptions {
  paths: Pick<RegistryPaths, 'programs'>;
  git: Git | undefined;
  manifests: Pick<ManifestSet, 'size'>;
  clock: Clock;
}

export function createTurns({ paths, git, manifests, clock }: TurnsOptions): Turns {
  let beganMs = Number.NEGATIVE_INFINITY;
  let folder = '';

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
    async isDue() {
      const isOften = git !== undefined || manifests.size() <= OFTEN_MAX;
      return isOften || clock.monotonic() - beganMs >= SELDOM_MS || (await folderNow()) !== folder;
    },
  };
}
