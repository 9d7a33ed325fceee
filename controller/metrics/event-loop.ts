import type { Clock } from '../../schemas/clock.ts';

/** How often it is looked at: a stall of a second or more is seen at least half. */
const PERIOD_MS = 500;

/**
 * Tells from now on how much later than asked the event loop comes to a timer, in milliseconds: while it does, no
 * request is answered and no program looked at. Gives what ends it.
 */
export function watchEventLoop(clock: Clock, tell: (ms: number) => void): () => void {
  let dueMs = 0;
  let cancel = () => {};
  const again = () => {
    dueMs = clock.monotonic() + PERIOD_MS;
    cancel = clock.after(PERIOD_MS, () => {
      tell(Math.max(0, clock.monotonic() - dueMs));
      again();
    });
  };
  again();
  return () => cancel();
}
