import type { Context } from 'hono';
import { AppError } from '../../schemas/errors.ts';
import type { ApiEnv } from './env.ts';

const LINE_FEED = 10;

/**
 * The body of a request line by line, as it comes, and no faster than it is read; empty ones are left out. Throws
 * `PayloadTooLarge` for a line over the limit. What is left of the body is not read, and the connection stays.
 */
export async function* bodyLines(c: Context<ApiEnv>, bytesMax: number): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(c)) {
    let at = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, at)) {
      const line = Buffer.concat([...rest, chunk.subarray(at, end)]);
      [rest, bytes, at] = [[], 0, end + 1];
      if (line.length > bytesMax) throw tooLong(bytesMax);
      if (line.length > 0) yield line;
    }
    bytes += chunk.length - at;
    if (bytes > bytesMax) throw tooLong(bytesMax);
    if (at < chunk.length) rest.push(Buffer.from(chunk.subarray(at)));
  }
  if (bytes > 0) yield Buffer.concat(rest);
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
