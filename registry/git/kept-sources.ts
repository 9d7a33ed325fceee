import { rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { TEMP_PREFIX } from '../files/atomic-write.ts';
import type { Reversible } from '../files/reversible.ts';
import { sourcesFolderOf } from '../paths.ts';
import type { GitQuestions } from './questions.ts';

/** Source folders of the API, which in a git work tree come and go with the commits that name them. */
export interface SourcesKeeper {
  /** The folders of contexts that may go when these programs name them no more: no other does, and git has all of it. */
  leaving(names: readonly string[], contexts: readonly (string | undefined)[]): Promise<string[]>;
  /** Takes such a folder away, if it is there. */
  release(folder: string): Promise<Reversible | undefined>;
  /** Resolves when the folder of a context is not on its way: taken away and not yet back, or gone for good. */
  settled(context: string): Promise<void>;
}

export interface SourcesKeeperOptions {
  root: string;
  /** A folder on the same disk. */
  aside: string;
  git: Pick<GitQuestions, 'isClean'> | undefined;
  /** Whether any program but these may be built from that folder. */
  mentions: (names: readonly string[], folder: string) => boolean;
}

export function createSourcesKeeper(options: SourcesKeeperOptions): SourcesKeeper {
  const { root, aside, git, mentions } = options;
  /** Folders that were taken away by an edit which has not ended. */
  const away = new Map<string, { until: Promise<void>; end: () => void }>();
  const ending = async (folder: string, work: Promise<void>): Promise<void> => {
    try {
      await work;
    } finally {
      away.get(folder)?.end();
      away.delete(folder);
    }
  };
  return {
    settled: async (context) => away.get(sourcesFolderOf(context) ?? '')?.until,
    async leaving(names, contexts) {
      const leaving: string[] = [];
      for (const folder of new Set(contexts.map(sourcesFolderOf))) {
        if (folder === undefined || mentions(names, folder)) continue;
        if (await git?.isClean(folder)) leaving.push(folder);
      }
      return leaving;
    },
    async release(folder) {
      const from = join(root, folder);
      const to = join(aside, `${TEMP_PREFIX}${basename(folder)}`);
      await rm(to, { recursive: true, force: true });
      let end = () => {};
      const until = new Promise<void>((resolve) => {
        end = resolve;
      });
      away.set(folder, { until, end });
      try {
        await rename(from, to);
      } catch {
        // It is gone already, or can not be moved: then it stays, which does no harm.
        await ending(folder, Promise.resolve());
        return undefined;
      }
      return {
        undo: () => ending(folder, rename(to, from)),
        done: () => ending(folder, rm(to, { recursive: true, force: true })),
      };
    },
  };
}

/** Removes a folder of the registry, given relative to its root. */
export async function removeFolder(root: string, folder: string): Promise<void> {
  await rm(join(root, folder), { recursive: true, force: true });
}
