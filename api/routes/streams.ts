import { followEvents } from '../http/event-stream.ts';
import { flag } from '../http/query.ts';
import {
  type ApiOptions,
  findProgram,
  type RouteContext,
  type Routes,
  sendBytes,
  sendJson,
} from '../http/route.ts';
import { isHead, sendStream } from '../http/send-stream.ts';
import { BUILD_QUERY, getBuildLog, getBuilds } from './build-data.ts';
import { getLogs, LOGS_QUERY } from './logs.ts';

const HEARTBEAT_MS = 15_000;
const FOLLOW = { GET: { query: ['follow'] } };

/** Logs, build logs and events: whole, or as they come. */
export function addStreamRoutes(routes: Routes, options: ApiOptions): void {
  const heartbeatMs = options.heartbeatMs ?? HEARTBEAT_MS;
  const logs = { GET: (context: RouteContext) => getLogs(context, heartbeatMs) };
  routes.add('/programs/:id/logs', logs, { GET: { query: LOGS_QUERY } });
  const build = { GET: (context: RouteContext) => getBuildLog(context, heartbeatMs) };
  routes.add('/programs/:id/build-log', build, { GET: { query: BUILD_QUERY } });
  routes.add('/programs/:id/builds', { GET: getBuilds });
  routes.add('/programs/:id/events', { GET: (context) => getEvents(context, heartbeatMs) }, FOLLOW);
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
