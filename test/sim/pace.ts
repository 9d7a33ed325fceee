import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { ManualClock } from './manual-clock.ts';

/** Names, in `process.getActiveResourcesInfo()`, of file operations under way, and of the git that does some. */
const FILE_WORK = /^(FSReq|CloseReq|FileHandle|ProcessWrap)/;
/** Turns of the event loop without file work after which none is expected: streams pause a turn between two. */
const CALM_TURNS = 3;
/** More timers than this at one moment are a loop without a wait. */
const STEPS_MAX = 300;

/**
 * Resolves when nothing in this process reads or writes a file and no promise is left to run: the moment up to
 * which a host on a fast disk would have come before the clock's next tick. So real files and simulated time go
 * together without sleeps.
 */
export function filesAtRest(): Promise<void> {
  return new Promise((resolve) => {
    let calm = 0;
    // One promise and one timer at a time, since this runs between any two ticks of the clock.
    const turn = (): void => {
      calm = process.getActiveResourcesInfo().some((name) => FILE_WORK.test(name)) ? 0 : calm + 1;
      if (calm < CALM_TURNS) setImmediate(turn);
      else resolve();
    };
    setImmediate(turn);
  });
}

/** What a simulated host writes need not survive a power cut: waiting for the disk would be most of a test. */
export async function skipSyncs(): Promise<void> {
  const file = await open(fileURLToPath(import.meta.url));
  const prototype: { sync: () => Promise<void> } = Object.getPrototypeOf(file);
  prototype.sync = async () => undefined;
  await file.close();
}

/** Moves the clock on timer by timer, with the files at rest before each and at the end. */
export async function advance(clock: ManualClock, ms: number): Promise<void> {
  const until = clock.monotonic() + ms;
  await advanceWhile(clock, until, () => true);
  await clock.advance(until - clock.monotonic());
}

/**
 * Moves the clock on timer by timer while the condition holds, up to `until` on the monotonic clock.
 * @returns whether it ended because the condition no longer holds
 */
export async function advanceWhile(
  clock: ManualClock,
  until: number,
  condition: () => boolean,
): Promise<boolean> {
  let steps = 0;
  await filesAtRest();
  while (condition()) {
    const next = clock.nextAt();
    if (next === undefined || next > until) return false;
    const wait = Math.max(0, next - clock.monotonic());
    steps = wait === 0 ? steps + 1 : 0;
    if (steps > STEPS_MAX)
      throw new Error(`${STEPS_MAX} timers in a row were due at once: a loop without a wait`);
    await clock.advance(wait);
    await filesAtRest();
  }
  return true;
}
