import type { Clock } from '../../schemas/clock.ts';

/** Timers that all end together. */
export interface Timers {
  /** Once, `ms` from now on. */
  after(ms: number, run: () => unknown): void;
  /** Again and again, each time `ms` after the last has ended. `run` never rejects. */
  every(ms: number, run: () => Promise<unknown>): void;
  /** What is due later does not run any more. */
  close(): void;
}

export function createTimers(clock: Clock): Timers {
  const cancels = new Set<() => void>();
  let closed = false;

  function after(ms: number, run: () => unknown): void {
    const cancel = clock.after(ms, () => {
      cancels.delete(cancel);
      if (!closed) run();
    });
    cancels.add(cancel);
  }

  function every(ms: number, run: () => Promise<unknown>): void {
    after(ms, () => void run().finally(() => every(ms, run)));
  }

  return {
    ...{ after, every },
    close() {
      closed = true;
      for (const cancel of cancels) cancel();
    },
  };
}
