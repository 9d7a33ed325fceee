/** One thing that takes up disk and may one day go. */
export type Found = Common &
  (
    | { kind: 'image'; id: string; buildId: string; claimedBy: 'us' | 'others' | 'nobody' }
    /** The tag of ours on an image that somebody else made, which goes with it where it has no other. */
    | { kind: 'heldImage'; id: string }
    /** The tar of what was built: what a rollback to changed sources needs. */
    | { kind: 'context'; buildId: string }
    | { kind: 'buildLog'; buildId: string }
    /** A folder that the API made, `sources/build-…`. It goes to the trash. */
    | { kind: 'sources'; folder: string }
    /** Events, revisions and figures kept under a name. */
    | { kind: 'history'; name: string }
    /** `name` is `""` for what is not the manifest of a program. `isStamped`: its name says since when it lies there. */
    | { kind: 'trash'; name: string; isStamped: boolean }
    /** The volume of a deleted program, by the record that lies in the trash. */
    | { kind: 'volume'; name: string; userId: string; volume: string; isTaken: boolean }
  );

interface Common {
  /** Tells it from all others, and where it lies: an image's id, with `held ` before it for a hold, or a path relative to the registry. */
  key: string;
  /** What it takes up; null where nobody measures it, which is not 0. */
  bytes: number | null;
  /** Since when nothing has referred to it; of what lies in the trash, since when it does. Epoch milliseconds. */
  sinceMs: number;
}

/** What goes, and why. */
export interface Removal {
  item: Found;
  /** The volume stays, only what the trash says of it goes. */
  recordOnly: boolean;
  why: string;
}

/** The oldest first. */
export const byAge = (a: Found, b: Found): number =>
  a.sinceMs - b.sinceMs || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

/** Why nothing needs it, for people. */
export function reason({ kind }: Found): string {
  if (kind === 'trash' || kind === 'volume') return 'it has been in the trash';
  return kind === 'history' ? 'its program has been gone' : 'nothing has referred to it';
}
