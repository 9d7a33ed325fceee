import type { Clock } from '../schemas/clock.ts';
import type { HostPolicy } from '../schemas/validate.ts';
import type { ManifestEntry, Wanted } from '../schemas/wanted.ts';
import type { Contexts } from './contexts/contexts.ts';
import type { RemoteTrouble } from './git/follow.ts';
import type { Git } from './git/git.ts';
import type { GitHead } from './git/head.ts';
import type { Intent } from './git/lock.ts';
import type { Change } from './git/questions.ts';
import type { watchRegistry } from './looks/watch.ts';
import type { ManifestEdits } from './manifests/edits.ts';
import type { ParsedManifest } from './manifests/manifest.ts';
import type { RegistryPaths } from './paths.ts';
import type { BuildHistory } from './records/build-history.ts';
import type { BuildLogs } from './records/build-logs.ts';
import type { EventStore } from './records/event-store.ts';
import type { Pauses } from './records/pauses.ts';
import type { RevisionStore } from './records/revision-store.ts';
import type { StatusStore } from './records/status-store.ts';
import type { VolumesOfGone } from './records/trashed-volumes.ts';
import type { UsageStore } from './records/usage-store.ts';

export interface RegistryChange {
  /** Programs whose manifest changed, appeared or went. */
  names: readonly string[];
  /** Other changed paths, relative to the root: sources. */
  paths: ReadonlySet<string>;
}

export interface RegistryHealth {
  /** One complete look was made. */
  scanned: boolean;
  /** Why the last look was not complete, or `""`. */
  message: string;
  /** Programs whose manifests are missing and who keep running until somebody confirms. */
  paused: readonly string[];
  /** Programs whose manifest says their name in another file now, and what of it; `confirmPrune` lets them go, too. */
  moved: readonly { name: string; message: string }[];
  /** Which of the host's own folders can not be written, and why; these are warnings too. */
  unwritable: readonly string[];
  /** What else people have to know, e.g. that the remote can not be followed. */
  warnings: readonly string[];
}

export interface Registry extends ManifestEdits, VolumesOfGone {
  readonly paths: RegistryPaths;
  readonly status: StatusStore;
  readonly events: EventStore;
  readonly revisions: RevisionStore;
  readonly buildLogs: BuildLogs;
  readonly buildHistory: BuildHistory;
  readonly usage: UsageStore;
  /** What the host is to leave alone; a change is told as one of the programs that it concerns. */
  readonly pauses: Pauses;
  readonly contexts: Contexts;

  /** Manifests that are there, sorted by name. */
  list(): ManifestEntry[];
  get(name: string): ManifestEntry | undefined;
  wanted(name: string): Wanted;
  /** Names whose manifest is missing while that is not believed, sorted. */
  missing(): string[];
  health(): RegistryHealth;
  subscribe(listener: (change: RegistryChange) => void): () => void;

  /**
   * Says that the manifest of a name is about to be written, so that a ledger written before it is not taken for
   * that of a program which was deleted. Gives the function that ends it.
   */
  announce(name: string): () => void;
  /** Throws `Conflict` where no edit is possible at present, whatever it is: the registry follows a remote. */
  mustBeEditable(): void;
  /** How git stands; undefined where the registry is in no git work tree. */
  gitHead(): Promise<Pick<GitHead, 'id' | 'ref' | 'operation'> | undefined>;
  /** Why the remote is not followed at present; undefined where it is, or there is none. */
  remoteTrouble(): RemoteTrouble | undefined;
  /** Looks at the remote now, and not only when it is due. Gives whether one is followed. */
  lookAtRemote(): boolean;
  /** The git commit that the manifest in force, and its context, are those of; `""` without one. */
  commitOf(name: string, context: string | undefined, dockerfile?: string): string;
  /** The last commit up to `commit` that touched the manifest or its context, and who made it; each may be `""`. */
  lastChange(name: string, context: string | undefined, commit: string): Promise<Change>;
  /** The commit that took the manifest away, after `came`, which it was last seen in; `""` where none is known. */
  droppedBy(name: string, came: string): Promise<string>;
  /**
   * Believes the absence of all that is missing, with a commit where HEAD has any of it. Gives their names. Rejects
   * `RegistryUnavailable` where it is not known what is missing, and otherwise as edits do.
   */
  confirmPrune(intentOf?: (names: readonly string[]) => Intent): Promise<readonly string[]>;
  /**
   * Moves a folder that the API made under `sources/` to the trash, unless a manifest or a spec in force names it, or
   * git has it or would take it in. Gives whether it went.
   */
  trashSources(folder: string): Promise<boolean>;
  /** Another program whose name differs from this one by case only, so that this one is refused. */
  clashOf(name: string): string | undefined;
  /** Parses a text as if it were the manifest of that name. */
  parse(name: string, text: string): ParsedManifest;
  /** Looks at the files now. */
  look(): Promise<void>;
  close(): Promise<void>;
}

export interface RegistryOptions {
  root: string;
  /** The git work tree that the root is the top of, if it is one. It is closed with the registry. */
  git?: Git | undefined;
  /** What people have to know for as long as it is open. */
  warnings?: readonly string[];
  policy: HostPolicy;
  /** What tells the code that runs from any other; where that is not known, no index is kept from one start to the next. */
  build?: string | undefined;
  clock: Clock;
  onWarning: (fields: object, message: string) => void;
  /** Gives hints of changed files; a simulation brings its own. */
  watchFiles?: typeof watchRegistry;
}
