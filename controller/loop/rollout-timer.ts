import type { Clock } from '../../schemas/clock.ts';

/** How long each program's rollouts have had, by the clock that does not jump. */
export interface RolloutTimer {
  /** Milliseconds, by attempt or run. */
  elapsed(name: string): Record<string, number>;
  /** These go on being timed, from what they have had; all others of the program no more. */
  note(name: string, rollouts: Readonly<Record<string, number>>): void;
  forget(name: string): void;
}

export function createRolloutTimer(clock: Clock): RolloutTimer {
  /** When each began, by the monotonic clock. */
  const begun = new Map<string, ReadonlyMap<string, number>>();
  return {
    elapsed(name) {
      const now = clock.monotonic();
      return Object.fromEntries([...(begun.get(name) ?? [])].map(([key, sinceMs]) => [key, now - sinceMs]));
    },
    note(name, rollouts) {
      const now = clock.monotonic();
      const before = begun.get(name);
      const keys = Object.entries(rollouts);
      begun.set(name, new Map(keys.map(([key, ms]) => [key, before?.get(key) ?? now - ms])));
    },
    forget: (name) => begun.delete(name),
  };
}
