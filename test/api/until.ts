/** It ends a test that would hang, and measures nothing: a busy machine may be slow. */
const HANGS_MS = 120_000;

/** Resolves when the condition holds; rejects after `msMax` milliseconds. */
export async function until(condition: () => boolean, msMax = HANGS_MS): Promise<void> {
  const end = performance.now() + msMax;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${msMax} ms: ${condition}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
