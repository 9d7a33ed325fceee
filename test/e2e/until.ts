import { setTimeout as pause } from 'node:timers/promises';

/** Far more than anything here takes on a slow machine: it ends a test that would hang, it measures nothing. */
export const LIMIT_MS = 60_000;
const POLL_MS = 25;

/**
 * Asks until the answer is neither `undefined` nor `false`, and gives it.
 * @param what completes "it never came about that …"
 * @param tell what to show when it did not come about
 */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  tell: () => string | Promise<string> = () => '',
): Promise<Exclude<T, undefined | false>> {
  for (const deadline = performance.now() + LIMIT_MS; ; await pause(POLL_MS)) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    if (performance.now() > deadline) throw new Error(`it never came about that ${what}\n${await tell()}`);
  }
}
