import type { Clock } from '../../schemas/clock.ts';

/** Something that keeps the host from its work, for as long as it is so. */
export interface HostTrouble {
  /** What is in trouble: its reason may change meanwhile, and is no news. */
  kind: string;
  reason: string;
  message: string;
  /** How long it has to be so before somebody is told, in milliseconds: most of it passes by itself. */
  afterMs: number;
}

/** What is so is looked at, in memory, this often. */
const LOOK_MS = 2_000;
/** What comes and goes is told no more often than this. */
export const AGAIN_MS = 600_000;

interface Standing {
  sinceMs: number;
  told: boolean;
}

/**
 * Tells of each trouble once, when it has stood for its time, and again only if it went meanwhile.
 * @returns ends it
 */
export function watchHost(
  clock: Clock,
  troubles: () => readonly HostTrouble[],
  tell: (trouble: HostTrouble) => void,
): () => void {
  let standing = new Map<string, Standing>();
  const toldMs = new Map<string, number>();
  let cancel: () => void;

  const look = (): void => {
    const nowMs = clock.monotonic();
    const before = standing;
    standing = new Map();
    for (const trouble of troubles()) {
      const { kind, afterMs } = trouble;
      const one = before.get(kind) ?? { sinceMs: nowMs, told: false };
      standing.set(kind, one);
      const isDue = nowMs - one.sinceMs >= afterMs;
      const isNews = nowMs - (toldMs.get(kind) ?? Number.NEGATIVE_INFINITY) >= AGAIN_MS;
      if (one.told || !isDue || !isNews) continue;
      one.told = true;
      toldMs.set(kind, nowMs);
      tell(trouble);
    }
    cancel = clock.after(LOOK_MS, look);
  };
  look();
  return () => cancel();
}
