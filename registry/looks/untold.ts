import { programOf } from '../paths.ts';

/** More changed paths than this are told by the folders of the root that they lie in. */
const UNTOLD_MAX = 10_000;

/** Changed paths that nobody was told of yet, in a git work tree: manifests come first. */
export interface Untold {
  note(path: string): void;
  /** Gives what is to be told now; the sources among them stay where they are not to be told yet. */
  take(withSources: boolean): { programs: string[]; sources: ReadonlySet<string> | undefined };
}

export function createUntold(): Untold {
  let untold = new Set<string>();
  return {
    note(path) {
      untold.add(path);
      if (untold.size > UNTOLD_MAX) untold = new Set([...untold].map((one) => one.split('/')[0] ?? one));
    },
    take(withSources) {
      const programs = [...untold].flatMap((path) => programOf(path) ?? []);
      const sources = new Set([...untold].filter((path) => programOf(path) === undefined));
      untold = withSources ? new Set() : sources;
      return { programs, sources: withSources ? sources : undefined };
    },
  };
}
