import type { Context } from 'hono';
import { OWN_HEADERS } from '../errors.ts';
import type { ApiEnv } from './env.ts';
import type { RouteContext } from './route.ts';
import { byteStream } from './streams.ts';

export const PLAIN = 'text/plain; charset=utf-8';
export const EVENT_STREAM = 'text/event-stream';

/** HEAD runs the GET handler and drops its body, which would leave a stream open that nobody reads. */
export function isHead(c: Context<ApiEnv>): boolean {
  return c.req.raw.method === 'HEAD';
}

/**
 * Sends what comes, as fast as the client reads.
 * @param abort fires when the client goes away
 */
export function sendStream(
  { c, deps }: RouteContext,
  program: string,
  source: AsyncIterable<Uint8Array>,
  abort: AbortController,
  contentType: string,
): Response {
  const stream = byteStream(source, abort, (err) => {
    deps.log.warn({ err, program }, 'a stream to a client broke off');
    // Cut here where there is a connection: node-server would print the error past our log.
    c.env?.outgoing?.destroy();
    return c.env?.outgoing !== undefined;
  });
  return new Response(stream, { headers: { ...OWN_HEADERS, 'Content-Type': contentType } });
}
