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
  /** Awaits `work`, which has limits of its own; others may be looked at meanwhile. To be called by who is looked at. */
  parked<T>(work: () => Promise<T>): Promise<T>;
  /** Takes no more work and resolves when what runs is done. */
  close(): Promise<void>;
}

/** Keys, each worked on by one worker at a time. `work` never rejects. */
export function createQueue(clock: Clock, work: (key: string) => Promise<void>): Queue {
  /** In order of arrival. */
  const waiting = new Set<string>();
  const running = new Set<string>();
  const again = new Set<string>();
  const timers = new Map<string, { at: number; cancel: () => void }>();
  let parked = 0;
  let closed = false;
  let idle: (() => void) | undefined;

  const forget = (key: string) => {
    timers.get(key)?.cancel();
    timers.delete(key);
  };
  const add = (key: string) => {
    if (closed) return;
    forget(key);
    if (running.has(key)) again.add(key);
    else waiting.add(key);
    next();
  };
  const next = () => {
    while (running.size - parked < WORKERS_MAX) {
      const [key] = waiting;
      if (key === undefined) break;
      waiting.delete(key);
      running.add(key);
      void work(key).finally(() => {
        running.delete(key);
        if (again.delete(key) && !closed) waiting.add(key);
        next();
        if (running.size === 0) idle?.();
      });
    }
  };

  return {
    ...{ add, forget },
    begin: (key) => void again.delete(key),
    addAfter(key, ms) {
      if (closed) return;
      const at = clock.monotonic() + ms;
      const before = timers.get(key);
      if (before !== undefined && before.at <= at) return;
      before?.cancel();
      timers.set(key, { at, cancel: clock.after(ms, () => add(key)) });
    },
    get depth() {
      return waiting.size;
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
      for (const key of [...timers.keys()]) forget(key);
      if (running.size > 0) {
        await new Promise<void>((resolve) => {
          idle = resolve;
        });
      }
    },
  };
}
