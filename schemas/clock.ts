/** Time as a parameter: tests turn it by hand. */
export interface Clock {
  /** Epoch milliseconds, for what people and files see. It may jump. */
  now(): number;
  /** Milliseconds that never jump, for waits and deadlines. */
  monotonic(): number;
  /** Calls `run` after `ms`. Gives a function that cancels it. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms` of the clock's time. */
export function elapse(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
