import type { Made } from './memory.ts';
import type { ProgramSpec } from './program.ts';

/** What it came to. `Superseded`: another was wanted before any container of it ran, so that nothing is known of it. */
export type Outcome = 'Pending' | 'Ready' | 'Failed' | 'Superseded';

/** One thing a program was asked to be, with every default filled in. */
export interface Revision {
  number: number;
  /** `revisionHash` of what it holds. */
  hash: string;
  createdAt: string;
  /** The git commit that brought it: the last that touched its manifest or sources; or `""`. */
  commit: string;
  buildId: string;
  /** Whole build hash, `""` for `spec.image`. */
  buildHash: string;
  imageId: string;
  spec: ProgramSpec;
  /** As it was written, without defaults: what a rollback writes into the manifest. */
  rawSpec: Record<string, unknown>;
  /** Who asked for it: the commit's author, or the program's user. */
  author: string;
  outcome: Outcome;
  /** Why it failed, where that is known: `ProgressDeadlineExceeded`, `StartFailed` or `Overtaken`. */
  reason?: string;
  message: string;
  /** The last output of one that failed. */
  log?: string;
}

/** What it is as something to come back to. */
export function madeOf(kept: Revision): Made {
  const { number: revision, hash, buildId, spec } = kept;
  return { revision, hash, imageKey: keyOf(kept), buildId, spec, ...imageOf(kept) };
}

/** The image that makes it this revision, see `Made`: none where it was built, since that is known by its hash. */
export function imageOf({ spec, imageId }: Pick<Revision, 'spec' | 'imageId'>): Pick<Made, 'image'> {
  return spec.build === null && imageId !== '' ? { image: imageId } : {};
}

/** What its image is known by: the build hash, or the reference that its spec names. */
export const keyOf = ({ spec, buildHash }: Revision): string => spec.image ?? buildHash;
