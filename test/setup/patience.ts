/** How long a thing may give no sign of life. Measured on an engine that brings 200 containers back: a line each 0.4 s. */
const SILENT_MS_MAX = 90_000;

export interface Patience {
  /** Whether it gave a sign since it was asked last, or its time without one is not over. */
  lasts(): boolean;
  /** Milliseconds of silence after which it is over. */
  silentMsMax: number;
}

/**
 * Waits for what has no known duration: as long as it gives signs of life, and a while without one. An engine that
 * brings back many containers, or a busy machine, may take minutes.
 * @param sign anything that changes as long as it works: the size of its log, say
 * @param now milliseconds, of a clock that does not jump
 */
export function createPatience(
  sign: () => unknown,
  now: () => number,
  silentMsMax = SILENT_MS_MAX,
): Patience {
  let last = sign();
  let since = now();
  const lasts = (): boolean => {
    const next = sign();
    if (next !== last) {
      last = next;
      since = now();
    }
    return now() - since <= silentMsMax;
  };
  return { lasts, silentMsMax };
}
