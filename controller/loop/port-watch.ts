import type { Clock } from '../../schemas/clock.ts';
import type { IsPortLost } from './knock.ts';

/** What is seen so often in a row is believed, */
const SIGHTINGS = 4;
/** that long after one another; */
const AGAIN_MS = 1_000;
/** and looked at this often from then on. */
const LOST_MS = 5_000;
/**
 * What no probe tells of is looked at this often: each look is a connection that the program sees, and takes host and
 * engine together half a millisecond or more. A thousand of these take less than a hundredth of a core.
 */
export const UNPROBED_MS = 120_000;

export interface PortWatchOptions {
  clock: Clock;
  isPortLost: IsPortLost;
  /** While the engine is away, or comes up, ports come and go. */
  isEngineThere: () => boolean;
  port: number;
  /** The container's own, on this machine. */
  address: string;
  /** Whether probes tell when to look. */
  isProbed: boolean;
  /** Told when it changes. */
  onVerdict: (isLost: boolean) => void;
}

export interface PortWatch {
  /** A probe has failed. */
  suspect(): void;
  stop(): void;
}

/** Looks whether a program that listens is reached by its port: where a probe failed, and now and then without any. */
export function watchPort(options: PortWatchOptions): PortWatch {
  const { clock, isPortLost, isEngineThere, port, address, isProbed, onVerdict } = options;
  let sightings = 0;
  let verdict = false;
  let isWaiting = false;
  let cancel = () => {};

  const later = (ms: number): void => {
    isWaiting = true;
    cancel = clock.after(ms, look);
  };
  const take = (isSeen: boolean): void => {
    // What was seen before the engine went away says nothing of what it did when it came.
    sightings = isSeen && isEngineThere() ? sightings + 1 : 0;
    const isLost = sightings >= SIGHTINGS;
    if (isLost !== verdict) onVerdict(isLost);
    verdict = isLost;
    if (sightings > 0) later(isLost ? LOST_MS : AGAIN_MS);
    else if (!isProbed) later(UNPROBED_MS);
  };
  let isStopped = false;
  const look = (): void => {
    isWaiting = true;
    void isPortLost(port, address).then((isSeen) => {
      isWaiting = false;
      if (!isStopped) take(isSeen);
    });
  };
  if (!isProbed) later(UNPROBED_MS);
  return {
    suspect() {
      if (!isWaiting && !isStopped) look();
    },
    stop() {
      isStopped = true;
      cancel();
    },
  };
}
