import type { Clock } from '../../schemas/clock.ts';

/** How long each program's newest rollout has had, by the clock that does not jump. */
export interface RolloutTimer {
  /**
   * Milliseconds since the attempt was first seen to run.
   * @param sinceStartMs how long it had run then, by the clock that may jump: for one that this host adopted
   */
  elapsed(name: string, attempt: string, sinceStartMs: number): number;
  forget(name: string): void;
}

export function createRolloutTimer(clock: Clock): RolloutTimer {
  const rollouts = new Map<string, { attempt: string; sinceMs: number }>();
  return {
    elapsed(name, attempt, sinceStartMs) {
      const now = clock.monotonic();
      const known = rollouts.get(name);
      if (known?.attempt === attempt) return now - known.sinceMs;
      const before = Math.max(0, sinceStartMs);
      rollouts.set(name, { attempt, sinceMs: now - before });
      return before;
    },
    forget: (name) => rollouts.delete(name),
  };
}
