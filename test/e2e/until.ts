import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

/** Far more than anything here takes on a slow machine: it ends a test that would hang, it measures nothing. */
export const LIMIT_MS = 300_000;
const POLL_MS = 25;
/** For what is done with but for files that are just being renamed into place. */
const SETTLE_MS_MAX = 60_000;

/**
 * Asks until the answer is neither `undefined` nor `false`, and gives it.
 * @param what completes "it never came about that …"
 * @param tell what to show when it did not come about
 * @param msMax for what takes longer than everything else
 */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  tell: () => string | Promise<string> = () => '',
  msMax = LIMIT_MS,
): Promise<Exclude<T, undefined | false>> {
  for (const deadline = performance.now() + msMax; ; await pause(POLL_MS)) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    if (performance.now() > deadline) throw new Error(`it never came about that ${what}\n${await tell()}`);
  }
}

/** Asks until the answer equals `wanted`; at the end of its patience it fails with the difference. */
export async function untilEqual<T>(ask: () => T | Promise<T>, wanted: T): Promise<void> {
  for (
    const deadline = performance.now() + SETTLE_MS_MAX;
    performance.now() < deadline;
    await pause(POLL_MS)
  ) {
    if (isDeepStrictEqual(await ask(), wanted)) return;
  }
  assert.deepEqual(await ask(), wanted);
}
