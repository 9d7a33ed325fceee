import type { ProgramStatus } from '../../schemas/status.ts';
import type { StatusStore } from '../records/status-store.ts';
import { pruningPauses } from './pruning-pauses.ts';

/** A file that is gone is believed gone after this (design: absence). */
const ABSENT_MS = 500;
/** Others that go meanwhile make it wait, but no longer than this: single deletions may go on and on. */
const WAIT_MS_MAX = 5_000;

interface Missing {
  /** When it was missed, or another one came back. */
  firstMs: number;
  /** When its absence began to count; anew whenever another one goes or comes back. */
  sinceMs: number;
  /** Somebody stated the wish: it is gone, whatever else. */
  stated: boolean;
  /** A complete look found it missing still, ABSENT_MS later. */
  confirmed: boolean;
}

/** Programs whose manifests are missing, and whether that is believed. */
export interface Absences {
  has(name: string): boolean;
  /** Whether its absence is believed. */
  isGone(name: string): boolean;
  /** Whether somebody stated the wish that it be gone. */
  isStated(name: string): boolean;
  /** Sorted: missing without a stated wish. */
  unstated(): string[];
  /** All that are missing, the stated ones among them. */
  names(): string[];
  /** Sorted: missing, and not believed until somebody confirms. */
  paused(): readonly string[];
  /** Sorted: missing without a stated wish, while another file says that it is this program's. */
  moved(): readonly string[];
  /** Sorted: what the next host must not believe either. */
  doubted(): readonly string[];
  /** A look misses the files of these names. */
  miss(names: readonly string[]): void;
  /** The file is there again. Gives whether it was missing. */
  back(name: string): boolean;
  /** Somebody stated the wish that this program be gone. */
  state(name: string): void;
  /** A complete look has ended: forgets programs without a ledger, and believes what has been missing for long. */
  settle(): void;
  /** Milliseconds until another look may believe more; 0 for none. */
  settlesInMs(): number;
}

/**
 * @param ledgers names of the programs that the host has, or had until now
 * @param monotonic milliseconds
 * @param movedTo see `ManifestSet`
 * @param pausedBefore names that waited for somebody's word when the host before ended
 */
export function createAbsences(
  ledgers: Pick<StatusStore, 'names' | 'get'>,
  monotonic: () => number,
  movedTo: (name: string) => string | undefined,
  pausedBefore: readonly string[] = [],
): Absences {
  const missing = new Map<string, Missing>();
  let paused: ReadonlySet<string> = new Set();
  /** What was not believed once is not because others came since: it comes back, or somebody says so. */
  let doubted: ReadonlySet<string> = new Set(pausedBefore);

  const isHollow = (name: string) => isHollowLedger(ledgers.get(name));
  const unstated = () => [...missing].flatMap(([name, { stated }]) => (stated ? [] : [name])).sort();
  const pause = () => {
    const names = unstated().filter((name) => !isHollow(name));
    const isMost = names.length > 0 && pruningPauses(countKnown(ledgers, missing), names.length);
    paused = new Set(isMost ? names : names.filter((name) => doubted.has(name)));
    // Of those that were not looked for yet, as the host starts, nothing is known.
    const waits = [...doubted].filter((name) => ledgers.get(name) !== undefined && !missing.has(name));
    doubted = new Set([...paused, ...waits]);
  };

  return {
    unstated,
    has: (name) => missing.has(name),
    isStated: (name) => missing.get(name)?.stated === true,
    names: () => [...missing.keys()],
    paused: () => [...paused],
    moved: () => unstated().filter((name) => movedTo(name) !== undefined && !isHollow(name)),
    doubted: () => [...doubted].sort(),
    isGone(name) {
      const absence = missing.get(name);
      if (absence === undefined || absence.stated) return absence !== undefined;
      return absence.confirmed && !paused.has(name) && movedTo(name) === undefined;
    },
    miss(names) {
      const more = names.filter((name) => !missing.has(name));
      if (more.length === 0) return;
      const now = monotonic();
      // A folder is emptied file by file: before the last one is gone, how many there are is not known.
      for (const other of missing.values()) {
        if (!other.confirmed && now - other.firstMs < WAIT_MS_MAX) other.sinceMs = now;
      }
      for (const name of more)
        missing.set(name, { firstMs: now, sinceMs: now, stated: false, confirmed: false });
    },
    back(name) {
      if (doubted.has(name)) doubted = new Set([...doubted].filter((other) => other !== name));
      if (!missing.delete(name)) return false;
      const now = monotonic();
      // A checkout brings files back one by one: the others are given their time again, paused or not before.
      for (const other of missing.values()) {
        if (!other.stated) Object.assign(other, { firstMs: now, sinceMs: now, confirmed: false });
      }
      pause();
      return true;
    },
    state(name) {
      const now = monotonic();
      missing.set(name, { firstMs: now, sinceMs: now, stated: true, confirmed: true });
      pause();
    },
    settle() {
      for (const [name, absence] of missing) {
        if (ledgers.get(name) === undefined) missing.delete(name);
        else if (monotonic() - absence.sinceMs >= ABSENT_MS || isHollow(name)) absence.confirmed = true;
      }
      pause();
    },
    settlesInMs() {
      const waits = [...missing.values()].flatMap(({ sinceMs, confirmed }) =>
        confirmed ? [] : [Math.max(1, sinceMs + ABSENT_MS - monotonic())],
      );
      return waits.length === 0 ? 0 : Math.min(...waits);
    },
  };
}

/** Of how many there may be less now. Not asked while nothing is missing: there may be thousands. */
function countKnown(
  ledgers: Pick<StatusStore, 'names' | 'get'>,
  missing: ReadonlyMap<string, Missing>,
): number {
  const counts = (name: string) => missing.get(name)?.stated !== true && !isHollowLedger(ledgers.get(name));
  return ledgers.names().filter(counts).length;
}

/** Nothing was ever made of it: a host was killed between its ledger and its manifest. */
function isHollowLedger(ledger: ProgramStatus | undefined): boolean {
  return ledger !== undefined && ledger.memory.program.inForce === undefined && ledger.containerId === '';
}
