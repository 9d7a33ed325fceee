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
import { isHead, PLAIN, sendStream } from '../http/send-stream.ts';
import { getLogs, LOGS_QUERY } from './logs.ts';

const HEARTBEAT_MS = 15_000;
const FOLLOW = { GET: { query: ['follow'] } };

/** Logs, build logs and events: whole, or as they come. */
export function addStreamRoutes(routes: Routes, options: ApiOptions): void {
  const heartbeatMs = options.heartbeatMs ?? HEARTBEAT_MS;
  routes.add('/programs/:id/logs', { GET: getLogs }, { GET: { query: LOGS_QUERY } });
  routes.add('/programs/:id/build-log', { GET: getBuildLog }, FOLLOW);
  routes.add('/programs/:id/events', { GET: (context) => getEvents(context, heartbeatMs) }, FOLLOW);
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
