import type { Clock } from '../../schemas/clock.ts';
import { timestamp } from '../../schemas/program.ts';

/** A git of which only its lock is seen is waited for this long: one that crashed leaves it for ever. */
const BUSY_MS_MAX = 10_000;

/** How long a git that is at work is waited for: a dead one until a limit, a living one for as long as it takes. */
export interface Patience {
  /** @param isAlive asked when the limit is over */
  waits(isBusy: boolean, isAlive: () => Promise<boolean>): Promise<boolean>;
  /** What it is that takes so long, for people; `""` as long as it does not. */
  words(): string;
  /** All is quiet: the next one has the whole limit. */
  rest(): void;
}

export function createPatience(clock: Clock): Patience {
  let sinceMs: number | undefined;
  let since = '';
  let isLong = false;
  return {
    async waits(isBusy, isAlive) {
      if (!isBusy) {
        isLong = false;
        return false;
      }
      if (sinceMs === undefined) {
        sinceMs = clock.monotonic();
        since = timestamp(clock.now());
      }
      if (clock.monotonic() - sinceMs < BUSY_MS_MAX) return true;
      if (!(await isAlive())) return false;
      // Asked again when the limit is over again: what it leaves when it ends is settled like that of any other.
      sinceMs = clock.monotonic();
      isLong = true;
      return true;
    },
    words: () =>
      isLong
        ? `git writes files in the registry since ${since}: manifests and sources are taken up when it is done`
        : '',
    rest() {
      sinceMs = undefined;
      isLong = false;
    },
  };
}
