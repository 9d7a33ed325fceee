import type { Clock } from '../../schemas/clock.ts';

/** Tells when a restart was an hour ago, so that what is shown of the last hour stays true though nothing happens. */
export interface FewerRestarts {
  /** @param atMs when the program's oldest restart of the last hour is none of it any more; epoch milliseconds */
  at(name: string, atMs: number): void;
}

/** @param tell gets the names of such programs */
export function createFewerRestarts(clock: Clock, tell: (name: string) => void): FewerRestarts {
  const dueAt = new Map<string, number>();
  let wakesAt = Number.POSITIVE_INFINITY;
  let cancel = () => {};

  function wake(): void {
    wakesAt = Number.POSITIVE_INFINITY;
    const nowMs = clock.now();
    const due = [...dueAt].filter(([, atMs]) => atMs <= nowMs).map(([name]) => name);
    for (const name of due) dueAt.delete(name);
    // One that nobody looks at again has no older word either.
    for (const name of due) tell(name);
    schedule();
  }

  function schedule(): void {
    const next = Math.min(...dueAt.values());
    if (next >= wakesAt || next === Number.POSITIVE_INFINITY) return;
    cancel();
    wakesAt = next;
    cancel = clock.after(Math.max(0, next - clock.now()), wake);
  }

  return {
    at(name, atMs) {
      dueAt.set(name, atMs);
      schedule();
    },
  };
}
