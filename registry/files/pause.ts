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
