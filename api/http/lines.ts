import type { Context } from 'hono';
import { byteLines } from '../../schemas/byte-lines.ts';
import { AppError } from '../../schemas/errors.ts';
import type { ApiEnv } from './env.ts';

/**
 * The body of a request line by line, as it comes, and no faster than it is read; empty ones are left out. Throws
 * `PayloadTooLarge` for a line over the limit. What is left of the body is not read, and the connection stays.
 */
export async function* bodyLines(c: Context<ApiEnv>, bytesMax: number): AsyncGenerator<Buffer> {
  const last = yield* byteLines(chunksOf(c), { bytesMax, tooLong: () => tooLong(bytesMax) });
  if (last.length > 0) yield last;
}

function chunksOf(c: Context<ApiEnv>): AsyncIterable<Uint8Array> {
  const incoming = c.env?.incoming;
  // Destroyed, it would take the answer with it.
  if (incoming !== undefined) return incoming.iterator({ destroyOnReturn: false });
  return (c.req.raw.body ?? []) as AsyncIterable<Uint8Array>;
}

function tooLong(bytesMax: number): AppError {
  return new AppError('PayloadTooLarge', `a line of the body is over the limit of ${bytesMax} bytes`);
}
