import type { Clock } from '../../schemas/clock.ts';

export interface ManualClock extends Clock {
  /** Moves time on, running what falls due in order, and lets promises settle in between. */
  advance(ms: number): Promise<void>;
  /** When the next timer is due, on the monotonic clock; `undefined` where none waits. */
  nextAt(): number | undefined;
}

interface Timer {
  at: number;
  run: () => void;
}

/**
 * Simulated time. By default it stands still until `advance`. With `auto` it jumps to the next timer as soon
 * as nothing else is left to do, so that a test takes no time and needs no hand on the clock.
 */
export function createManualClock(options: { startMs?: number; auto?: boolean } = {}): ManualClock {
  const { startMs = Date.UTC(2026, 0, 1), auto = false } = options;
  let elapsed = 0;
  let scheduled = false;
  // In the order they were set: the earliest due, and of those the first set, goes first.
  const timers = new Set<Timer>();

  const earliest = (): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers) if (first === undefined || timer.at < first.at) first = timer;
    return first;
  };

  const fire = (timer: Timer): void => {
    timers.delete(timer);
    elapsed = Math.max(elapsed, timer.at);
    timer.run();
  };

  const drive = (): void => {
    scheduled = false;
    const timer = earliest();
    if (timer !== undefined) fire(timer);
    schedule();
  };

  const schedule = (): void => {
    if (!auto || scheduled || timers.size === 0) return;
    scheduled = true;
    setImmediate(drive);
  };

  return {
    now: () => startMs + elapsed,
    monotonic: () => elapsed,
    after(ms, run) {
      const timer = { at: elapsed + Math.max(0, ms), run };
      timers.add(timer);
      schedule();
      return () => timers.delete(timer);
    },
    nextAt: () => earliest()?.at,
    async advance(ms) {
      const until = elapsed + ms;
      await settle();
      for (let timer = earliest(); timer !== undefined && timer.at <= until; timer = earliest()) {
        fire(timer);
        await settle();
      }
      elapsed = until;
    },
  };
}

/** Lets everything that waits only for promises run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
