import { pauseEvery } from '../files/pause.ts';
import type { Git } from '../git/git.ts';
import type { ManifestSet } from '../manifests/set.ts';
import type { StatusStore } from '../records/status-store.ts';
import type { Trash } from '../records/trash.ts';
import type { Absences } from './absences.ts';
import type { ScannedFile } from './scan.ts';

/** Nothing else waits longer than this for manifests that are read. */
const ABSORB_MS_MAX = 20;

/** What is known of the manifests. */
export interface Known {
  git: Git | undefined;
  manifests: ManifestSet;
  absences: Absences;
  status: StatusStore;
  trash: Trash;
  /** Names whose manifest is about to be written. */
  announced: ReadonlySet<string>;
}

export interface Absorbed {
  changed: Set<string>;
  /** A manifest that was refused for another one has to be read again. */
  wantsAgain: boolean;
}

/** Takes in the files that a complete look found, and that others are gone. */
export async function absorb(known: Known, scanned: readonly ScannedFile[]): Promise<Absorbed> {
  const { manifests, absences, status, announced } = known;
  const changed = await takeFiles(known, scanned);
  const present = new Set(scanned.map(({ name }) => name));
  const gone = [...manifests.names(), ...status.names()].filter(
    (name) => !present.has(name) && !absences.has(name) && !announced.has(name),
  );
  absences.miss(gone);
  let wantsAgain = false;
  for (const name of gone) {
    if (manifests.drop(name)) wantsAgain = true;
    changed.add(name);
  }
  return { changed, wantsAgain };
}

/** Takes in files that are there, a while at a time: thousands of manifests take seconds. Gives what that changed. */
export async function takeFiles(known: Known, scanned: readonly ScannedFile[]): Promise<Set<string>> {
  const { manifests, absences, status, trash } = known;
  const changed = new Set<string>();
  const pause = pauseEvery(ABSORB_MS_MAX);
  // Of names that differ by case only the one counts that did so before, for a host that starts as well.
  const wasInForce = ({ name }: ScannedFile) => status.get(name)?.memory.program.inForce !== undefined;
  const files = [...scanned].sort((a, b) => Number(wasInForce(b)) - Number(wasInForce(a)));
  for (const { name, text, key, unreadable } of files) {
    const isNew = manifests.get(name) === undefined;
    if (absences.back(name)) changed.add(name);
    if (text !== undefined && manifests.take(name, text, key)) changed.add(name);
    if (unreadable !== undefined && manifests.takeUnreadable(name, unreadable, key)) changed.add(name);
    if (isNew && trash.has(name)) await trash.supersede(name);
    if (text !== undefined) await pause();
  }
  return changed;
}

/**
 * Of what is missing: what was stated to be gone, by a call or a commit, and what has been missing for long.
 * @param isWhole whether all files were read: one of them may tell that another was only moved
 */
export function believe({ git, manifests, absences, status, trash }: Known, isWhole: boolean): void {
  for (const name of absences.unstated()) {
    const came = status.get(name)?.observedRevision ?? '';
    const isAtRest = isWhole && git?.operation() === '';
    // A commit that moves a file to another name and leaves the program its own is no wish to be rid of that.
    const dropped = isAtRest && manifests.movedTo(name) === undefined && git?.droppedProgram(name, came);
    if (dropped || trash.has(name)) absences.state(name);
  }
  absences.settle();
}
