import type { Clock } from '../../schemas/clock.ts';
import { messageOf } from '../../schemas/errors.ts';

/** What is to be done later, until all is closed. */
export interface Timers {
  /** Does the work in `ms`, instead of when work of that name was due. What goes wrong is told. */
  later(what: string, ms: number, work: () => Promise<void>): void;
  isClosed(): boolean;
  close(): void;
}

export function createTimers(clock: Clock, onWarning: (fields: object, message: string) => void): Timers {
  const cancels = new Map<string, () => void>();
  let closed = false;
  return {
    later(what, ms, work) {
      if (closed) return;
      cancels.get(what)?.();
      const run = () =>
        void work().catch((error: unknown) => onWarning({ error: messageOf(error) }, `${what} failed`));
      cancels.set(what, clock.after(ms, run));
    },
    isClosed: () => closed,
    close() {
      closed = true;
      for (const cancel of cancels.values()) cancel();
    },
  };
}
