import type { Clock } from '../../schemas/clock.ts';
import { AppError, type Reason } from '../../schemas/errors.ts';
import type { Engine } from '../engine/engine.ts';

/** Ends work of the engine that takes too long. */
export interface TimeLimit {
  /** Fires when whoever asked for the work gives it up, and when a time is up. */
  signal: AbortSignal;
  /** Which time is up, as in `it took longer than 5 minutes`; `""` while none is. */
  late(): string;
  /** Ends the work `ms` from now on, since it then `what` so long. Gives what takes that back. */
  allow(ms: number, what: string): () => void;
}

export function createTimeLimit(clock: Clock, givenUp: AbortSignal): TimeLimit {
  const timeUp = new AbortController();
  let late = '';
  return {
    signal: AbortSignal.any([givenUp, timeUp.signal]),
    late: () => late,
    allow: (ms, what) =>
      clock.after(ms, () => {
        late = `${what} ${ms / 60_000} minutes`;
        timeUp.abort();
      }),
  };
}

/** What it means that the time was up. An engine that is away takes as long, and that is nobody else's fault. */
export function stoppedLate(engine: Engine, reason: Reason, late: string): Promise<unknown> {
  return engine.ping().then(
    () => new AppError(reason, `${late} and was stopped`),
    (error: unknown) => error,
  );
}
