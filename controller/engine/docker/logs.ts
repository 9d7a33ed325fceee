import type { IncomingMessage } from 'node:http';
import type { LogOptions } from '../engine.ts';
import { type Connection, openStream } from './client.ts';
import { engineError, statusOf } from './errors.ts';

/** stream type, three zero bytes, length (big-endian) */
const HEADER_BYTES = 8;

/** A container's output. The socket lives until the stream is read to its end, left, or the signal fires. */
export async function readLogs(
  connection: Connection,
  id: string,
  options: LogOptions,
): Promise<AsyncIterable<Uint8Array>> {
  const { signal } = options;
  if (signal.aborted) return nothing();
  let body: IncomingMessage;
  try {
    body = await openStream(
      // What follows may be silent for as long as the program is; what is there comes at once.
      options.follow ? connection.patient : connection.look,
      `/containers/${id}/logs`,
      {
        stdout: true,
        stderr: true,
        follow: options.follow,
        tail: String(options.tail),
        ...(options.sinceSeconds > 0 ? { since: options.sinceSeconds } : {}),
      },
      signal,
    );
  } catch (error) {
    // 409: it is being removed.
    if (signal.aborted || statusOf(error) === 404 || statusOf(error) === 409) return nothing();
    throw engineError(error, 'InternalError');
  }
  // The signal must free the socket of a stream that nobody ever reads, too.
  body.on('error', () => {});
  const stop = (): void => void body.destroy();
  signal.addEventListener('abort', stop, { once: true });
  body.once('close', () => signal.removeEventListener('abort', stop));
  return payloads(body, signal);
}

async function* payloads(body: IncomingMessage, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* demultiplex(body);
  } catch (error) {
    if (!signal.aborted) throw engineError(error, 'InternalError');
  } finally {
    body.destroy();
  }
}

/** Takes Docker's framing off, in order, both streams; never holds more than one chunk. */
export async function* demultiplex(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const header = Buffer.alloc(HEADER_BYTES);
  let headerBytes = 0;
  let left = 0;
  for await (const chunk of chunks) {
    let at = 0;
    while (at < chunk.length) {
      if (left > 0) {
        const piece = chunk.subarray(at, at + left);
        at += piece.length;
        left -= piece.length;
        yield piece;
        continue;
      }
      const piece = chunk.subarray(at, at + HEADER_BYTES - headerBytes);
      header.set(piece, headerBytes);
      headerBytes += piece.length;
      at += piece.length;
      if (headerBytes === HEADER_BYTES) {
        left = header.readUInt32BE(4);
        headerBytes = 0;
      }
    }
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
