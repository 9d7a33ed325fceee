/** The words everyone shares: the manifest, the status, the states, the labels. Types and constants only. */

import type { ProxyAccess } from './token.ts';

export const API_VERSION = 'hersh.dev/v1';

/** `metadata.name`, which is the program id and the stem of the manifest's file. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
export const USER_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

/** The port every program serves inside its container. */
export const PROGRAM_PORT = 8080;
/** The only host ports a program may be published on (contract 3.1). */
export const PUBLISH_PORT_MIN = 19001;
export const PUBLISH_PORT_MAX = 29999;

export const LABELS = {
  instance: 'dev.hersh.instance',
  /** On all that a host makes but images: the id of its registry. None on what hosts made that knew of no such id. */
  registry: 'dev.hersh.registry',
  /** Beside that, for people: where that registry lay. */
  registryPath: 'dev.hersh.registry-path',
  program: 'dev.hersh.program',
  specHash: 'dev.hersh.spec-hash',
  /** On images and containers: the whole build hash, or `""` where `spec.image` names the image. */
  build: 'dev.hersh.build',
  /** On containers: the revision number they were made for. */
  revision: 'dev.hersh.revision',
  /** On containers: `spec.restartedAt` they were made for, which the revision as it is kept may not have yet. */
  restartedAt: 'dev.hersh.restarted-at',
  /** On containers: when the host made it, by its clock. A copy bears the time of what it is a copy of. */
  madeAt: 'dev.hersh.made-at',
  /** On network sandboxes, which bear neither instance nor program: hosts that know of none list by those. */
  sandboxInstance: 'dev.hersh.sandbox-instance',
  /** On network sandboxes: the program whose it is; `""` on one that was made as a spare, whose name tells. */
  sandboxOf: 'dev.hersh.sandbox-of',
  /** On network sandboxes, and on containers that join one: the host port that it is published on. */
  sandboxPort: 'dev.hersh.sandbox-port',
  /** On volumes: who owns the data. */
  user: 'dev.hersh.user',
} as const;

export type Runtime = 'runc' | 'runsc';
export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';
export type DesiredState = 'Running' | 'Stopped';

export type ProgramState =
  | 'Created'
  | 'Building'
  | 'Built'
  | 'Starting'
  | 'Running'
  | 'Ready'
  | 'Stopping'
  | 'Stopped'
  | 'Error';

export const PROGRAM_STATES: readonly ProgramState[] = [
  'Created',
  'Building',
  'Built',
  'Starting',
  'Running',
  'Ready',
  'Stopping',
  'Stopped',
  'Error',
];

/** Whether a program in this state has a container that runs. */
export function isUpState(state: ProgramState): boolean {
  return state === 'Running' || state === 'Ready';
}

export interface BuildSpec {
  /** Folder inside the registry, with `/`, never leading out of it. */
  context: string;
  /** Relative to the context. */
  dockerfile: string;
  args: Record<string, string>;
}

export interface Resources {
  memoryBytes: number;
  /** CPUs, e.g. 0.5. */
  cpus: number;
  pids: number;
}

interface ProbeTiming {
  periodSeconds: number;
  timeoutSeconds: number;
  failureThreshold: number;
}

export interface HttpProbe extends ProbeTiming {
  kind: 'http';
  path: string;
  /** Sent beside or over those of the host; left out where none are given. Their values are as secret as those of `env`. */
  headers?: Record<string, string>;
  /** Status codes and ranges, see `statusRange`, that are a success; left out for the default, 200-299. */
  expect?: readonly (number | string)[];
}

export type ProbeSpec = HttpProbe | ({ kind: 'tcp' } & ProbeTiming) | { kind: 'none' };

/** A spec with every default filled in: what the controller works with and what a revision keeps. */
export interface ProgramSpec {
  userId: string;
  desiredState: DesiredState;
  /** Exactly one of `build` and `image` is not null. */
  build: BuildSpec | null;
  image: string | null;
  /** Left out where it is IfNotPresent: a spec that an older host resolved is the same. */
  pullPolicy?: 'Always';
  /** Left out: as the host has it. */
  proxyAccess?: ProxyAccess;
  /** Pinned port; null: the controller holds one. */
  publishPort: number | null;
  runtime: Runtime;
  /**
   * In the place of the image's ENTRYPOINT, and of its CMD, which goes as well where a command is given without args.
   * Both are left out where they are not given, so that a spec without them is the same as ever.
   */
  command?: readonly string[];
  args?: readonly string[];
  env: Record<string, string>;
  restartPolicy: RestartPolicy;
  /** Compared for being different, never for order. */
  restartedAt: string;
  stopGracePeriodSeconds: number;
  resources: Resources;
  readiness: ProbeSpec;
  liveness: ProbeSpec;
  progressDeadlineSeconds: number;
}

/** A manifest that validated. */
export interface Program {
  name: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** As written, without defaults; its hash tells whether somebody changed it. */
  rawSpec: Record<string, unknown>;
}

export type ConditionType =
  | 'Ready'
  | 'Progressing'
  | 'Valid'
  | 'EngineUnavailable'
  | 'RemoteUnavailable'
  | 'StateLost'
  | 'Paused';

export interface Condition {
  type: ConditionType;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  /** RFC 3339, UTC, milliseconds. Moves only when `status` does. */
  lastTransitionTime: string;
}

export type EventType = 'Normal' | 'Warning';

export interface ProgramEvent {
  time: string;
  type: EventType;
  reason: string;
  message: string;
  state: ProgramState;
  revision: number;
  /** Who asked for it, where somebody did: a commit's author, or the user for whom a call was made. */
  author?: string;
}

/** An event, and the program it is of. */
export interface NamedEvent {
  name: string;
  event: ProgramEvent;
}

/** RFC 3339 in UTC with milliseconds. `ms` is epoch milliseconds. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}

/** The environment that the program of that name is run with. */
export function environmentOf({ env }: Pick<ProgramSpec, 'env'>, name: string): Record<string, string> {
  return { ...env, HERSH_PROGRAM_ID: name };
}

export function proxyUrl(port: number): string {
  return port > 0 ? `http://localhost:${port}` : '';
}
