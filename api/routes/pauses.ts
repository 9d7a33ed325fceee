import { AppError } from '../../schemas/errors.ts';
import { describePaused, type PauseAsked } from '../../schemas/pause.ts';
import type { ApiDeps } from '../deps.ts';
import { jsonObject, refuseUnknown } from '../http/json-body.ts';
import { findProgram, programName, type RouteContext, type Routes, sendJson } from '../http/route.ts';

const HINT = 'send {"by": "who", "why": "what for"}, or no body';
const CHARACTERS_MAX = 200;
/** What would break a line, or paint it, where it is read. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/** The host leaves a program alone, or all of them, while somebody looks. */
export function addPauseRoutes(routes: Routes): void {
  routes.add('/programs/:id/pause', { POST: pauseProgram });
  routes.add('/programs/:id/resume', { POST: resumeProgram });
  routes.add('/host/pause', { POST: pauseHost });
  routes.add('/host/resume', { POST: resumeHost });
}

/** What an answer says beside the rest, of a wish that waits: empty where nothing holds it. */
export function noteOf({ pauses }: Pick<ApiDeps, 'pauses'>, name: string): { note?: string } {
  const paused = pauses.of(name);
  if (paused === undefined) return {};
  const note = `${describePaused(paused)}; this is taken down, and done after POST ${resumeOf({ pauses }, name)}`;
  return { note };
}

/** The route that ends what holds the program. */
export function resumeOf({ pauses }: Pick<ApiDeps, 'pauses'>, name: string): string {
  return pauses.of(name)?.of === 'host' ? '/host/resume' : `/programs/${name}/resume`;
}

async function pauseProgram({ c, deps, body }: RouteContext): Promise<Response> {
  const { name } = findProgram(c, deps);
  const { pause, changed } = await deps.pauses.pause(name, askedIn(body));
  const message = changed ? 'program paused' : 'program is paused already';
  return sendJson({ program_id: name, message, paused: { ...pause, of: 'program' } });
}

async function resumeProgram({ c, deps, body }: RouteContext): Promise<Response> {
  const name = programName(c);
  const stood = await deps.pauses.resume(name, askedIn(body).by);
  const message = stood === undefined ? 'program is not paused' : 'program resumed';
  return sendJson({ program_id: name, message, paused: deps.pauses.of(name) ?? null });
}

async function pauseHost({ deps, body }: RouteContext): Promise<Response> {
  const { pause, changed } = await deps.pauses.pause(undefined, askedIn(body));
  const message = changed ? 'host paused' : 'host is paused already';
  return sendJson({ message, paused: pause, programs: namesOf(deps) });
}

async function resumeHost({ deps, body }: RouteContext): Promise<Response> {
  const stood = await deps.pauses.resume(undefined, askedIn(body).by);
  const message = stood === undefined ? 'host is not paused' : 'host resumed';
  return sendJson({ message, paused: null, programs: namesOf(deps) });
}

const namesOf = ({ pauses }: ApiDeps): string[] => pauses.named().map(([name]) => name);

function askedIn(body: string): PauseAsked {
  const fields = jsonObject(body, HINT);
  refuseUnknown(fields, ['by', 'why'], HINT);
  return { by: textOf(fields, 'by'), why: textOf(fields, 'why') };
}

function textOf(fields: Record<string, unknown>, name: string): string {
  const value = fields[name] ?? '';
  if (typeof value !== 'string' || UNPRINTABLE.test(value) || value.length > CHARACTERS_MAX) {
    throw new AppError('BadRequest', `${name} must be one line of at most ${CHARACTERS_MAX} characters`);
  }
  return value.trim();
}
