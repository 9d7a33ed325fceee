import { LABELS } from './program.ts';

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

export interface ContainerSummary {
  id: string;
  /** Without the leading slash. */
  name: string;
  program: string;
  state: ContainerState;
  /** The host port that the engine says it is published on now; 0 while it does not run, or has lost it. */
  servedPort: number;
  labels: Record<string, string>;
}

/** A container that only waits, and holds network, address and published port of the one that joins it (ADR 21). */
export interface Sandbox {
  id: string;
  name: string;
  program: string;
  state: ContainerState;
  /** The host port it is, or will be, published on. */
  publishPort: number;
  /** Epoch milliseconds, in whole seconds. */
  createdAtMs: number;
  /** On its network; `""` while it has none. */
  address: string;
}

/**
 * Of one that joins a sandbox, its port and its networks are those of the sandbox, as far as it has them: one that ran
 * before the sandbox was started the last time is in a network that is no more.
 */
export interface Container extends ContainerSummary {
  imageId: string;
  /** Epoch milliseconds; 0 where it has not happened. */
  createdAtMs: number;
  startedAtMs: number;
  finishedAtMs: number;
  exitCode: number;
  oomKilled: boolean;
  /** When the engine told that it ran out of memory, which can be after its end; 0 where this host heard of none. */
  oomToldMs: number;
  /** What the engine said when the last start failed; `""` otherwise. */
  startError: string;
  /** The host port it is, or will be, published on; 0 where none. */
  publishPort: number;
  settings: ContainerSettings;
  /** The named volume at /state; `""` where there is none. */
  stateVolume: string;
  runtime: string;
  /** With what its image brings. */
  env: Record<string, string>;
  /** Where it is reached on this machine beside its port; undefined while it does not run, and of an engine elsewhere. */
  address?: string;
  /** The sandbox that it joins; undefined where its network is its own. */
  sandbox?: { id: string; state: ContainerState | 'gone' };
  /** What it lacks of the security that every container of a host is made with, in words. */
  loosened: readonly string[];
}

/** A container that bears the labels of a program and is not its own, and why not: labels can be copied. */
export interface Stranger extends ContainerSummary {
  why: string;
}

/**
 * What of a container can be changed behind the controller's back, as it is now: all that `docker update` takes, its
 * networks, and what it runs, which an edit of the engine's own files changes. Limits that were never set are 0 or `""`.
 */
export interface ContainerSettings {
  memoryBytes: number;
  /** Memory and swap together; -1 for no limit. */
  memorySwapBytes: number;
  memoryReservationBytes: number;
  kernelMemoryBytes: number;
  cpus: number;
  cpuShares: number;
  /** Microseconds, as are the three after it. */
  cpuPeriod: number;
  cpuQuota: number;
  cpuRealtimePeriod: number;
  cpuRealtimeRuntime: number;
  cpusetCpus: string;
  cpusetMems: string;
  blkioWeight: number;
  pids: number;
  /** The engine's own restart policy, which is `no` for every container of ours. */
  restartPolicy: string;
  /** The network it was made for. */
  network: string;
  /** The networks it is attached to, sorted. */
  networks: string[];
  /** What it runs, in the engine's words its entrypoint, and the arguments of that, with what its image brings. */
  command: string[];
  args: string[];
}

export const isUp = ({ state }: Pick<Container, 'state'>): boolean =>
  state === 'running' || state === 'paused' || state === 'restarting';

/**
 * What it should be reached by and is not, in words, or `""`. From a start that fails on networking Docker 29.0 to 29.7
 * forgets the container's networks, and then starts it again without any, and without its port: what answers on that
 * is a stranger.
 */
export function unreachable({ state, servedPort, publishPort, settings, sandbox }: Container): string {
  if (sandbox?.state === 'gone') return 'its network sandbox is gone';
  if (!settings.networks.includes(settings.network)) return `it is not on its network ${settings.network}`;
  return state === 'running' && servedPort !== publishPort ? `its port ${publishPort} is not published` : '';
}

/** Whether it is being removed, or what is left of that: it runs no more. */
export const isGoing = ({ state }: Container): boolean => state === 'removing' || state === 'dead';

/** The revision that a container was made for; 0 where its label does not tell. */
export const revisionOf = ({ labels }: Container): number => Number(labels[LABELS.revision]) || 0;

/** The spec hash that it was made for. */
export const hashOf = ({ labels }: Container): string => labels[LABELS.specHash] ?? '';

/** The 12 digits Docker shows of an id. */
export const short = (id: string): string => id.replace(/^sha256:/, '').slice(0, 12);

/** Identifies one run of a container. */
export const runKey = ({ id, startedAtMs }: Container): string => `${id}@${startedAtMs}`;

/** Whether a key, see `runKey`, is that of a run of this container. */
export const isRunOf = (key: string | undefined, { id }: Container): boolean =>
  key?.startsWith(`${id}@`) === true;

/** Oldest first: the order everything here relies on. */
export const byAge = (a: Container, b: Container): number =>
  a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
