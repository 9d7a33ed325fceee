import type { Clock } from '../../schemas/clock.ts';
import { messageOf } from '../../schemas/errors.ts';
import { pauseEvery } from '../files/pause.ts';
import type { Serial } from '../files/serial.ts';
import { SETTLE_MS } from '../files/settle.ts';
import type { Git } from '../git/git.ts';
import type { ManifestSet } from '../manifests/set.ts';
import { programOf, type RegistryPaths } from '../paths.ts';
import type { EventStore } from '../records/event-store.ts';
import type { OwnFolders } from '../records/own-folders.ts';
import type { StatusStore } from '../records/status-store.ts';
import type { Trash } from '../records/trash.ts';
import type { Absences } from './absences.ts';
import { type Scan, scanPrograms } from './scan.ts';
import type { Watch } from './watch.ts';

/** Files are looked at this often under the events (design: numbers). */
const LOOK_MS = 10_000;
/** More changed paths than this are told by the folders of the root that they lie in. */
const UNTOLD_MAX = 10_000;
/** Nothing else waits longer than this for manifests that are read. */
const ABSORB_MS_MAX = 20;

/** Looks at the files of a registry: now and then, whenever something hints at a change, and when git took a step. */
export interface Looks {
  /** Looks now; resolves when it is done. */
  look(): Promise<void>;
  /** Looks after so many milliseconds, instead of when the next look was due. */
  schedule(ms: number): void;
  /** Takes a hint: paths relative to the root that changed. */
  hint(changed: ReadonlySet<string>): void;
  /** Whether there was a complete look. */
  scanned(): boolean;
  /** Why the last one was not complete, or `""`. */
  trouble(): string;
  close(): void;
}

export interface LooksOptions {
  paths: RegistryPaths;
  git: Git | undefined;
  manifests: ManifestSet;
  absences: Absences;
  status: StatusStore;
  trash: Trash;
  own: OwnFolders;
  events: Pick<EventStore, 'writeLeft'>;
  /** Writes down whose absence is not believed. */
  keepDoubted: (names: readonly string[]) => Promise<void>;
  /** Names whose manifest is about to be written. */
  announced: ReadonlySet<string>;
  /** Looks and edits go one after the other. */
  exclusive: Serial;
  clock: Clock;
  onWarning: (fields: object, message: string) => void;
  /** Tells of names whose manifest changed, and of other paths. */
  notify: (names: readonly string[], paths?: ReadonlySet<string>) => void;
  /** Part of every look. */
  watch: () => Pick<Watch, 'refresh'>;
}

