/** The room of HTTP: what every request has to pass and every answer looks like, whatever the route. */

import type { Context, Hono } from 'hono';
import { BODY_BYTES_MAX } from '../../schemas/body-limit.ts';
import { NAME_PATTERN } from '../../schemas/program.ts';
import { seesUser, type Who } from '../../schemas/token.ts';
import { whoSends } from '../access/who.ts';
import type { ApiDeps } from '../deps.ts';
import { type ErrorAnswer, errorAnswer, OWN_HEADERS, programNotFound } from '../errors.ts';
import type { ProgramView } from '../program-answers.ts';
import { type BodyKind, readBody } from './body.ts';
import { createBodyRoom } from './body-room.ts';
import type { ApiEnv } from './env.ts';
import { refuseUnknownQuery } from './query.ts';

export interface ApiOptions {
  /** Largest request body, in bytes. Default 32 MiB. */
  bodyBytesMax?: number;
  /** Of all bodies at a time, in bytes. Default 128 MiB. */
  bodiesBytesMax?: number;
  /** Pause between the comments that keep an idle event stream open, in milliseconds. Default 15 s. */
  heartbeatMs?: number;
  /** Where the built page lies. Default `api/ui/dist/`. */
  pageFolder?: string | undefined;
}

export interface RouteContext {
  c: Context<ApiEnv>;
  deps: ApiDeps;
  /** The request body as text, `''` where there is none. */
  body: string;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
export type Handler = (context: RouteContext) => Response | Promise<Response>;

/** What a method of a route takes beside its path. */
export interface Takes {
  /** Default JSON; `unread`: the handler reads it. */
  body?: BodyKind | 'unread';
  /** Parameters of the query; any other is refused. `any`: what they mean is not the host's to say. */
  query?: readonly string[] | 'any';
}

export interface Routes {
  /** All methods of a path at once: a method without a handler is 405 with `Allow`. HEAD goes with GET. */
  add(path: string, handlers: Partial<Record<Method, Handler>>, takes?: Partial<Record<Method, Takes>>): void;
}

/** Of a body that nobody known sends, in bytes: a token and what stands around it. It takes no place of others. */
const STRANGERS_BYTES_MAX = 4_096;

/** Puts the rules that all own routes share (methods, bodies) in front of their handlers. */
export function createRoutes(app: Hono<ApiEnv>, deps: ApiDeps, options: ApiOptions): Routes {
  const bytesMax = options.bodyBytesMax ?? BODY_BYTES_MAX;
  const room = createBodyRoom(options.bodiesBytesMax);
  return {
    add(path, handlers, takes = {}) {
      const allowed: string[] = [];
      for (const [method, handle] of Object.entries(handlers) as [Method, Handler][]) {
        allowed.push(method);
        if (method === 'GET') allowed.push('HEAD');
        const { body: kind = 'json', query = [] } = takes[method] ?? {};
        app.on(method, path, async (c) => {
          if (query !== 'any') refuseUnknownQuery(c.req.url, query);
          if (kind === 'unread') return handle({ c, deps, body: '' });
          const isStranger = deps.access !== undefined && whoAsks(c) === undefined;
          if (isStranger) return handle({ c, deps, body: await readBody(c, kind, STRANGERS_BYTES_MAX) });
          const place = room.enter();
          try {
            const body = await readBody(c, kind, bytesMax, place.take);
            return await handle({ c, deps, body });
          } finally {
            place.leave();
          }
        });
      }
      const allow = allowed.join(', ');
      app.all(path, (c) => {
        const answer = errorAnswer(405, `${c.req.method} is not served here`, {
          hint: `this route takes ${allow}`,
        });
        return sendError(answer, { Allow: allow });
      });
    },
  };
}

/** A JSON answer of any value. */
export function sendJson(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return sendBytes(JSON.stringify(body), 'application/json', status, headers);
}

/** An error, as every route tells it. */
export function sendError({ body, status }: ErrorAnswer, headers: Record<string, string> = {}): Response {
  return sendBytes(body, 'application/json', status, headers);
}

/** An answer of known length: text, or bytes already in UTF-8. */
export function sendBytes(
  body: string | Uint8Array,
  contentType: string,
  status = 200,
  headers: Record<string, string> = {},
): Response {
  return new Response(body as ConstructorParameters<typeof Response>[0], {
    status,
    headers: { ...OWN_HEADERS, ...headers, 'Content-Type': contentType },
  });
}

/** Who sends the request; undefined where nobody is asked. That they may was decided before, see `access/gate.ts`. */
export function whoAsks(c: Context<ApiEnv>): Who | undefined {
  return whoSends(c.env?.incoming);
}

/** Whether who asks may know of that program. */
export function maySee(c: Context<ApiEnv>): (program: ProgramView | undefined) => boolean {
  const who = whoAsks(c);
  if (who?.role !== 'user') return () => true;
  return (program) => program !== undefined && seesUser(who, program.owner);
}

/** The `{id}` of the path, decoded once; `NotFound` where it can not name a program. */
export function programName(c: Context<ApiEnv>): string {
  const name = c.req.param('id') ?? '';
  if (!NAME_PATTERN.test(name)) throw programNotFound(name);
  return name;
}

/** The program the path names, or `NotFound`. */
export function findProgram(c: Context<ApiEnv>, deps: ApiDeps): ProgramView {
  const name = programName(c);
  const view = deps.programs.get(name);
  if (view === undefined) throw programNotFound(name);
  return view;
}
