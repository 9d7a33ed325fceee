/**
 * For long work: gives everything else a turn, where `ms` have passed since the last one.
 * @returns call it between the steps of the work
 */
export function pauseEvery(ms: number): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < ms) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    since = performance.now();
  };
}

/** Runs work that yields after each slice of it, and gives everything else a turn in between. */
export async function inSlices<T>(
  work: Generator<void, T>,
  pause: () => Promise<void> = () => new Promise((resolve) => setImmediate(resolve)),
): Promise<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    await pause();
  }
}
