import type { AuditLine } from '../schemas/audit.ts';
import type { Build, BuildSummary } from '../schemas/build-step.ts';
import type { Clock } from '../schemas/clock.ts';
import type { ExecPiece, ExecRequest } from '../schemas/exec.ts';
import type { HostView } from '../schemas/host-view.ts';
import type { LogMessage, LogPage } from '../schemas/log-line.ts';
import type { LogPiece } from '../schemas/log-piece.ts';
import type { Pause, PauseAsked, Paused } from '../schemas/pause.ts';
import type { NamedEvent, ProgramEvent } from '../schemas/program.ts';
import type { ProxyPolicy, StoredToken } from '../schemas/token.ts';
import type { UsageFigures, UsageSeries } from '../schemas/usage.ts';
import type {
  DryRun,
  LogPageRequest,
  ProgramLogOptions,
  ProgramView,
  Pulled,
  RevisionFile,
  RevisionView,
  SandboxView,
  Validation,
} from './program-answers.ts';

/** All the API needs from the rest of the host. `controller/main.ts` puts it together; tests pass fakes. */
export interface ApiDeps {
  programs: ProgramStore;
  /**
   * Holds a port for a program that is about to be created, and writes the ledger that keeps it (state
   * Created). Rejects `PortsExhausted`, and `Conflict` where another call creates that name or it is still being removed.
   */
  reserve(name: string, userId: string, buildId: string): Promise<{ port: number; createdAt: string }>;
  /** Gives back what `reserve` took, when the manifest could not be written. */
  unreserve(name: string): Promise<void>;
  /**
   * The output of the program's current container, or of the run before. `containerId` is `""` and the stream empty
   * where there is none. `follow` goes on over all its runs until it is stopped, has finished or is gone.
   */
  logs(
    name: string,
    options: ProgramLogOptions,
  ): Promise<{ containerId: string; stream: AsyncIterable<LogPiece> }>;
  /** A page of the output of the program's container, as data. */
  logPage(name: string, request: LogPageRequest): Promise<LogPage>;
  /**
   * The same page, or what comes after a line, and then each line as it comes, over all runs, until the program is
   * stopped, has finished or is gone.
   */
  followLines(name: string, request: LogPageRequest): Promise<AsyncIterable<LogMessage>>;
  /**
   * Runs a command in the container that serves, see `Engine.exec`, and writes that down as an event. Whoever takes the
   * stream reads it to its end, leaves it or fires the signal. Rejects `NotFound`, `Conflict` where the program does not
   * run, `Busy` where as many commands as are allowed run in it, and what the engine says.
   */
  exec(
    name: string,
    request: ExecRequest,
  ): Promise<{ containerId: string; pieces: AsyncIterable<ExecPiece> }>;
  /**
   * What would be done if this text were the manifest. Rejects `InvalidManifest`.
   * @param sees whether who asks may know of a program of that user: what is in force of another's is not told
   */
  dryRun(name: string, text: string, sees: (userId: string) => boolean): Promise<DryRun>;
  /** What is wrong with a text as a manifest, whatever it is to be called. */
  validate(text: string): Validation;
  /**
   * Pulls what the program's image is called, and says whether that is another than it was made of. Rejects `NotFound`,
   * `Conflict` where nothing can be pulled, `Busy` where too many wait for pulls, and what went wrong.
   * @param gone fires when nobody waits for the answer any more: the pull is stopped
   */
  pull(name: string, gone: AbortSignal): Promise<Pulled>;
  pauses: PauseStore;
  state: StateStore;
  usage: UsageSource;
  /** The network sandbox of the container that serves; undefined where that has none. Rejects `EngineUnavailable`. */
  sandbox(name: string): Promise<SandboxView | undefined>;
  health(): Health;
  /** The host at a glance, as `GET /host` shows it. Never rejects: what can not be known is null. */
  host(): Promise<HostView>;
  /** A request through the proxy was answered with that code; 0: the client was gone before. */
  proxied(code: number): void;
  /** Prometheus text. */
  metrics(): Promise<{ contentType: string; body: string }>;
  /** The OpenAPI 3.1 document, as data. Takes as long as all else of a start: to be asked for when it is needed. */
  openapi(): unknown;
  /** What lets `POST /hooks/git` in; undefined: there is no such route. */
  gitHook?: GitHook | undefined;
  /** Who may ask; undefined: whoever gets here may do everything. */
  access?: AccessSource | undefined;
  /** Writes down what somebody changed, on a host with tokens. Never throws. */
  audit?: ((line: AuditLine) => void) | undefined;
  /** Epoch milliseconds. */
  now(): number;
  log: ApiLog;
}

