import type { Clock } from '../schemas/clock.ts';

/**
 * Signals that come this soon after the first, in milliseconds, are the same wish: a terminal gives Ctrl-C, and an
 * init system SIGTERM, to npm and to us, and npm passes on what it got (npm 11.19).
 */
const SAME_WISH_MS = 500;

export type StopSignal = 'SIGINT' | 'SIGTERM';

/** The process, as far as it is needed. */
export interface SignalSource {
  on(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
}

/** Calls `first` with the first SIGTERM or SIGINT, and `again` with each that is another wish. */
export function onStopSignals(
  source: SignalSource,
  clock: Pick<Clock, 'monotonic'>,
  first: (signal: StopSignal) => void,
  again: () => void,
): void {
  let firstMs: number | undefined;
  const onSignal = (signal: StopSignal): void => {
    if (firstMs === undefined) {
      firstMs = clock.monotonic();
      first(signal);
    } else if (clock.monotonic() - firstMs >= SAME_WISH_MS) {
      again();
    }
  };
  source.on('SIGTERM', onSignal);
  source.on('SIGINT', onSignal);
}
