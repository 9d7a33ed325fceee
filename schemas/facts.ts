import type { Container, ContainerSettings, Sandbox, Stranger } from './container.ts';
import type { Paused } from './pause.ts';
import type { Revision } from './revision.ts';
import type { TrashedVolume } from './trashed-volume.ts';

/** What one look has read of the world: data alone, so that a case can be written down and looked at again. */
export interface Facts {
  /** Epoch milliseconds. */
  nowMs: number;
  containerName: string;
  /** This program's containers, oldest first. */
  containers: readonly Container[];
  /** What bears its labels and is not its own: nothing is done to these. */
  strangers: readonly Stranger[];
  /** Of its own whose ids are not noted yet, by id: what they are known to have been made with. */
  adopted?: Readonly<Record<string, SettingsAsMade>>;
  /** Network sandboxes of the program, those that nothing joins among them; undefined where there is none. */
  sandboxes?: readonly Sandbox[];
  /** Containers of runc that are made now join one. */
  sandboxed?: true;
  /** Containers that a stop is under way for. */
  stopping: readonly string[];
  /** By container id. */
  probes: Readonly<Record<string, ProbeState>>;
  port: PortState;
  /** Undefined where nothing is built. */
  context?: ContextState;
  /** Set while it is to be left alone. */
  paused?: Paused;
  /** Build hashes and references that a build or pull for this program runs for, or waits for its turn. */
  pending: readonly string[];
  /** Of the newest build or pull that ended, told once. */
  failure?: ImageFailure;
  /** The attempt that a pull which ended well was for, told once. */
  pulled?: string;
  /** Milliseconds that rollouts have had, by attempt or run. */
  rollouts: Readonly<Record<string, number>>;
  /** What `learn` asked for, by `needKey`. */
  answers: Readonly<Record<string, Answer>>;
}

/** What every host gives a container, and its revision asks for; as it is now where no revision is known. */
export type SettingsAsMade = Pick<
  ContainerSettings,
  'memoryBytes' | 'memorySwapBytes' | 'cpus' | 'pids' | 'restartPolicy' | 'networks'
>;

/** What `learn` can not go on without, where not every look needs it. */
export type Need =
  /** The revisions kept under the name, oldest first, where they were this user's. */
  | { kind: 'kept'; userId: string }
  /** A revision as it is kept. */
  | { kind: 'revision'; number: number }
  /** The image made from that key, if it is the right one. */
  | { kind: 'image'; imageKey: string; tag: string; isBuild: boolean }
  /** A port for that revision, which comes back. */
  | { kind: 'port'; spec: Revision['spec'] }
  /** Whose volumes there are; with a program whose `/state` is asked for. */
  | { kind: 'state'; userId: string; from: string | undefined }
  /** Whether what was built under that hash is kept, so that it can be built again without its sources. */
  | { kind: 'snapshot'; build: NonNullable<Revision['spec']['build']>; hash: string }
  /** The hash of the same files as an older host gave it, see `Contexts.olderHash`. */
  | { kind: 'olderHash'; build: NonNullable<Revision['spec']['build']>; hash: string }
  /** The last words of a run that ended, from that time on, and whether engine or machine were down then. */
  | { kind: 'end'; containerId: string; run: string; sinceMs: number; finishedAtMs: number };

export type Answer =
  | { kind: 'kept'; revisions: readonly Revision[] }
  | { kind: 'revision'; revision?: Revision }
  | { kind: 'image'; id: string }
  | { kind: 'port'; port: PortState }
  | { kind: 'state'; facts: StateFacts }
  | { kind: 'snapshot'; isKept: boolean }
  | { kind: 'olderHash'; hash: string | undefined }
  | { kind: 'end'; tail: string; wasDown: boolean };

/** Which volumes there are that a program may have. */
export interface StateFacts {
  /** What a volume of that program and user is called, where nothing speaks against it. */
  plain: string;
  /** Oldest first. */
  trashed: readonly TrashedVolume[];
  /** The programs that have one, by the name of their volume: all but this one. */
  held: Readonly<Record<string, string>>;
  /** What there is of the program whose `/state` is asked for; `leaving`: it is being deleted, or its manifest is missing. */
  from: 'gone' | 'leaving' | 'present';
}

/** Under which a need is answered: one for each question that one look can have. */
export function needKey(need: Need): string {
  switch (need.kind) {
    case 'revision':
      return `revision ${need.number}`;
    case 'image':
      return `image ${need.imageKey}`;
    case 'end':
      return `end ${need.run}`;
    default:
      return need.kind;
  }
}

/** The image that the spec asks for. */
export type ImageState =
  | { kind: 'present'; id: string }
  | { kind: 'absent' }
  /** It is there, and pulled first: what its name is elsewhere is asked for. */
  | { kind: 'unpulled' }
  /** A build or pull for this program runs or waits for its turn. */
  | { kind: 'pending' }
  /** Not looked for, since no container has to be made. */
  | { kind: 'unneeded' }
  /** It can not even be said which image is wanted: the context is gone or unreadable. */
  | { kind: 'unknown'; reason: string; message: string };

export type ContextState =
  | { kind: 'known'; hash: string; buildId: string }
  /** `held`: git is in the middle of something there. */
  | { kind: 'unknown'; reason: string; message: string; held: boolean };

export interface PortState {
  /** Of the container that is wanted; 0 where there is none to be had. */
  port: number;
  /** What people are told, and what is held at the next start: that of the container that serves, if one does. */
  shownPort: number;
  /** Why the container that is wanted can not have its port, or `undefined`. `isPassing`: not for long. */
  portProblem: { reason: 'PortConflict' | 'PortsExhausted'; message: string; isPassing?: true } | undefined;
  /** Set where the port that it serves on is given up, though its own is not free yet: a circle ends there. */
  yields?: Yield | undefined;
}

/** A program that lets go of its port so that a circle comes apart, and who is to have that. */
export interface Yield {
  to: string;
  port: number;
}

export interface ImageFailure {
  /** Build hash or reference. */
  key: string;
  reason: string;
  message: string;
  /** Whether another try may help. */
  again: boolean;
  /** The attempt that it was pulled for. */
  attempt?: string;
}

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
  /** Its published port refuses whoever comes, though the program listens inside: seen several times in a row. */
  portLost?: boolean;
}
