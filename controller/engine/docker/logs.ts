import type { IncomingMessage } from 'node:http';
import type { LogPiece } from '../../../schemas/log-piece.ts';
import type { LogOptions } from '../engine.ts';
import { type Connection, openStream } from './client.ts';
import { engineError, statusOf } from './errors.ts';
import { framesOf } from './frames.ts';

const SPACE = 32;

/** A container's output. The socket lives until the stream is read to its end, left, or the signal fires. */
export async function readLogs(
  connection: Connection,
  id: string,
  options: LogOptions,
): Promise<AsyncIterable<LogPiece>> {
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
        timestamps: true,
        ...(options.sinceNanos > 0n ? { since: sinceOf(options.sinceNanos) } : {}),
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

async function* payloads(body: IncomingMessage, signal: AbortSignal): AsyncGenerator<LogPiece> {
  try {
    yield* demultiplex(body);
  } catch (error) {
    if (!signal.aborted) throw engineError(error, 'InternalError');
  } finally {
    body.destroy();
  }
}

/** As the engine takes it: seconds with nine decimals, which a number could not hold. */
function sinceOf(nanos: bigint): string {
  return `${nanos / 1_000_000_000n}.${(nanos % 1_000_000_000n).toString().padStart(9, '0')}`;
}

/**
 * Takes Docker's framing off, in order, both streams; never holds more than one chunk. Each frame is a line, or 16 KiB
 * of a long one, behind its time and a space.
 */
export async function* demultiplex(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LogPiece> {
  /** What is known of the time of a frame; undefined behind it. */
  let time: string | undefined = '';
  for await (const { stream, bytes, isFirst } of framesOf(chunks)) {
    if (isFirst) time = '';
    const end = time === undefined ? 0 : bytes.indexOf(SPACE);
    if (end === -1) {
      time += Buffer.from(bytes).toString('latin1');
      continue;
    }
    const isNew = time !== undefined;
    const whole = isNew ? time + Buffer.from(bytes.subarray(0, end)).toString('latin1') : '';
    time = undefined;
    yield { stream, time: whole, bytes: isNew ? bytes.subarray(end + 1) : bytes };
  }
}

async function* nothing(): AsyncGenerator<LogPiece> {}
