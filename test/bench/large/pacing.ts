import { setTimeout as sleep } from 'node:timers/promises';

const STEP_MS = 1_000;

/** Begins at an even rate until it is over, whether or not those before are done; then waits for these. */
export async function paced(
  everyMs: number,
  isOver: () => boolean,
  begin: (index: number) => Promise<void>,
): Promise<void> {
  const from = performance.now();
  const underWay = new Set<Promise<void>>();
  for (let index = 0; !isOver(); index++) {
    const one = begin(index).finally(() => underWay.delete(one));
    underWay.add(one);
    const nextMs = from + (index + 1) * everyMs;
    // In steps, since what is seldom must not outlast the run by much.
    do await sleep(Math.min(STEP_MS, Math.max(0, nextMs - performance.now())));
    while (performance.now() < nextMs && !isOver());
  }
  await Promise.all(underWay);
}
