/** What the host gives, and is asked for, of one program: the words of `ProgramStore`. */
import type { Problem } from '../schemas/errors.ts';
import type { LogCursor } from '../schemas/log-line.ts';
import type { Paused } from '../schemas/pause.ts';
import type { Resources, Runtime } from '../schemas/program.ts';
import type { Outcome } from '../schemas/revision.ts';
import type { ProgramStatus } from '../schemas/status.ts';
import type { ProxyAccess } from '../schemas/token.ts';

/** A file or link of a build context. */
export interface RevisionFile {
  name: string;
  /** As git has it: `100644`, `100755`, `120000` for a link. */
  mode: string;
  /** Of its contents, or of a link's target; hex. */
  sha256: string;
}

/** One program: its status, and what of the manifest the routes decide by. */
export interface ProgramView {
  name: string;
  /**
   * Whose it is, for all that is only for its user: undefined while manifest and ledger name two users, or none does,
   * which is for nobody but those who see all.
   */
  owner: string | undefined;
  desiredState: 'Running' | 'Stopped';
  /** Ran to its end under Never or OnFailure. */
  finished: boolean;
  /** Was Running or Ready when it was looked at last, whatever a call has asked for since. */
  isUp: boolean;
  status: ProgramStatus;
  details: ProgramDetails;
  problems: readonly Problem[];
}

/** What follows from a program's status and is not in it. */
export interface ProgramDetails {
  /** The number of the revision that is wanted; 0 where nothing is known, or it was not made yet. */
  wantedRevision: number;
  /** The commit that brought the revision that serves; `""` for none, null where it is being read. */
  commit: string | null;
  wantedCommit: string | null;
  restartsInHour: number;
  /** When the host tries next what failed last; `""` where it waits for nothing. */
  nextTryAt: string;
  /** Of the spec in force; null where none is. */
  limits: Resources | null;
  /** Of what serves, or of what is wanted where nothing does; `""` where neither is known. */
  runtime: Runtime | '';
  /** The image that its spec names; `""` where it is built, and where none is known. */
  image: string;
  /** As its spec has it; left out where that says nothing. */
  proxyAccess?: ProxyAccess;
  /** Why it is left alone; null where it is not. */
  paused: Paused | null;
}

/** What holds the network of the container that serves. */
export interface SandboxView {
  id: string;
  createdAtMs: number;
  /** `""` while it is on no network. */
  address: string;
}

/** One revision as `GET /programs/{id}/revisions` shows it. */
export interface RevisionView {
  revision: number;
  created_at: string;
  author: string;
  /** The git commit it came from, or `""`. */
  commit: string;
  build_id: string;
  image_id: string;
  outcome: Outcome;
  message: string;
  /** The last output of one that failed. */
  log: string;
  /** Whether it is the one that serves. */
  current: boolean;
  /** As a manifest says it, with every default written out. */
  spec: Record<string, unknown>;
}

export interface ProgramLogOptions {
  tail: number | 'all';
  /** What was printed then or later, epoch nanoseconds; 0n for no bound. */
  sinceNanos: bigint;
  /** Not with `previous`. */
  follow: boolean;
  /** The run before the one that is on, or the last one where none is. */
  previous: boolean;
  signal: AbortSignal;
}

export interface LogPageRequest {
  /** The most lines, from the end of what is asked for. */
  tail: number;
  /** Only lines that stand before that one; not with `after`, nor of a follower. */
  before?: LogCursor | undefined;
  /** Only lines that come after that one. */
  after?: LogCursor | undefined;
  /** Only what was printed then or later, epoch nanoseconds; 0n for no bound. */
  sinceNanos: bigint;
  signal: AbortSignal;
}

export interface DryRun {
  /** False where the file equals what is in force. */
  changed: boolean;
  /** Fields that differ, e.g. `spec.env.KEY`, with their values; env values are shown as they stand in the file. */
  diff: { path: string; from: unknown; to: unknown }[];
  /** What the controller would do, in words, in order. */
  actions: string[];
}

export interface Validation {
  /** `metadata.name` as written; `""` where there is none, which is not told as wrong. */
  name: string;
  /** In the order of the text. */
  problems: readonly Problem[];
}

export interface Pulled {
  /** Of what its name is now. */
  imageId: string;
  changed: boolean;
}
