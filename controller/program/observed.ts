import type { Container } from '../../schemas/container.ts';
import { LABELS, type LastExit, type ProgramMemory, type ProgramSpec } from '../../schemas/program.ts';
import type { Revision } from '../../schemas/revision.ts';

/** What is wanted of one program, as far as it is known. */
export type Goal =
  | { kind: 'run'; spec: ProgramSpec }
  | { kind: 'stop'; spec: ProgramSpec }
  /** The program was deleted. */
  | { kind: 'remove' }
  /** Nothing valid was ever known, or the manifest is missing and that is not believed: touch nothing. */
  | { kind: 'hold' };

/** The image that the spec asks for. */
export type ImageState =
  | { kind: 'present'; id: string }
  | { kind: 'absent' }
  /** A build or pull for this program runs or waits for its turn. */
  | { kind: 'pending' }
  /** Not looked for, since no container has to be made. */
  | { kind: 'unneeded' }
  /** It can not even be said which image is wanted: the context is gone or unreadable. */
  | { kind: 'unknown'; reason: string; message: string };

export interface ProbeState {
  /** Undefined until the first verdict. */
  ready: boolean | undefined;
  live: boolean | undefined;
  /** Of the last failure; `""` after a success. */
  message: string;
  /** It has answered once in this run. */
  cameUp?: boolean;
  /** Why liveness last failed. */
  liveMessage?: string;
}

/** All that `plan` and `status` decide by. */
export interface Observed {
  name: string;
  /** The name its container has when no other revision stands beside it. */
  containerName: string;
  goal: Goal;
  /** This program's containers, oldest first. */
  containers: readonly Container[];
  /** What the image is made from: a build hash or a reference; `""` where unknown. */
  imageKey: string;
  /** `""` for spec.image. */
  buildId: string;
  image: ImageState;
  /** Of the container that is wanted; 0 where there is none to be had. */
  port: number;
  /** What people are told, and what is held at the next start: that of the container that serves, if one does. */
  shownPort: number;
  /** Why the container that is wanted can not have its port, or `undefined`. */
  portProblem: { reason: 'PortConflict' | 'PortsExhausted'; message: string } | undefined;
  /** Containers that a stop is under way for. */
  stopping: ReadonlySet<string>;
  /** By container id. */
  probes: ReadonlyMap<string, ProbeState>;
  memory: ProgramMemory;
  /**
   * Set where the wanted revision was rolled back: `goal`, `imageKey` and `buildId` are then those of the
   * revision that came back.
   */
  rollback: { revision: number; bad: number; reason: string; message: string } | undefined;
  /** What there is while another is wanted, and may have become ready or not since; with its revision as it is kept. */
  overtaken?: Overtaken;
  /** Milliseconds since the wanted container first ran; 0 where it did not. Does not jump with the clock. */
  rolloutMs: number;
  /** How it last ended by itself. */
  lastExit: LastExit | null;
  /** Epoch milliseconds. */
  nowMs: number;
}

export interface Overtaken {
  container: Container;
  revision: Revision;
  /** It has had its time to become ready, and the good one takes over. */
  isLate?: true;
}

export const isUp = (container: Container): boolean =>
  container.state === 'running' || container.state === 'paused' || container.state === 'restarting';

/** Whether a key, see `runKey`, is that of a run of this container. */
export const isRunOf = (key: string | undefined, containerId: string): boolean =>
  key?.startsWith(`${containerId}@`) === true;

/** The revision that a container was made for; 0 where its label does not tell. */
export const revisionOf = ({ labels }: Container): number => Number(labels[LABELS.revision]) || 0;

/** Whether it is being removed, or what is left of that: it runs no more. */
export const isGoing = (container: Container): boolean =>
  container.state === 'removing' || container.state === 'dead';

/** Identifies one run of a container. */
export const runKey = (container: Container): string => `${container.id}@${container.startedAtMs}`;

/** Oldest first: the order everything here relies on. */
export const byAge = (a: Container, b: Container): number =>
  a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
