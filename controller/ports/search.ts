/**
 * Looks for a free port of the range, from where the last search ended, so that one given back is not given out again at
 * once. @param take called before it is looked at, so that two that search at once do not find the same
 */
export type Search = (
  avoid: ReadonlySet<number>,
  take: (port: number) => void,
  letGo: (port: number) => void,
) => Promise<number | undefined>;

/**
 * @param isTaken whether nobody has to be asked about a port
 * @param isFull whether that is so of all
 */
export function createSearch(
  { min, max }: { min: number; max: number },
  isTaken: (port: number) => boolean,
  isFull: () => boolean,
  isFree: (port: number) => Promise<boolean>,
): Search {
  const size = max - min + 1;
  let next = min;
  return async (avoid, take, letGo) => {
    const from = next;
    // Where all are held there is nothing to look for: whoever waits for one asks again and again.
    for (let step = 0; step < size && !isFull(); step++) {
      const port = min + ((from - min + step) % size);
      if (isTaken(port) || avoid.has(port)) continue;
      take(port);
      if (await isFree(port)) {
        next = port + 1 > max ? min : port + 1;
        return port;
      }
      letGo(port);
    }
    return undefined;
  };
}
