import type { Container } from './container.ts';
import type { Facts, ImageState, PortState, ProbeState } from './facts.ts';
import type { LastExit } from './last-exit.ts';
import type { ProgramMemory } from './memory.ts';
import type { ProgramSpec } from './program.ts';
import type { Revision } from './revision.ts';

/** What is wanted of one program, as far as it is known. */
export type Goal =
  | { kind: 'run'; spec: ProgramSpec }
  | { kind: 'stop'; spec: ProgramSpec }
  /** The program was deleted. */
  | { kind: 'remove' }
  /** Nothing valid was ever known, or the manifest is missing and that is not believed: touch nothing. */
  | { kind: 'hold' };

/** The facts, and what `learn` makes of them: all that `plan` and `status` decide by. */
export interface Situation extends Omit<Facts, 'port' | 'stopping' | 'probes'>, PortState {
  name: string;
  /** What is to be brought about: what is wanted or, where that can not be, the good one (see `rollback`). */
  goal: Goal;
  /** What the image is made from: a build hash or a reference; `""` where unknown. */
  imageKey: string;
  /** `""` for spec.image. */
  buildId: string;
  image: ImageState;
  /** Containers that a stop is under way for. */
  stopping: ReadonlySet<string>;
  /** By container id. */
  probes: ReadonlyMap<string, ProbeState>;
  memory: ProgramMemory;
  /** While it is paused, what is remembered: what is wanted, and of what is seen only what was ready. */
  asWished?: ProgramMemory;
  /** Set where the good revision is the goal in place of the wanted one. */
  rollback: Rollback | undefined;
  /** What there is while another is wanted, and may have become ready or not since; with its revision as it is kept. */
  overtaken?: Overtaken;
  /** Milliseconds since the wanted container first ran; 0 where it did not. Does not jump with the clock. */
  rolloutMs: number;
  /** Of `rollouts`, with what has begun: what goes on being timed, where this look has asked for any. */
  timed?: Readonly<Record<string, number>>;
  /** What its first container gets as `/state`; undefined where it has one, or none is to be made yet. */
  state?: StateVolume;
  /** How it last ended by itself. */
  lastExit: LastExit | null;
}

export type StateVolume =
  /** `renamedFrom`: a program that is gone, which this one was before, it seems. */
  | { kind: 'own'; volume: string; renamedFrom?: string }
  | { kind: 'taken'; volume: string; from: string }
  /** What is asked for can not be had: nothing begins on another in its place. `isPassing`: it can soon. */
  | { kind: 'refused'; message: string; isPassing: boolean };

/** The good revision and the one that it stands in for, and why. */
export interface Rollback {
  revision: number;
  bad: number;
  reason: string;
  message: string;
}

export interface Overtaken {
  container: Container;
  revision: Revision;
  /** It has had its time to become ready, and the good one takes over. */
  isLate?: true;
}

export function specOf(goal: Goal): ProgramSpec | undefined {
  return goal.kind === 'run' || goal.kind === 'stop' ? goal.spec : undefined;
}
