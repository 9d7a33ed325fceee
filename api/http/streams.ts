/** All of a stream as text: UTF-8 decoded over the seams between chunks, anything else shown as U+FFFD. */
export async function readText(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let text = '';
  for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

/**
 * An answer's body that takes from `source` as fast as the client reads. When the client goes away, `abort` fires
 * and the source is let go. A source that fails breaks the answer off, so that it does not look whole; `onError`
 * gives true where it has done so itself.
 */
export function byteStream(
  source: AsyncIterable<Uint8Array>,
  abort: AbortController,
  onError: (error: unknown) => boolean,
): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          for (;;) {
            const { done, value } = await iterator.next();
            if (abort.signal.aborted) return;
            if (done === true) return controller.close();
            if (value.byteLength === 0) continue;
            return controller.enqueue(value);
          }
        } catch (error) {
          if (abort.signal.aborted) return;
          if (onError(error)) controller.close();
          else controller.error(error);
        }
      },
      cancel() {
        abort.abort();
        // Not awaited: a generator that hangs in its own await takes the return only when that ends.
        iterator.return?.()?.catch(() => {});
      },
    },
    { highWaterMark: 0 },
  );
}
