/**
 * Turns callbacks into a stream. What comes faster than it is read waits, up to `max`; a reader slower than that
 * is cut off, since it can come back and read what is kept.
 * @param subscribe gets what to call with each item, and when no more will come; gives what ends it
 */
export async function* follow<T>(
  subscribe: (push: (item: T) => void, end: () => void) => () => void,
  signal: AbortSignal,
  max = 10_000,
): AsyncGenerator<T> {
  const waiting: T[] = [];
  let ended = false;
  let wake = () => {};
  const end = () => {
    ended = true;
    wake();
  };
  signal.addEventListener('abort', end, { once: true });
  const unsubscribe = subscribe((item) => {
    waiting.push(item);
    if (waiting.length > max) end();
    wake();
  }, end);
  try {
    for (;;) {
      const item = waiting.shift();
      if (item !== undefined) yield item;
      else if (ended || signal.aborted) return;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    signal.removeEventListener('abort', end);
    unsubscribe();
  }
}
