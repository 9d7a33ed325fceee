import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** In the git folder from the moment HEAD has moved until its submodules were brought, or could not be, once. */
const NOTE = 'hersh-submodules';

/** Whether the submodules of the last move are still to be brought, be it the move of a host that is no more. */
export interface OwedSubmodules {
  are(): boolean;
  /** HEAD was moved to that commit. */
  since(commit: string): Promise<void>;
  /** What a host before left undone counts as long as HEAD is where it moved it: who moved it on sees to them. */
  takeOver(head: string): Promise<void>;
  paid(): Promise<void>;
}

export function createOwedSubmodules(gitDir: string): OwedSubmodules {
  const path = join(gitDir, NOTE);
  let are = false;
  return {
    are: () => are,
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
    async paid() {
      are = false;
      await rm(path, { force: true });
    },
  };
}
