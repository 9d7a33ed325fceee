import { AppError } from '../../schemas/errors.ts';
import { chunksOf } from '../http/body.ts';
import { findProgram, programName, type RouteContext, type Routes, sendJson } from '../http/route.ts';
import { isHead, sendStream } from '../http/send-stream.ts';
import { noteOf } from './pauses.ts';

const TAR = 'application/x-tar';

/** What a program keeps in `/state`, out and in. */
export function addStateRoutes(routes: Routes): void {
  routes.add('/programs/:id/state', { GET: readState, PUT: putState }, { PUT: { body: 'unread' } });
}

async function readState(context: RouteContext): Promise<Response> {
  const { c, deps } = context;
  const name = programName(c);
  const abort = new AbortController();
  if (isHead(c)) return new Response(null, { headers: { 'Content-Type': TAR } });
  const content = await deps.state.read(name, abort.signal);
  return sendStream(context, name, content, abort, TAR);
}

async function putState({ c, deps }: RouteContext): Promise<Response> {
  const { name } = findProgram(c, deps);
  const type = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== TAR) {
    throw new AppError('UnsupportedMediaType', `the body has Content-Type ${JSON.stringify(type)}`, {
      hint: `send the header Content-Type: ${TAR}, and a tar without compression`,
    });
  }
  await deps.state.replace(name, chunksOf(c));
  return sendJson({ program_id: name, message: 'state replaced', ...noteOf(deps, name) });
}
