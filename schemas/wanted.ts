import type { Problem } from './errors.ts';
import type { Program, ProgramSpec } from './program.ts';

/** One manifest as it stands on the disk. */
export interface ManifestEntry {
  name: string;
  text: string;
  /** See `etagOf`. */
  etag: string;
  program: Program | undefined;
  problems: readonly Problem[];
  /** Of a manifest that is not valid: what a call asked for since, which the last valid spec is to be changed by. */
  asked?: Asked;
}

/** Fields of `spec` that calls of the API set. */
export type Asked = Partial<Pick<ProgramSpec, 'desiredState' | 'restartedAt'>>;

/**
 * What is wanted of a name: `present` (perhaps with problems), `gone` (its absence is believed: remove it) or
 * `unknown` (the file is missing, and that is not believed: leave everything as it is).
 */
export type Wanted =
  | { kind: 'present'; entry: ManifestEntry }
  | { kind: 'gone' }
  /** `why`: what keeps it from being known, where that is not the file itself. */
  | { kind: 'unknown'; why?: string };
