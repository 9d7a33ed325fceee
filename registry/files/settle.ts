import { type BigIntStats, statSync } from 'node:fs';

/** A foreign file is taken when it stood unchanged for this long (design: numbers). */
export const SETTLE_MS = 50;
/** An empty one is most likely between an editor's truncation and its text, which a busy machine makes long. */
export const EMPTY_SETTLE_MS = 1_000;

/** Equal for a file that was not touched: what a second look compares. */
export function statKey(stats: BigIntStats): string {
  return `${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}:${stats.mode}`;
}

/**
 * Whether it was moved into place, or marked, after it was written: a file that is written in place changes with its
 * text, at the same moment, and one that was there before may be in the middle of that. The kernel's clock moves every
 * few milliseconds, so that one that was moved at once may not be known for it.
 * @param before its key, where it was known
 */
export function isPutThere(stats: BigIntStats, before: string | undefined): boolean {
  return stats.ctimeNs > stats.mtimeNs && !before?.startsWith(`${stats.ino}:`);
}

/** That of the file there, without a wait; undefined where it can not be looked at. */
export function statKeyNow(path: string): string | undefined {
  try {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stats && statKey(stats);
  } catch {
    // Whatever is wrong with it is found out, and said, by reading it.
    return undefined;
  }
}

/**
 * Equal for the same folder: a watch of one that was replaced goes silent, and what was written to it is gone. The
 * number of an inode is soon given to the next folder, so the time of birth belongs to it.
 */
export function folderKey({ dev, ino, birthtimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${birthtimeNs}`;
}

/**
 * Milliseconds until the file counts as settled; 0 when it does. A time of change in the future (a clock that
 * jumped) counts as settled: it can not be waited for.
 * @param nowMs epoch milliseconds
 * @param wholeMs how long it has to stand unchanged
 */
export function settleMs(stats: BigIntStats, nowMs: number, wholeMs = SETTLE_MS): number {
  const age = nowMs - Number(stats.ctimeNs / 1_000_000n);
  return age < 0 || age >= wholeMs ? 0 : Math.ceil(wholeMs - age) + 1;
}
