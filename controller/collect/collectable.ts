/**
 * What may go. Pure: the files, the engine and the clock are read by look.ts, which also carries it out.
 */

import { underPressure } from './disk-limit.ts';
import { byAge, type Found, type Removal, reason } from './item.ts';

/** All that is still needed. */
export interface References {
  /** Build ids that run, are wanted, are being built, or could be rolled back to. */
  builds: ReadonlySet<string>;
  /** Ids of images that run, are wanted, or could be rolled back to. */
  images: ReadonlySet<string>;
  /** Build ids in the history of deleted programs, which may come back. */
  pastBuilds: ReadonlySet<string>;
  /** Folders that programs are, or could be, built from, relative to the registry. */
  contexts: ReadonlySet<string>;
  /** Names of programs, and their users; `""` where unknown. */
  programs: ReadonlyMap<string, string>;
  /** Names whose manifest is gone and whose ledger is not: they are being deleted, or wait for a confirmation. */
  leaving: ReadonlySet<string>;
  /** Names that containers carry, of programs that nothing else may be known of. */
  withContainers: ReadonlySet<string>;
  /** Volumes of programs, those that are leaving among them. */
  volumes: ReadonlySet<string>;
  /** Names of the programs that have one. */
  withVolume: ReadonlySet<string>;
  /** Texts of the manifests that ask for the `/state` of a program that is gone, and have none yet. */
  takers: readonly string[];
}

export interface CollectLimits {
  /** Time that images, contexts, build logs and sources stay without a reference. */
  graceMs: number;
  /** Time that trash, volumes and the history of deleted programs stay. */
  trashMs: number;
  /** Above this what nothing refers to goes at once; undefined for no limit. */
  diskBytes: number | undefined;
}

const GRACE: Record<Found['kind'], 'graceMs' | 'trashMs'> = {
  image: 'graceMs',
  heldImage: 'graceMs',
  context: 'graceMs',
  buildLog: 'graceMs',
  sources: 'graceMs',
  history: 'trashMs',
  trash: 'trashMs',
  volume: 'trashMs',
};

/**
 * What goes, and why: what nothing has referred to for its time and, where the disk limit is exceeded, as much as
 * it takes of the rest that nothing refers to, what can be made again first, of that the oldest. Whatever is
 * referred to stays. The order of `found` does not matter.
 * @param nowMs epoch milliseconds
 */
export function collectable(
  refs: References,
  found: readonly Found[],
  nowMs: number,
  limits: CollectLimits,
): Removal[] {
  const newest = newestRecords(found);
  const removals: Removal[] = [];
  const younger: Found[] = [];
  for (const item of [...found].sort(byAge)) {
    if (item.kind === 'volume' && isTakenBack(refs, item)) {
      removals.push({ item, recordOnly: true, why: 'its program has come back' });
    } else if (item.kind === 'volume' && newest.get(item.volume) !== item) {
      removals.push({ item, recordOnly: true, why: 'a newer record names the volume' });
    } else if (!isReferenced(refs, item)) {
      const ageMs = nowMs - item.sinceMs;
      if (ageMs >= graceOf(item, limits))
        removals.push({ item, recordOnly: false, why: `${reason(item)} for ${inWords(ageMs)}` });
      else younger.push(item);
    }
  }
  return [...removals, ...underPressure(found, removals, younger, limits.diskBytes)];
}

/** Whether anything needs it, or may. */
export function isReferenced(refs: References, item: Found): boolean {
  switch (item.kind) {
    case 'image':
      return item.claimedBy === 'others' || refs.builds.has(item.buildId) || refs.images.has(item.id);
    case 'heldImage':
      return refs.images.has(item.id);
    case 'context':
    case 'buildLog':
      return refs.builds.has(item.buildId) || refs.pastBuilds.has(item.buildId);
    case 'sources':
      return [...refs.contexts].some(
        (context) => isWithin(context, item.folder) || isWithin(item.folder, context),
      );
    case 'history':
      // A stray is its program's again when manifest or ledger are back, and of a revision that is kept.
      return refs.programs.has(item.name) || refs.withContainers.has(item.name);
    case 'trash':
      return refs.leaving.has(item.name);
    case 'volume': {
      if (refs.volumes.has(item.volume) || refs.takers.some((text) => text.includes(item.name))) return true;
      const user = refs.programs.get(item.name);
      // One that has another by now takes this one back no more.
      return user === '' || (user === item.userId && !refs.withVolume.has(item.name));
    }
  }
}

/**
 * An image that no host has claimed may have been made by a host of another instance that was killed just then, so
 * it has the longer time.
 */
function graceOf(item: Found, limits: CollectLimits): number {
  const isNobodys = item.kind === 'image' && item.claimedBy === 'nobody';
  return limits[isNobodys ? 'trashMs' : GRACE[item.kind]];
}

/**
 * The program is there and uses the volume; one that is just leaving does so too, and needs its record. What was taken
 * from another keeps it: the volume's name tells nobody whose it is.
 */
function isTakenBack(
  refs: References,
  { name, volume, isTaken }: Extract<Found, { kind: 'volume' }>,
): boolean {
  return !isTaken && refs.volumes.has(volume) && refs.programs.has(name) && !refs.leaving.has(name);
}

/** A program that was deleted more than once leaves a record each time; the last counts. */
function newestRecords(found: readonly Found[]): Map<string, Found> {
  const newest = new Map<string, Found>();
  for (const item of [...found].sort(byAge)) if (item.kind === 'volume') newest.set(item.volume, item);
  return newest;
}

/** Whether a folder is another one, or lies in it. */
function isWithin(folder: string, other: string): boolean {
  return other === '.' || folder === other || folder.startsWith(`${other}/`);
}

/** The largest unit that fits: `7 d`, `90 min`. */
function inWords(ms: number): string {
  const units: [string, number][] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ];
  const [word, size] = units.find(([, unit]) => ms >= 2 * unit) ?? ['s', 1_000];
  return `${Math.floor(ms / size)} ${word}`;
}
