import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../schemas/errors.ts';
import type { GitRun } from './run.ts';
import { bringSubmodules } from './submodules.ts';

/** In the git folder from the moment HEAD has moved until its submodules were brought, or could not be, once. */
const NOTE = 'hersh-submodules';

/** Whether the submodules of the last move are still to be brought, be it the move of a host that is no more. */
export interface OwedSubmodules {
  are(): boolean;
  /** The same, or they are just being brought for the first time. */
  areAwaited(): boolean;
  /** HEAD was moved to that commit. */
  since(commit: string): Promise<void>;
  /** What a host before left undone counts as long as HEAD is where it moved it: who moved it on sees to them. */
  takeOver(head: string): Promise<void>;
  /** See `bringSubmodules`. Never rejects: what goes wrong otherwise is told, and waited for no more than the rest. */
  bring(config?: Readonly<Record<string, string>>): Promise<string>;
}

/** @param ends when it is aborted, git ends: what fails then has not been tried */
export function createOwedSubmodules(
  top: string,
  gitDir: string,
  run: GitRun,
  ends: AbortSignal,
): OwedSubmodules {
  const path = join(gitDir, NOTE);
  let are = false;
  let bringing = false;
  // Only the first time after a move, or a start, is waited for: one that can never be had must not hold up the rest.
  let isFirst = true;
  return {
    are: () => are,
    areAwaited: () => are || bringing,
    async since(commit) {
      are = true;
      // Where it can not be written, this host still knows.
      await writeFile(path, commit).catch(() => undefined);
    },
    async takeOver(head) {
      const commit = await readFile(path, 'utf8').catch(() => undefined);
      if (commit === undefined) return;
      // Not written whole, or git does not tell where HEAD is: better once too often.
      are = [commit, head].includes('') || commit === head;
      if (!are) await rm(path, { force: true });
    },
    async bring(config) {
      bringing = isFirst;
      const missing = await bringSubmodules(top, run, config).catch(messageOf);
      // Ended with the host it is not done: the next one has it to do, and this one takes nothing up any more.
      if (ends.aborted) return missing;
      bringing = false;
      isFirst = false;
      are = false;
      // A note that stays has the next host bring them once more.
      await rm(path, { force: true }).catch(() => undefined);
      return missing;
    },
  };
}