/** The tokens there are, and what goes without one. */
export interface AccessSource {
  /** By its id; perhaps one that has ended. */
  token(id: string): StoredToken | undefined;
  /** Calls when a token is gone, another, or has come to its end. */
  onChange(listener: () => void): void;
  /** Of the clock that tokens end by. */
  after: Clock['after'];
  readonly proxyPolicy: ProxyPolicy;
  /** Whether browsers come by TLS alone. */
  readonly isSecure: boolean;
}

/** What the host is to leave alone. */
export interface PauseStore {
  /** Of everything. */
  host(): Pause | undefined;
  /** By name: programs that were named, those that are deleted and wait for their resume among them. */
  named(): [name: string, pause: Pause][];
  /** Why that program is left alone; undefined where it is not. */
  of(name: string): Paused | undefined;
  /**
   * Leaves a program alone, or everything where none is named. One that is left alone already stays as it is. What is
   * just being done is done; the condition `Paused` tells when nothing is any more. Rejects `NotFound`.
   */
  pause(name: string | undefined, asked: PauseAsked): Promise<{ pause: Pause; changed: boolean }>;
  /** Ends that; of a name that nothing else is known of, too. Gives what stood. Rejects `NotFound`. */
  resume(name: string | undefined, by: string): Promise<Pause | undefined>;
}

/** What programs keep in `/state`, as tars whose names begin with `./`. */
export interface StateStore {
  /**
   * Of a program that does not run, or of one that is gone and whose `/state` is in the trash. Rejects `NotFound`,
   * `Conflict` while it runs or where there is none yet; what is read throws where the program was started meanwhile.
   */
  read(name: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /**
   * Puts another in its place, all or nothing; the one before goes to the trash. Rejects `NotFound`, `Conflict` unless the
   * program is stopped, `BadRequest` for what can be no `/state`, `DiskFull`.
   */
  replace(name: string, tar: AsyncIterable<Uint8Array>): Promise<void>;
}

/** What programs use of CPU and memory. Of one that is not known all is unknown. */
export interface UsageSource {
  /** Changes whenever a figure does. */
  version(): number;
  figures(name: string): UsageFigures;
  /** The last hour, in steps of 15 s or of a multiple of that which divides the hour. */
  hour(name: string, stepsInOne?: number): UsageSeries;
  /** The last week, in steps of 5 minutes. Rejects `RegistryUnavailable` where it can not be read. */
  week(name: string): Promise<UsageSeries>;
}

/** A forge's word that a branch may have moved. */
export interface GitHook {
  secret: string;
  /** Has the remote looked at soon, and waits for nothing. Gives whether one is followed. */
  lookAtRemote(): boolean;
}

/** The registry as the API sees it. Names that are not there give `undefined`; writers reject `NotFound`. */
export interface ProgramStore {
  /** Sorted by name. A program that was deleted is not in it from the moment `remove` resolves. */
  list(): readonly ProgramView[];
  get(name: string): ProgramView | undefined;
  /** Whose the program was that is deleted and not all gone, `""` where that is not known; undefined of any other. */
  leftBy(name: string): string | undefined;
  /** Changes whenever any view does: what a cache of the list is keyed by. */
  version(): number;
  /** Calls whenever the view of that program changes, until what it gives is called. */
  onChange(name: string, listener: () => void): () => void;
  /** The same for any program. */
  onAnyChange(listener: (name: string) => void): () => void;

