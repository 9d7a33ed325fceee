import { SETTLE_MS } from '../files/settle.ts';
import type { EventStore } from '../records/event-store.ts';
import type { OwnFolders } from '../records/own-folders.ts';
import { absorb, believe, type Known, takeFiles } from './absorb.ts';
import { type FindFilesOptions, type Found, findFiles, LOOK_MS, type Unsure } from './find-files.ts';
import { scanFiles } from './scan.ts';
import { createUntold } from './untold.ts';

export interface OneLookOptions extends Known, FindFilesOptions {
  own: OwnFolders;
  events: Pick<EventStore, 'writeLeft'>;
  /** Writes down whose absence is not believed. */
  keepDoubted: (names: readonly string[]) => Promise<void>;
  onWarning: (fields: object, message: string) => void;
  /** Tells of names whose manifest changed, and of other paths. */
  notify: (names: readonly string[], paths?: ReadonlySet<string>) => void;
}

/** A look, which knows what the one before it came to. */
export interface OneLook {
  /** Looks; not before the last one has ended. Gives the milliseconds until the next one. */
  look(): Promise<number>;
  /**
   * Looks at these manifests alone. Gives the milliseconds after which to look at them again, 0 for none; undefined, with
   * nothing done, where all have to be looked at: some are missing, or the last look was not complete. Not for a git
   * work tree, where files count together.
   */
  lookAt(names: readonly string[]): Promise<number | undefined>;
  /** A path of a git work tree changed, to be told of by the next look. */
  note(path: string): void;
  /** Whether there was a complete look. */
  scanned(): boolean;
  /** Why the last one was not complete, or `""`. */
  trouble(): string;
}

export function createOneLook(options: OneLookOptions): OneLook {
  const { git, manifests, absences, status, own, onWarning, notify } = options;
  const untold = createUntold();
  let scanned = false;
  let trouble = 'programs/ was not read yet';
  let misnamed = '';
  /** Why the remote was not followed at the last look. */
  let remoteBefore = '';

  async function takeIn({ scan, stand }: Found): Promise<number> {
    const { changed, wantsAgain } = await absorb(options, scan.files);
    const before = absences.paused();
    // A manifest that is still being written may be the one that belongs with sources that changed.
    const isWhole = scan.againMs === 0;
    believe(options, isWhole);
    await options.keepDoubted(absences.doubted());
    scanned = true;
    trouble = '';
    const missing = absences.paused();
    if (missing.length > 0 && missing.length !== before.length)
      onWarning({ missing }, 'most manifests are gone: nothing is removed until that is confirmed');
    misnamed = warnOfNames(scan.misnamed, misnamed, onWarning);
    if (isWhole && stand !== undefined) git?.looked(stand);
    tell(changed, isWhole);
    const ownMs = await own.look();
    await options.events.writeLeft();
    const waits = [scan.againMs, absences.settlesInMs(), ownMs, wantsAgain ? SETTLE_MS : 0];
    return Math.min(LOOK_MS, ...waits.filter((ms) => ms > 0));
  }

  function tell(changed: Iterable<string>, withSources: boolean): void {
    const { programs, sources } = untold.take(withSources);
    const remote = git?.remoteTrouble()?.message ?? '';
    const all = remote === remoteBefore ? [] : manifests.names();
    remoteBefore = remote;
    // Names whose absence becomes believed later are told of again, since nothing else would.
    const names = new Set([...changed, ...absences.names(), ...programs, ...all]);
    notify([...names], sources);
  }

  /** What lies there now says nothing: all goes on as it was known. */
  async function goOn({ waitMs, why }: Unsure): Promise<number> {
    // The folders themselves are not made anew here: the whole registry may be away.
    await own.dropLinks();
    if (why !== '' && why !== trouble) {
      onWarning({ folder: options.paths.programs }, why);
      trouble = why;
    }
    // A host that starts shows what it has all the same.
    if (!scanned) absences.miss(status.names().filter((name) => !options.announced.has(name)));
    return waitMs;
  }

  return {
    async look() {
      const found = await findFiles(options, untold.note);
      return 'why' in found ? goOn(found) : takeIn(found);
    },
    async lookAt(names) {
      if (!scanned || trouble !== '' || absences.names().length > 0) return undefined;
      return lookAt(options, names);
    },
    note: untold.note,
    scanned: () => scanned,
    trouble: () => trouble,
  };
}

/** See `OneLook`. */
async function lookAt(options: OneLookOptions, names: readonly string[]): Promise<number | undefined> {
  const { paths, clock, manifests } = options;
  await options.watch().refresh();
  const { files, againMs } = await scanFiles(paths.programs, names, manifests.keys, clock.now());
  if (files.length < names.length) return undefined;
  const changed = await takeFiles(options, files);
  if (changed.size > 0) options.notify([...changed]);
  return againMs;
}

/** Says once that files are not read because of their names. Gives what is said, to be handed in the next time. */
function warnOfNames(
  files: readonly string[],
  said: string,
  onWarning: (fields: object, message: string) => void,
): string {
  const names = files.join(', ');
  if (names !== '' && names !== said) {
    const hint =
      'a manifest is called <name>.yaml, and the name is made of letters, digits, ".", "_" and "-"';
    onWarning({ files, hint }, 'files in programs/ are not read because of their names');
  }
  return names;
}
