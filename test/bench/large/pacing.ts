import { setTimeout as sleep } from 'node:timers/promises';

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
    await sleep(Math.max(0, from + (index + 1) * everyMs - performance.now()));
  }
  await Promise.all(underWay);
}
