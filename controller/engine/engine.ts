/** The room of container engines: what the controller asks of one, and a room of its own for each that answers. */

import type { StepNews } from '../../schemas/build-step.ts';
import type { Container, ContainerSummary } from '../../schemas/container.ts';
import { AppError } from '../../schemas/errors.ts';
import type { ExecPiece, ExecRequest } from '../../schemas/exec.ts';
import type { LogPiece } from '../../schemas/log-piece.ts';
import type { Runtime } from '../../schemas/program.ts';
import type { ContainerPlace, ContainerUsage } from './container-usage.ts';
import type { EngineSandboxes } from './engine-sandboxes.ts';
import type { FillVolume } from './fill-volume.ts';

/**
 * The port through which the controller reaches a container engine, and all it needs of one.
 *
 * Every method rejects with an AppError: `EngineUnavailable` when the engine does not answer, otherwise the
 * reason each method names. "Gone" is data, not an error: `undefined`, or `false`. All changes are idempotent,
 * so that a step done twice, or found half done after a crash of the host, does no harm. The one contract suite
 * `test/engine/contract.ts` holds every implementation to this.
 */
export interface Engine extends EngineSandboxes {
  /**
   * Resolves when the engine answers. Gives up after `timeoutMs`, and with it every other call that waits for a
   * short answer: all but stops, builds, pulls and what is followed.
   */
  ping(timeoutMs?: number): Promise<void>;

  /** What the engine can do. */
  info(): Promise<EngineInfo>;

  /** Every container of this instance, in any state; of one program only, where named. Sorted by creation. */
  listContainers(program?: string): Promise<ContainerSummary[]>;

  inspectContainer(id: string): Promise<Container | undefined>;

  /**
   * Makes a container, its network (or its sandbox) and its /state volume as far as they are missing, and starts nothing.
   * A container that has the name already is left alone, whoever's it is.
   * Rejects: `ImageNotFound`, `StartFailed` (the message is the engine's).
   */
  createContainer(request: CreateContainer): Promise<string>;

  /**
   * `started` is also given when it ran already. A sandbox that it joins is started before it, where that does not run;
   * `gone` also where that is no more. Rejects: `PortConflict` when the host port is taken, `StartFailed` otherwise.
   */
  startContainer(id: string): Promise<'started' | 'gone'>;

  /** Stop signal, then SIGKILL after `graceSeconds`; resolves when the container has ended or is gone. */
  stopContainer(id: string, graceSeconds: number): Promise<void>;

  /** Lets a paused container go on, and a sandbox that it joins. */
  unpauseContainer(id: string): Promise<void>;

  renameContainer(id: string, name: string): Promise<void>;

  /** Kills it if need be, and removes it with its anonymous volumes; resolves when it is gone. */
  removeContainer(id: string): Promise<void>;

  /** Takes a tag, a reference or an id. */
  inspectImage(reference: string): Promise<Image | undefined>;

  /**
   * Builds and tags an image. `onLog` receives decoded text as it comes. Rejects: `BuildFailed`,
   * `BuildNetworkFailed`, `DiskFull`, `RegistryUnavailable` when the context can not be read, `BuildAborted` when
   * `signal` fires.
   */
  build(request: BuildImage, onLog: (text: string) => void, signal: AbortSignal): Promise<Image>;

  /**
   * `onProgress` is called at every sign that it goes on, with a line of text for a new step and `""` for more of the
   * same. Rejects: `ImageNotFound`, `DiskFull`, `BuildAborted` when `signal` fires.
   */
  pull(
    reference: string,
    onProgress: (text: string) => void,
    signal: AbortSignal,
    credentials?: Credentials,
  ): Promise<Image>;

  /**
   * Both output streams in order, without framing, of all runs. `follow` ends with the run or the signal.
   * A container that is gone gives an empty stream.
   */
  logs(id: string, options: LogOptions): Promise<AsyncIterable<LogPiece>>;

  /**
   * Runs a command in a container that runs: as its user, with no right more than it has, without a terminal. What it
   * writes comes as fast as it is read, and last how it ended: its code, 126 or 127 where the engine could not run it
   * (why is on stderr), 137 where it went with the container. `undefined` where the container does not run or is gone.
   * No engine ends a command: when the signal fires it is asked to end by a shell of the container, where that has one,
   * and goes on otherwise; the stream ends at once. Rejects, and breaks off with, `InternalError`.
   */
  exec(id: string, request: ExecRequest): Promise<AsyncIterable<ExecPiece> | undefined>;

  /**
   * Calls `onEvent` with the program a change concerns, and `onConnect` after every (re)connection, when
   * events may have been lost. Reconnects by itself until closed. Never throws.
   */
  watch(
    onEvent: (event: EngineEvent) => void,
    onConnect: () => void,
    onDisconnect: (error: Error) => void,
  ): Closable;

  /** Removes a volume. `false` when it is not there. Rejects `StartFailed` while a container uses it. */
  removeVolume(name: string): Promise<boolean>;

  listVolumes(): Promise<Volume[]>;

  hasVolume(name: string): Promise<boolean>;

