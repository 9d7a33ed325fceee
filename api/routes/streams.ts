import type { Context } from 'hono';
import { AppError } from '../../schemas/errors.ts';
import { timestamp } from '../../schemas/program.ts';
import { OWN_HEADERS } from '../errors.ts';
import type { ApiEnv } from '../http/env.ts';
import { followEvents } from '../http/event-stream.ts';
import {
  type ApiOptions,
  findProgram,
  flag,
  type RouteContext,
  type Routes,
  sendBytes,
  sendJson,
} from '../http/route.ts';
import { byteStream, readText } from '../http/streams.ts';

/** Lines of `GET …/logs` where `tail` does not say. */
const TAIL_DEFAULT = 200;
/** More lines than an engine keeps of a program. */
const TAIL_MAX = 999_999_999;
const HEARTBEAT_MS = 15_000;
const PLAIN = 'text/plain; charset=utf-8';

/** Logs, build logs and events: whole, or as they come. */
export function addStreamRoutes(routes: Routes, options: ApiOptions): void {
  const heartbeatMs = options.heartbeatMs ?? HEARTBEAT_MS;
  routes.add('/programs/:id/logs', { GET: getLogs });
  routes.add('/programs/:id/build-log', { GET: getBuildLog });
  routes.add('/programs/:id/events', { GET: (context) => getEvents(context, heartbeatMs) });
}

async function getLogs(context: RouteContext): Promise<Response> {
  const { c, deps } = context;
  const { name } = findProgram(c, deps);
  const tail = parseTail(c.req.query('tail'));
  const sinceSeconds = parseSince(c.req.query('since'), deps.now());
  const follow = flag(c, 'follow');
  if (follow && isHead(c)) return sendBytes('', PLAIN);

  const abort = new AbortController();
  // Before there is a stream to be cancelled, only the request itself tells that the client is gone.
  const signal = AbortSignal.any([abort.signal, c.req.raw.signal]);
  const { containerId, stream } = await deps.logs(name, { tail, sinceSeconds, follow, signal });
  if (follow) return sendStream(context, name, stream, abort, PLAIN);
  const logs = await readText(stream);
  return sendJson({ program_id: name, container_id: containerId, logs, timestamp: timestamp(deps.now()) });
}

async function getBuildLog(context: RouteContext): Promise<Response> {
  const { c, deps } = context;
  const { name } = findProgram(c, deps);
  if (flag(c, 'follow')) {
    if (isHead(c)) return sendBytes('', PLAIN);
    const abort = new AbortController();
    const log = deps.programs.followBuildLog(name, abort.signal);
    return sendStream(context, name, log, abort, PLAIN);
  }
  const { buildId, log } = await deps.programs.buildLog(name);
  return sendJson({ program_id: name, build_id: buildId, log });
}

async function getEvents(context: RouteContext, heartbeatMs: number): Promise<Response> {
  const { c, deps } = context;
  const { name } = findProgram(c, deps);
  if (!flag(c, 'follow')) return sendJson({ events: await deps.programs.events(name) });
  const type = 'text/event-stream';
  if (isHead(c)) return sendBytes('', type);
  const abort = new AbortController();
  const lastId = c.req.header('Last-Event-ID');
  const events = followEvents(deps.programs, name, { signal: abort.signal, lastId, heartbeatMs });
  return sendStream(context, name, events, abort, type);
}

/** HEAD runs the GET handler and drops its body, which would leave a stream open that nobody reads. */
function isHead(c: Context<ApiEnv>): boolean {
  return c.req.raw.method === 'HEAD';
}

/** @param abort fires when the client goes away */
function sendStream(
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

/** Lines from the end: a whole number, or `all`. */
function parseTail(value: string | undefined): number | 'all' {
  if (value === undefined || value === '') return TAIL_DEFAULT;
  if (value === 'all') return 'all';
  if (!/^[0-9]+$/.test(value)) {
    throw new AppError('BadRequest', `tail must be a whole number of lines, or "all"`, {
      hint: `e.g. tail=${TAIL_DEFAULT}`,
    });
  }
  return Math.min(Number(value), TAIL_MAX);
}

const UNIT_SECONDS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };
const DURATION = /^(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d))+$/;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+-]\d{2}:\d{2})?)?$/;

/** A time or how long ago, as `docker logs --since` takes it, in epoch seconds; 0 where absent. `nowMs`: epoch. */
export function parseSince(value: string | undefined, nowMs: number): number {
  if (value === undefined || value === '') return 0;
  if (/^[0-9]{1,12}(?:\.[0-9]{1,9})?$/.test(value)) return Number(value);
  if (DURATION.test(value)) {
    let seconds = 0;
    for (const [, count, unit] of value.matchAll(/([0-9.]+)(ms|s|m|h|d)/g)) {
      seconds += Number(count) * (UNIT_SECONDS[unit ?? ''] ?? 0);
    }
    return Math.max(0, nowMs / 1000 - seconds);
  }
  if (DATE_TIME.test(value)) {
    const zoned = /[Zz]|[+-]\d{2}:\d{2}$/.test(value.slice(10)) || value.length === 10;
    const ms = Date.parse(zoned ? value : `${value}Z`);
    // A day that no month has is read as one of the next.
    const isDay =
      Number.isFinite(ms) && new Date(`${value.slice(0, 10)}Z`).toISOString().startsWith(value.slice(0, 10));
    if (isDay) return Math.max(0, ms / 1000);
  }
  throw new AppError('BadRequest', 'since must be a time (RFC 3339 or epoch seconds) or a duration', {
    hint: 'e.g. since=2026-11-22T10:00:00Z, since=1795341600 or since=10m; encode a + as %2B',
  });
}
