import type { Contexts } from './contexts/contexts.ts';
import type { MayLink } from './contexts/folder.ts';
import { refuseCommittedSources } from './git/committed-links.ts';
import type { Git } from './git/git.ts';
import type { SourcesKeeper } from './git/kept-sources.ts';
import { SourcesHeld } from './git/sources-held.ts';
import { troubleOf } from './manifests/programs-folder.ts';

export interface HeldContextsOptions {
  root: string;
  git: Git | undefined;
  sources: SourcesKeeper;
  /** The folder of manifests, whose absence tells that the registry is away. */
  programs: string;
  /** Told, by what fails, that the disk may be in trouble. */
  suspecting: <T>(work: Promise<T>) => Promise<T>;
}

/** Contexts of which nothing is said while what lies there is nobody's wish: those calls reject `SourcesHeld`. */
export function holdContexts(contexts: Contexts, options: HeldContextsOptions): Contexts {
  const { root, git, sources, programs, suspecting } = options;
  return {
    ...contexts,
    async look(build) {
      await sources.settled(build.context);
      const look = contexts.look(build);
      const trouble = await look.then(
        () => '',
        () => troubleOf(programs),
      );
      // Where the registry is away, that the sources are is no news about them.
      if (trouble !== '') throw new SourcesHeld(trouble, true, 0);
      // Asked afterwards, since git may have begun meanwhile. What it left half done is no failure either.
      const held = await git?.held();
      if (held !== undefined) throw held;
      return look;
    },
    async restore(...what) {
      await refuseCommittedSources(root, git);
      return contexts.restore(...what);
    },
    async snapshot(build, hash) {
      try {
        return await suspecting(contexts.snapshot(build, hash));
      } catch (error) {
        const held = await git?.held();
        throw held?.lasts === true ? held : error;
      }
    },
  };
}

/** A link that a commit brought is the wish of whoever may commit, and may lead to anything that the host can read. */
export function mayLinkOf(git: Pick<Git, 'tracks'> | undefined): MayLink {
  return async () => (await git?.tracks('sources')) !== true;
}