  /**
   * All that is in a volume, as a tar whose names begin with `./`: owners, modes, times and links as they are. Undefined
   * where it is not there. Nothing runs for it. Whoever has begun to read ends it, or the signal does.
   */
  readVolume(name: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;

  /**
   * Makes a volume and unpacks a tar into it; where that comes to no end there is none. What the tar says has to have
   * been checked. Rejects `Conflict` where the volume is there, `DiskFull`, `StartFailed` for what the engine refuses, and
   * whatever `content` throws.
   */
  fillVolume(request: FillVolume): Promise<void>;

  /**
   * Every image that a host of any instance built: label and tag say so. What people made of one is theirs. With what
   * each takes up, which it may take seconds to find out the first time.
   */
  listBuiltImages(): Promise<BuiltImage[]>;

  /**
   * This instance has no more use for an image that a host built. It goes, unless another instance has a use for
   * it or a container was made of it; then it is `kept`, and in the first case this instance's claim goes.
   * A build, and a container that is created, claim their image.
   */
  removeImage(id: string): Promise<ImageRemoval>;

  /**
   * Keeps an image that no host built from going with its name, which somebody may give to another. Without effect on
   * one that is gone, has no name, or that a host built. A container that is created holds its image.
   */
  holdImage(id: string): Promise<void>;

  /** Ids of the images that this instance holds. */
  listHeldImages(): Promise<string[]>;

  /**
   * Holds an image no more. It goes where it has no other name by now; it is `kept` where it has, where another
   * instance holds it, or where a container was made of it, and in that case it stays held.
   */
  releaseImage(id: string): Promise<ImageRemoval>;

  /** Bytes by the name of the volume. It may take seconds. */
  volumeSizes(): Promise<ReadonlyMap<string, number>>;

  /** Where a container runs, and within which limits; undefined of one that does not run, or is gone. */
  placeOf(id: string): Promise<ContainerPlace | undefined>;

  /**
   * What a container has used since its run began, by the engine's own count, which costs it far more than the kernel;
   * undefined of one that does not run, or is gone.
   */
  usageOf(id: string): Promise<ContainerUsage | undefined>;
}

/** Whether a call failed because the engine is away, and not over what was asked of it. */
export function isEngineAway(error: unknown): error is AppError {
  return error instanceof AppError && error.reason === 'EngineUnavailable';
}

/** Where an engine reports what no caller waits for. */
export interface EngineLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface Closable {
  close(): Promise<void>;
}

export interface EngineInfo {
  id: string;
  version: string;
  runtimes: string[];
  /**
   * When it last started and took nothing over that ran before: what ended earlier may have ended with it. Epoch
   * milliseconds, 0 where it does not tell.
   */
  startedAtMs: number;
}

export interface CreateContainer {
  program: string;
  name: string;
  /** Image id, `sha256:…`. */
  image: string;
  labels: Record<string, string>;
  /** In the place of the image's ENTRYPOINT, and of its CMD, which goes with it where no `args` are given. */
  command?: readonly string[];
  /** In the place of the image's CMD. */
  args?: readonly string[];
  env: Record<string, string>;
  publishPort: number;
  runtime: Runtime;
  /** It joins the program's sandbox for that port, which is made where there is none that is whole. */
  sandboxed?: boolean;
  /** But none of these, by their ids, whole or not. */
  notIn?: readonly string[];
  memoryBytes: number;
  cpus: number;
  pids: number;
  /** Named volume for /state. */
  volume: string;
  /** Labels for the volume, should it have to be made. */
  volumeLabels: Record<string, string>;
}

export interface Image {
  /** `sha256:…` */
  id: string;
  labels: Record<string, string>;
}

export type ImageRemoval = 'removed' | 'kept' | 'gone';

export interface BuiltImage {
  id: string;
  /** The whole build hash. */
  build: string;
  /**
   * Unpacked, the same on every image store, and each layer counted once over all images: for one that no host built,
   * where that has it, otherwise for the oldest.
   */
  bytes: number;
  /** Who said to have a use for it: `us`, perhaps among others. */
  claimedBy: 'us' | 'others' | 'nobody';
}

/** With what a registry takes somebody in. */
export type RegistryAuth =
  | { kind: 'password'; username: string; password: string }
  /** An OAuth refresh token of the registry's. */
  | { kind: 'identity'; token: string };

/**
 * Those for a registry, by its name in a reference: `docker.io`, `registry.example:5000`; undefined where there are
 * none. Asked for when they are needed, and never kept. Never rejects; where `signal` fires it ends at once, with none.
 */
export type Credentials = (registry: string, signal?: AbortSignal) => Promise<RegistryAuth | undefined>;

export interface BuildImage {
  /** A tar of the context, or a range of its bytes, the end included. */
  context: (range?: { start: number; end: number }) => NodeJS.ReadableStream;
  /** What no `COPY` is to see, though it is in the tar: names in the context, and those that it has there instead. */
  aside?: Readonly<Record<string, string>>;
  dockerfile: string;
  args: Record<string, string>;
  tag: string;
  labels: Record<string, string>;
  /** Asks the registry for base images, though they are here. */
  pull?: boolean;
  /** For base images. */
  credentials?: Credentials;
  /** Told of its steps as they go, as far as the builder tells of them. */
  onStep?: (news: StepNews) => void;
}

export interface LogOptions {
  /** Lines from the end; `all` for everything. */
  tail: number | 'all';
  /** What was printed then or later, epoch nanoseconds; 0n for no bound. */
  sinceNanos: bigint;
  follow: boolean;
  signal: AbortSignal;
}

export interface EngineEvent {
  /** `""` where the engine named the container alone. */
  program: string;
  containerId: string;
  /** The engine's word: `die`, `start`, `destroy`, `oom`, … */
  action: string;
  /** By the engine's clock, which is this machine's; epoch milliseconds. */
  atMs: number;
}

export interface Volume {
  name: string;
  labels: Record<string, string>;
}