  /** `etag` without quotes; it changes with the text. */
  manifest(name: string): { text: string; etag: string } | undefined;
  /** Sources and manifest of a `POST /programs`; the same content shares one folder. Starts nothing. */
  createFromSources(
    name: string,
    userId: string,
    buildId: string,
    files: ReadonlyMap<string, string>,
  ): Promise<void>;
  /** `etag: null` creates and rejects `Conflict` where it exists; otherwise replaces, or rejects `PreconditionFailed`. */
  putManifest(name: string, text: string, etag: string | null): Promise<{ etag: string; created: boolean }>;
  /**
   * Has a program built from these files from now on: a new revision in its place. Gives whether they are others than
   * before. Rejects `Conflict` where the manifest does not validate.
   * @param buildId of the files
   */
  putSources(name: string, files: ReadonlyMap<string, string>, buildId: string): Promise<boolean>;
  /**
   * Sets fields of `spec` and keeps all else of the file as it stands, comments included.
   * Rejects `Conflict` with the problems as details where the manifest does not validate.
   * @param word what was asked for, in its commit; by default told by the fields
   */
  editSpec(name: string, fields: Record<string, string>, word?: string): Promise<void>;
  /** Moves the manifest to the trash: a stated wish that the program be gone. */
  remove(name: string): Promise<void>;

  /** Files as they are in the build context, text as UTF-8; the Dockerfile under `Dockerfile`. */
  source(name: string): Promise<Record<string, string>>;
  /** The build id of the files a `POST` brought: `build-` and 12 hex digits. Rejects nothing. */
  buildIdOf(files: ReadonlyMap<string, string>): Promise<string>;
  /** The log of the newest build, running or ended, `""` where there was none. */
  buildLog(name: string): Promise<{ buildId: string; log: string }>;
  /** The log so far and on, until the build ends or the signal fires. */
  followBuildLog(name: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /**
   * The newest build as data, running or ended, or an earlier one: its id, or the id of a build, of which the newest
   * try is meant. Rejects `NotFound` for one that is not kept.
   */
  build(name: string, id: string | undefined): Promise<Build>;
  /** What is kept of builds, the newest first. */
  builds(name: string): Promise<BuildSummary[]>;
  /** The records of the newest build so far and on, a line of JSON each, until it ends or the signal fires. */
  followBuild(name: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Oldest first. */
  revisions(name: string): Promise<RevisionView[]>;
  /**
   * What a revision was built from; none for one that names its image, undefined where it is not kept any more. Rejects
   * `NotFound` for a revision that is not kept.
   */
  revisionFiles(name: string, revision: number): Promise<RevisionFile[] | undefined>;
  /**
   * Edits the manifest so that an earlier revision comes back: the one named, or the newest earlier one that was
   * ready. Gives its number. Rejects `NotFound` for one that is not kept, `Conflict` where there is none.
   */
  rollBack(name: string, revision: number | undefined): Promise<number>;
  /** Oldest first. */
  events(name: string): Promise<ProgramEvent[]>;
  /** Of all programs, gone ones too, since that time; oldest first. Rejects `RegistryUnavailable`. */
  eventsSince(time: string): Promise<NamedEvent[]>;
  /** What happens to any program from now on, in its order. */
  onNewEvent(listener: (name: string, event: ProgramEvent) => void): () => void;
  /** What happens from now on, until the signal fires or the program is gone. */
  followEvents(name: string, signal: AbortSignal): AsyncIterable<ProgramEvent>;
  /**
   * Confirms a pause of pruning, see `HostWarning`, removes the containers that belong to no program, or both. Gives the
   * names it lets go.
   */
  confirmPrune(only?: 'programs' | 'strays'): Promise<string[]>;
}

export interface Health {
  ready: boolean;
  /** A REASONS key and words for people; `""` when ready. */
  reason: string;
  message: string;
  warnings: string[];
}

export interface ApiLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
