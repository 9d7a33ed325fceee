import { AppError } from '../../schemas/errors.ts';
import { timestamp } from '../../schemas/program.ts';
import { followEvents } from '../http/event-stream.ts';
import { flag } from '../http/query.ts';
import {
  type ApiOptions,
  findProgram,
  type RouteContext,
  type Routes,
  sendBytes,
  sendJson,
  whoAsks,
} from '../http/route.ts';
import { EVENT_STREAM, isHead, sendStream } from '../http/send-stream.ts';
import { BUILD_QUERY, getBuildLog, getBuilds } from './build-data.ts';
import { eventBody, type Feed } from './feed.ts';
import { viewFor } from './feed-view.ts';
import { getLogs, LOGS_QUERY, parseTail, TAIL_DEFAULT } from './logs.ts';

const HEARTBEAT_MS = 15_000;
const FOLLOW = { GET: { query: ['follow'] } };

/** Logs, build logs and events: whole, or as they come. */
export function addStreamRoutes(routes: Routes, options: ApiOptions, feed: Feed): void {
  const heartbeatMs = options.heartbeatMs ?? HEARTBEAT_MS;
  routes.add(
    '/events',
    { GET: (context) => getAllEvents(context, feed, heartbeatMs) },
    { GET: { query: ['follow', 'tail'] } },
  );
  const logs = { GET: (context: RouteContext) => getLogs(context, heartbeatMs) };
  routes.add('/programs/:id/logs', logs, { GET: { query: LOGS_QUERY } });
  const build = { GET: (context: RouteContext) => getBuildLog(context, heartbeatMs) };
  routes.add('/programs/:id/build-log', build, { GET: { query: BUILD_QUERY } });
  routes.add('/programs/:id/builds', { GET: getBuilds });
  routes.add('/programs/:id/events', { GET: (context) => getEvents(context, heartbeatMs) }, FOLLOW);
}

/** Of all programs. */
async function getAllEvents(context: RouteContext, feed: Feed, heartbeatMs: number): Promise<Response> {
  const { c, deps } = context;
  const wanted = c.req.query('tail');
  if (!flag(c, 'follow')) {
    const tail = parseTail(wanted, TAIL_DEFAULT);
    const kept = (await deps.programs.eventsSince(timestamp(0))).filter(
      viewFor(whoAsks(c), deps.programs).hasEvent,
    );
    const shown = tail === 'all' ? kept : kept.slice(Math.max(0, kept.length - tail));
    return sendJson({ events: shown.map(({ name, event }) => eventBody(name, event)) });
  }
  if (wanted !== undefined)
    throw new AppError(
      'BadRequest',
      'follow and tail do not go together: Last-Event-ID says where it goes on',
    );
  if (isHead(c)) return sendBytes('', EVENT_STREAM);
  const abort = new AbortController();
  const told = feed.follow(c.req.header('Last-Event-ID'), {
    ...{ signal: abort.signal, heartbeatMs },
    who: whoAsks(c),
  });
  return sendStream(context, '', told, abort, EVENT_STREAM);
}

async function getEvents(context: RouteContext, heartbeatMs: number): Promise<Response> {
  const { c, deps } = context;
  const { name } = findProgram(c, deps);
  if (!flag(c, 'follow')) return sendJson({ events: await deps.programs.events(name) });
  if (isHead(c)) return sendBytes('', EVENT_STREAM);
  const abort = new AbortController();
  const lastId = c.req.header('Last-Event-ID');
  const events = followEvents(deps.programs, name, { signal: abort.signal, lastId, heartbeatMs });
  return sendStream(context, name, events, abort, EVENT_STREAM);
}
