import type { Context } from 'hono';
import { AppError } from '../../schemas/errors.ts';
import { type LogCursor, type LogMessage, parseCursor } from '../../schemas/log-line.ts';
import { asEvents } from '../http/as-events.ts';
import type { ApiEnv } from '../http/env.ts';
import { flag } from '../http/query.ts';
import { findProgram, type RouteContext, sendBytes, sendJson } from '../http/route.ts';
import { EVENT_STREAM, isHead, sendStream } from '../http/send-stream.ts';
import type { LogPageRequest } from '../program-answers.ts';
import { parseSince } from './since.ts';

/** Lines of a page where neither `tail` nor `since` says how many. */
const LINES_DEFAULT = 200;
/** And the most that a page has. */
const LINES_MAX = 10_000;

/**
 * What the program printed as data: a page, or with `follow` server-sent events. They, and not lines of JSON, since a
 * browser comes back by itself with the id of the last one, as with `GET /programs/{id}/events`, and curl shows them
 * as they come.
 * @param heartbeatMs a comment is sent after so long without a line
 */
export async function getLogLines(context: RouteContext, heartbeatMs: number): Promise<Response> {
  const { c, deps } = context;
  const { name } = findProgram(c, deps);
  const isFollowed = flag(c, 'follow');
  const given = rangeOf(c, isFollowed, deps.now());
  const abort = new AbortController();
  // Before there is a stream to be cancelled, only the request itself tells that the client is gone.
  const request = { ...given, signal: AbortSignal.any([abort.signal, c.req.raw.signal]) };
  if (isFollowed) {
    if (isHead(c)) return sendBytes('', EVENT_STREAM);
    const messages = await deps.followLines(name, request);
    return sendStream(context, name, asEvents(framesOf(messages), heartbeatMs), abort, EVENT_STREAM);
  }
  const { containerId, ...page } = await deps.logPage(name, request);
  return sendJson({ program_id: name, container_id: containerId, ...page });
}

function rangeOf(c: Context<ApiEnv>, isFollowed: boolean, nowMs: number): Omit<LogPageRequest, 'signal'> {
  for (const key of ['timestamps', 'previous'])
    if (flag(c, key))
      throw new AppError('BadRequest', `${key} does not go with format=json`, { hint: HINTS[key] });
  const since = c.req.query('since') ?? '';
  const before = cursorIn('before', c.req.query('before'));
  const lastId = isFollowed ? c.req.header('Last-Event-ID') : undefined;
  // A client that comes back by itself asks for what it asked for first.
  const after = cursorIn('Last-Event-ID', lastId) ?? cursorIn('after', c.req.query('after'));
  if (before !== undefined && (after !== undefined || isFollowed)) {
    throw new AppError('BadRequest', 'before goes with neither after nor follow: it asks for older lines');
  }
  const fallback = since === '' && after === undefined ? LINES_DEFAULT : LINES_MAX;
  const tail = linesOf(c.req.query('tail'), fallback);
  return { tail, before, after, sinceNanos: parseSince(since, nowMs) };
}

const HINTS: Record<string, string> = {
  timestamps: 'Each line has its time.',
  previous: 'Each line tells its run; before=<id of the oldest line> gives what was printed before it.',
};

function linesOf(value: string | undefined, fallback: number): number {
  if (value === undefined || value === '') return fallback;
  if (value === 'all') return LINES_MAX;
  if (/^[0-9]+$/.test(value)) return Math.min(Number(value), LINES_MAX);
  throw new AppError('BadRequest', 'tail must be a whole number of lines, or "all"', {
    hint: `e.g. tail=${LINES_DEFAULT}; a page has at most ${LINES_MAX}`,
  });
}

function cursorIn(key: string, value: string | undefined): LogCursor | undefined {
  if (value === undefined || value === '') return undefined;
  const cursor = parseCursor(value);
  if (cursor !== undefined) return cursor;
  throw new AppError('BadRequest', `${key} must be the id of a line, or the before or after of a page`);
}

/** Only a line has an id: whoever comes back goes on behind the last one. */
async function* framesOf(messages: AsyncIterable<LogMessage>): AsyncGenerator<string> {
  for await (const { event, data } of messages) {
    const id = event === 'line' ? `id: ${data.id}\n` : '';
    yield `${id}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  }
}
