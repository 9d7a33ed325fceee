import { setTimeout as sleep } from 'node:timers/promises';

/** Both sides of a comparison are asked this often. */
export const POLL_MS = 5;
const LIMIT_MS = 60_000;

/** Asks until the answer is yes. Throws, saying what never came about and how it stands, when it takes too long. */
export async function until(
  what: string,
  ask: () => Promise<boolean>,
  stand: () => string = () => '',
  { everyMs = POLL_MS, limitMs = LIMIT_MS } = {},
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`it never came about that ${what}${stand()}`);
    await sleep(everyMs);
  }
}

/** Rejects, saying what never came, when a promise does not settle in time, by default within a minute. */
export async function inTime<T>(what: string, promise: Promise<T>, limitMs = LIMIT_MS): Promise<T> {
  const late = new AbortController();
  const expired = sleep(limitMs, undefined, { signal: late.signal }).then(() => {
    throw new Error(`it never came about that ${what}`);
  });
  // The one that loses the race must not end the process.
  expired.catch(() => {});
  try {
    return await Promise.race([promise, expired]);
  } finally {
    late.abort();
  }
}
