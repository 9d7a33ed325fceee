import type { Stranger } from './container.ts';
import type { ProgramSpec } from './program.ts';

/**
 * What the controller must remember across its own restarts, each part by what it belongs to. Only `learn` and
 * `goalOf` of `controller/program/` change it.
 */
export interface ProgramMemory {
  program: OfProgram;
  rollout: Rollout;
  /** A build or pull that failed for good, or waits for its next try. */
  failedImage?: { key: string; reason: string; message: string; attempts: number; nextAt: string };
  /** By id. Goes when the engine has it no more. */
  containers: Record<string, OfContainer>;
  starts: Starts;
}

export interface OfProgram {
  /** The wish in force while the manifest is broken, and with which defaults it was resolved. */
  inForce?: {
    rawHash: string;
    rawSpec: Record<string, unknown>;
    spec: ProgramSpec;
    labels: Record<string, string>;
    /** The program whose `/state` it asks for, by its annotation. */
    stateFrom?: string;
  };
  /** It was deleted, by that commit where one is known, and not all of it is gone yet. */
  deletion?: { commit: string };
  /** Whether a start was ever asked for: tells Stopped from Created. */
  startRequested: boolean;
  /** `restartedAt` as last acted on: when it differs, failures are forgotten. */
  restartedAtSeen: string;
  /** The named volume mounted at /state. */
  volume?: string;
  /** A container was made with that volume, so that it is there unless somebody removed it. */
  hasState?: true;
  /** It was not: when that was found, and what was wanted then (`attemptOf`). Another wish, or a restart, ends the telling. */
  stateLost?: { at: string; attempt: string };
  /** The last program whose `/state` was asked for, and whether it was taken over: told once. */
  stateFrom?: { name: string; taken: boolean };
  /**
   * The newest revision made, and the hash, and the image, see `Made`, that make it this one. `ran`: a container of it was
   * seen to have run.
   */
  newest?: { number: number; hash: string; image?: string; ran?: true };
  /** The build id last wanted, whose log is the newest; `""` before the first. */
  lastBuild: string;
  /** The container that served last; `removed` by the host itself, so that nobody misses it. */
  served?: { id: string; removed: boolean };
  /** Why nothing runs, where that is as it should be. */
  rest?: Rest;
  /**
   * The spec hash of the container that is being made, whose id is not noted yet; `""` where none is. Undefined as long
   * as no ids are noted: an older host did not, or the ledger was lost.
   */
  making?: string;
  /** `LABELS.madeAt` of the last containers made, the newest last: one that bears another is of a later ledger than this. */
  madeAt?: readonly string[];
  /** How often its port was lost in a row, and when it is made anew for that next, at the soonest. */
  portLoss?: { count: number; nextAt: string };
  /** Containers that bear its labels and are not its own, as the last look found them: told once. */
  strangers?: readonly Pick<Stranger, 'id' | 'name' | 'why'>[];
}

export type Rest =
  /** Asked for, and nothing has run since. */
  | { why: 'asked' }
  /** It ran to its end under Never or OnFailure, as that spec hash. `overtaken`: another was wanted since. */
  | { why: 'finished'; specHash: string; exitCode: number; overtaken: boolean };

/** What an attempt is made of, and the revision it is. */
export interface Made {
  revision: number;
  hash: string;
  imageKey: string;
  buildId: string;
  spec: ProgramSpec;
  /**
   * Where the spec names its image: the id of that, since names move. Undefined where none is known, which an older
   * host did not note: then any is taken for it.
   */
  image?: string;
}

/**
 * What the wanted attempt (`attemptOf`: spec, sources and `restartedAt`; `""` before the first) has come to, and the
 * good one: the newest that was ready, which comes back where a newer one does not get there. `image`: what the name
 * of its image was when it was first made, see `Made`, and what it is made of again.
 */
export type Rollout =
  /** `refusals`: how often the engine refused to start it. */
  | { verdict: 'new'; attempt: string; refusals: number; image?: string; pulled?: Pulled; good?: Made }
  | { verdict: 'good'; attempt: string; good: Made }
  /** It was rolled back, and is made again at `nextAt` where that is set. */
  | ({ verdict: 'bad'; attempt: string; refusals: number; image?: string; good: Made } & Bad);

/** That the name of an attempt's image was pulled, and why that failed, or `""`: once an attempt is enough. */
export interface Pulled {
  error: string;
}

/** Why the pull of the wanted attempt failed; `""` where it did not, or none was tried. */
export function pullError(rollout: Rollout): string {
  return rollout.verdict === 'new' ? (rollout.pulled?.error ?? '') : '';
}

/** Whether that may be one image: what is not known is taken for any. */
export function isSameImage(one: string | undefined, other: string | undefined): boolean {
  return !one || !other || one === other;
}

/** What the wanted attempt was made of, where its image is named and that is known. */
export function attemptImage(rollout: Rollout): string | undefined {
  return rollout.verdict === 'good' ? rollout.good.image : rollout.image;
}

export interface Bad {
  revision: number;
  reason: string;
  message: string;
  nextAt?: string;
}

export interface OfContainer {
  /** A host made it, or adopted it where no ids were noted yet: it is the program's own. */
  made?: true;
  /** The engine's account of it when it was first seen to serve: what drift is told by. */
  settings?: object;
  /** Its port was lost: it is made anew, beside its sandbox. */
  portLost?: true;
  /** When a process of it was last told to have run out of memory while it went on; epoch milliseconds. */
  oomAtMs?: number;
  /** The newest run of it whose end is known, or asked for. */
  run?: { startedAtMs: number; end: RunEnd };
}

/**
 * `unhealthy` is asked for by the host, since its liveness fails, and still to be counted; the others are.
 * `withEngine`: engine or machine went down and took it along, which is nobody's crash.
 */
export type RunEnd = 'asked' | 'unhealthy' | 'crashed' | 'finished' | 'withEngine';

/** Why the next start may have to wait. */
export interface Starts {
  /** Runs that ended by themselves, in a row. */
  crashes?: { count: number; nextAt: string };
  /** Creating or starting failed, so often in a row. */
  failed?: { reason: string; message: string; attempts: number; nextAt: string };
}

/** `the program was deleted by commit 4f2a…`. */
export function describeDeletion({ program: { deletion } }: ProgramMemory): string {
  return `the program was deleted${deletion?.commit ? ` by commit ${deletion.commit}` : ''}`;
}

/** For people. @param volume its name */
export function describeLostState(volume: string): string {
  return `volume ${volume}, which is /state, was gone and is made anew: what it held is lost unless you have a copy of it`;
}

export function emptyMemory(): ProgramMemory {
  return {
    program: { startRequested: false, restartedAtSeen: '', lastBuild: '' },
    rollout: { verdict: 'new', attempt: '', refusals: 0 },
    containers: {},
    starts: {},
  };
}

export function withProgram(memory: ProgramMemory, change: Partial<OfProgram>): ProgramMemory {
  return { ...memory, program: { ...memory.program, ...change } };
}

export function withRest(memory: ProgramMemory, next?: Rest): ProgramMemory {
  const { rest, ...program } = memory.program;
  return { ...memory, program: next === undefined ? program : { ...program, rest: next } };
}

/** That the program ran to its end, and as what. */
export function finishedOf({ program }: ProgramMemory): Extract<Rest, { why: 'finished' }> | undefined {
  return program.rest?.why === 'finished' ? program.rest : undefined;
}
