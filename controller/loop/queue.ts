import type { Clock } from '../../schemas/clock.ts';

/** Keys looked at side by side; engine calls have tighter limits of their own. */
const WORKERS_MAX = 32;

export interface Queue {
  /** Looks at a key soon. A key that waits already is not queued twice; one being worked on is looked at again. */
  add(key: string): void;
  /** Looks at a key after `ms`, unless something makes it be looked at before; the earliest time counts. */
  addAfter(key: string, ms: number): void;
  /** A look at a key begins: what asked for one until now is served by it. To be called by who is at work on it. */
  begin(key: string): void;
  /** Forgets the key's timer. */
  forget(key: string): void;
  readonly depth: number;
  /** How long the key that waits longest has waited by now, and how long the oldest look under way has taken; 0 for none. */
  readonly oldestMs: number;
  readonly longestMs: number;
  /** Awaits `work`, which has limits of its own; others may be looked at meanwhile. To be called by who is looked at. */
  parked<T>(work: () => Promise<T>): Promise<T>;
  /** Takes no more work and resolves when what runs is done. */
  close(): Promise<void>;
}

/**
 * Keys, each worked on by one worker at a time. `work` never rejects.
 * @param onWaited told of each key whose turn came how long it had waited since it was asked for, in milliseconds
 */
export function createQueue(
  clock: Clock,
  work: (key: string) => Promise<void>,
  onWaited: (ms: number) => void = () => {},
): Queue {
  /** In order of arrival, each with when it was asked for; so are those that are asked for while they are looked at. */
  const waiting = new Map<string, number>();
  const again = new Map<string, number>();
  /** Since when. */
  const running = new Map<string, number>();
  const later = createLater(clock, (key) => add(key));
  let parked = 0;
  let closed = false;
  let idle: (() => void) | undefined;

  const sinceFirst = (of: ReadonlyMap<string, number>) =>
    of.size === 0 ? 0 : clock.monotonic() - Math.min(...of.values());
  const add = (key: string) => {
    if (closed) return;
    later.forget(key);
    const queued = running.has(key) ? again : waiting;
    if (!queued.has(key)) queued.set(key, clock.monotonic());
    next();
  };
  const next = () => {
    while (running.size - parked < WORKERS_MAX) {
      const [first] = waiting;
      if (first === undefined) break;
      const [key, askedMs] = first;
      const nowMs = clock.monotonic();
      waiting.delete(key);
      running.set(key, nowMs);
      onWaited(nowMs - askedMs);
      void work(key).finally(() => {
        running.delete(key);
        const askedMs = again.get(key);
        again.delete(key);
        if (askedMs !== undefined && !closed) waiting.set(key, askedMs);
        next();
        if (running.size === 0) idle?.();
      });
    }
  };

  return {
    ...{ add, forget: later.forget },
    begin: (key) => void again.delete(key),
    addAfter(key, ms) {
      if (!closed) later.set(key, ms);
    },
    get depth() {
      return waiting.size;
    },
    get oldestMs() {
      return sinceFirst(waiting);
    },
    get longestMs() {
      return sinceFirst(running);
    },
    async parked(work) {
      parked++;
      next();
      try {
        return await work();
      } finally {
        parked--;
      }
    },
    async close() {
      closed = true;
      waiting.clear();
      later.clear();
      if (running.size > 0) {
        await new Promise<void>((resolve) => {
          idle = resolve;
        });
      }
    },
  };
}

/** Keys that are to come at a time, the earliest of those that were asked for. */
function createLater(clock: Clock, run: (key: string) => void) {
  const timers = new Map<string, { at: number; cancel: () => void }>();
  const forget = (key: string) => {
    timers.get(key)?.cancel();
    timers.delete(key);
  };
  return {
    forget,
    set(key: string, ms: number): void {
      const at = clock.monotonic() + ms;
      const before = timers.get(key);
      if (before !== undefined && before.at <= at) return;
      before?.cancel();
      timers.set(key, { at, cancel: clock.after(ms, () => run(key)) });
    },
    clear(): void {
      for (const key of [...timers.keys()]) forget(key);
    },
  };
}
