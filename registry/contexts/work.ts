import { inSlices } from '../files/pause.ts';

/** Thrown where a `.dockerignore` takes more than it may. */
export class TooMuchWork extends Error {}

/** About ten milliseconds: nothing else waits for longer (one step is some nanoseconds). */
export const SLICE_STEPS = 1_000_000;
/** Some seconds, spread over slices. Three hundred wildcards and a hundred thousand names take a tenth of it. */
const STEPS_MAX = 1_000_000_000;

/** What a name costs beside the rules. */
export const NAME_STEPS = 200;

/** Long work in steps: done a slice at a time, so that everything else has its turn, and not without an end. */
export interface Work {
  /** @returns whether a slice is done: time to yield. @throws TooMuchWork */
  spend(steps: number): boolean;
  /** Gives everything else a turn. */
  pause(): Promise<void>;
  /** Runs work that yields where it is time. */
  run<T>(work: Generator<void, T>): Promise<T>;
}

/** @param pause gives everything else a turn */
export function createWork(
  pause: () => Promise<void> = () => new Promise((resolve) => setImmediate(resolve)),
  stepsMax = STEPS_MAX,
): Work {
  let total = 0;
  let slice = 0;
  const yieldNow = async (): Promise<void> => {
    await pause();
    slice = 0;
  };
  return {
    pause: yieldNow,
    spend(steps) {
      total += steps;
      slice += steps;
      if (total > stepsMax) throw new TooMuchWork('its rules take too long to apply to so many names');
      return slice >= SLICE_STEPS;
    },
    run: (work) => inSlices(work, yieldNow),
  };
}