export function createLooks(options: LooksOptions): Looks {
  const { paths, git, manifests, absences, status, trash, own, events, announced } = options;
  const { clock, onWarning, notify } = options;
  let scanned = false;
  let trouble = 'programs/ was not read yet';
  let misnamed = '';
  /** Why the remote was not followed at the last look. */
  let remoteBefore = '';
  let cancelLook: (() => void) | undefined;
  /** Changed paths that nobody was told of yet, in a git work tree: manifests come first. */
  let untold = new Set<string>();
  /** A look that was asked for and has not begun. */
  let pending: Promise<void> | undefined;
  /** A manifest that was refused for another one has to be read again. */
  let wantsAgain = false;
  let closed = false;

  /** Takes in what a look found, a while at a time: thousands of manifests take seconds. Gives the names that changed. */
  async function absorb(scan: Scan): Promise<Set<string>> {
    const changed = new Set<string>();
    const pause = pauseEvery(ABSORB_MS_MAX);
    // Of names that differ by case only the one counts that did so before, for a host that starts as well.
    const wasInForce = ({ name }: { name: string }) => status.get(name)?.memory.inForce !== undefined;
    const files = [...scan.files].sort((a, b) => Number(wasInForce(b)) - Number(wasInForce(a)));
    for (const { name, text, key, unreadable } of files) {
      const isNew = manifests.get(name) === undefined;
      if (absences.back(name)) changed.add(name);
      if (text !== undefined && manifests.take(name, text, key)) changed.add(name);
      if (unreadable !== undefined && manifests.takeUnreadable(name, unreadable, key)) changed.add(name);
      if (isNew && trash.has(name)) await trash.supersede(name);
      await pause();
    }
    const present = new Set(scan.files.map(({ name }) => name));
    const gone = [...manifests.names(), ...status.names()].filter(
      (name) => !present.has(name) && !absences.has(name) && !announced.has(name),
    );
    absences.miss(gone);
    for (const name of gone) {
      if (manifests.drop(name)) wantsAgain = true;
      changed.add(name);
    }
    return changed;
  }

  async function lookNow(): Promise<void> {
    pending = undefined;
    if (closed) return;
    cancelLook?.();
    const began = await git?.stand();
    if (began !== undefined && began.waitMs > 0) return lookLater(began.waitMs, began.inProgress);
    await options.watch().refresh();
    const scan = await scanPrograms(paths.programs, manifests.keys, clock.now());
    if (!scan.complete) return lookLater(LOOK_MS, scan.message);
    const isOther =
      scan.files.length !== manifests.size() ||
      scan.files.some(({ name, text }) => text !== undefined && text !== manifests.get(name)?.text);
    if (isOther) git?.touch();
    // Before the files count, so that nobody sees a program without the commit it came with.
    for (const path of (await git?.refresh()) ?? []) noteUntold(path);
    const ended = await git?.stand(began);
    if (ended !== undefined && ended.waitMs > 0) return lookLater(ended.waitMs, ended.inProgress);
    wantsAgain = false;
    const changed = await absorb(scan);
    const before = absences.paused();
    believe();
    await options.keepDoubted(absences.doubted());
    scanned = true;
    trouble = '';
    warnOf(scan, before);
    // A manifest that is still being written may be the one that belongs with sources that changed.
    const isWhole = scan.againMs === 0;
    if (isWhole && ended !== undefined) git?.looked(ended);
    tell(changed, isWhole);
    const ownMs = await own.look();
    await events.writeLeft();
    const waits = [scan.againMs, absences.settlesInMs(), ownMs, wantsAgain ? SETTLE_MS : 0];
    schedule(Math.min(LOOK_MS, ...waits.filter((ms) => ms > 0)));
  }

  function tell(changed: Iterable<string>, withSources: boolean): void {
    const committed = [...untold].flatMap((path) => programOf(path) ?? []);
    const sources = new Set([...untold].filter((path) => programOf(path) === undefined));
    untold = withSources ? new Set() : sources;
    const remote = git?.remoteTrouble()?.message ?? '';
    const all = remote === remoteBefore ? [] : manifests.names();
    remoteBefore = remote;
    // Names whose absence becomes believed later are told of again, since nothing else would.
    const names = new Set([...changed, ...absences.names(), ...committed, ...all]);
    notify([...names], withSources ? sources : undefined);
  }

  /** What lies there now says nothing: all goes on as it was known. */
  function lookLater(ms: number, why: string): void {
    if (why !== '' && why !== trouble) {
      onWarning({ folder: paths.programs }, why);
      trouble = why;
    }
    // A host that starts shows what it has all the same.
    if (!scanned) absences.miss(status.names().filter((name) => !announced.has(name)));
    schedule(ms);
  }

  function noteUntold(path: string): void {
    untold.add(path);
    if (untold.size > UNTOLD_MAX) untold = new Set([...untold].map((one) => one.split('/')[0] ?? one));
  }

  /** Of what is missing: what was stated to be gone, by a call or a commit, and what has been missing for long. */
  function believe(): void {
    for (const name of absences.unstated()) {
      const came = status.get(name)?.observedRevision ?? '';
      const dropped = git !== undefined && git.operation() === '' && git.droppedProgram(name, came);
      if (dropped || trash.has(name)) absences.state(name);
    }
    absences.settle();
  }

  function warnOf(scan: Scan, pausedBefore: readonly string[]): void {
    const missing = absences.paused();
    if (missing.length > 0 && missing.length !== pausedBefore.length) {
      onWarning({ missing }, 'most manifests are gone: nothing is removed until that is confirmed');
    }
    const names = scan.misnamed.join(', ');
    if (names !== '' && names !== misnamed) {
      const hint =
        'a manifest is called <name>.yaml, and the name is made of letters, digits, ".", "_" and "-"';
      onWarning({ files: scan.misnamed, hint }, 'files in programs/ are not read because of their names');
    }
    misnamed = names;
  }

  function schedule(ms: number): void {
    if (closed) return;
    cancelLook?.();
    cancelLook = clock.after(ms, () => void look());
  }

  function look(): Promise<void> {
    // Hints come faster than looks when much changes; one that has not begun yet sees it all.
    pending ??= options.exclusive(lookNow).catch((error: unknown) => {
      onWarning({ error: messageOf(error) }, 'the registry could not be looked at');
      schedule(LOOK_MS);
    });
    return pending;
  }

  return {
    ...{ look, schedule },
    hint(changed) {
      const others = [...changed].filter(
        (path) => !['', 'programs', 'status', 'data'].includes(path) && !path.startsWith('programs/'),
      );
      if (git === undefined) notify([], new Set(others));
      else for (const path of others) noteUntold(path);
      if (others.length > 0) git?.touch();
      if (git !== undefined || others.length < changed.size) void look();
    },
    scanned: () => scanned,
    trouble: () => trouble,
    close() {
      closed = true;
      cancelLook?.();
    },
  };
}
