/** Resolves when the condition holds; rejects after `msMax` milliseconds. */
export async function until(condition: () => boolean, msMax = 3_000): Promise<void> {
  const end = performance.now() + msMax;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${msMax} ms: ${condition}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
