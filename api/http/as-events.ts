import { withHeartbeat } from './event-stream.ts';

/**
 * Server-sent events as bytes, with a comment at once and after so long without one, in milliseconds, which keeps what
 * is between from closing an idle connection. The source is let go when the reader is.
 * @param frames whole events, with the empty line that ends each
 */
export async function* asEvents(
  frames: AsyncIterable<string>,
  heartbeatMs: number,
): AsyncGenerator<Uint8Array> {
  const iterator = frames[Symbol.asyncIterator]();
  try {
    yield Buffer.from(': following\n\n');
    let next = iterator.next();
    for (;;) {
      next.catch(() => {});
      const result = await withHeartbeat(next, { heartbeatMs });
      if (result !== 'idle' && result.done === true) return;
      yield Buffer.from(result === 'idle' ? ': still here\n\n' : result.value);
      if (result !== 'idle') next = iterator.next();
    }
  } finally {
    iterator.return?.()?.catch(() => {});
  }
}
