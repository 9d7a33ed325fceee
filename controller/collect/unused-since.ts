import type { Leftovers } from '../../registry/records/leftovers.ts';
import { messageOf } from '../../schemas/errors.ts';
import { isReferenced, type References } from './collectable.ts';
import type { Found } from './item.ts';
import type { Troubles } from './troubles.ts';

/**
 * Tells of each thing since when nothing refers to it; remembered, so that a restart of the host does not begin anew.
 * @param now epoch milliseconds
 */
export function createUnusedSince(leftovers: Leftovers, troubles: Troubles, now: () => number) {
  let unused: Map<string, number> | undefined;

  return async (listed: readonly Found[], refs: References): Promise<Found[]> => {
    unused ??= await leftovers.readUnused();
    const before = unused;
    const nowMs = now();
    const next = new Map<string, number>();
    const found = listed.map((item) => {
      // One that was stamped with a time to come, by a clock that was wrong, is counted as any other.
      if (item.sinceMs > 0 && item.sinceMs <= nowMs) return item;
      if (isReferenced(refs, item)) return { ...item, sinceMs: nowMs };
      const sinceMs = Math.min(nowMs, before.get(item.key) ?? nowMs);
      next.set(item.key, sinceMs);
      return { ...item, sinceMs };
    });
    unused = next;
    if (!isSame(before, next)) {
      const what = 'what is out of use can not be written down; it is counted from the next start';
      await leftovers.writeUnused(next).then(
        () => troubles.isOver(what),
        (error: unknown) => troubles.tell(what, { error: messageOf(error) }),
      );
    }
    return found;
  };
}

function isSame(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
