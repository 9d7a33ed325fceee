import { AppError } from '../../schemas/errors.ts';
import type { ApiDeps } from '../deps.ts';
import { errorAnswer } from '../errors.ts';
import { type RouteContext, type Routes, sendBytes, sendError, sendJson } from '../http/route.ts';

/** The host itself: health, metrics, the description of this API, and the confirmation of a paused pruning. */
export function addSystemRoutes(routes: Routes, deps: ApiDeps): void {
  let openapi: Buffer | undefined;

  routes.add('/healthz', { GET: () => sendJson({ status: 'ok' }) });
  routes.add('/readyz', {
    GET: () => {
      const { ready, reason, message, warnings } = deps.health();
      if (ready) return sendJson({ status: 'ready', warnings });
      const details = warnings.map((warning) => ({ path: '', message: warning }));
      return sendError(errorAnswer(503, `${reason}: ${message}`, { details }));
    },
  });
  routes.add('/metrics', {
    GET: async () => {
      const { contentType, body } = await deps.metrics();
      return sendBytes(body, contentType);
    },
  });
  routes.add('/openapi.json', {
    GET: () => {
      openapi ??= Buffer.from(JSON.stringify(deps.openapi()));
      return sendBytes(openapi, 'application/json');
    },
  });
  routes.add('/host', { GET: async () => sendJson(await deps.host()) });
  const prune = async ({ c }: RouteContext) => {
    const programs = await deps.programs.confirmPrune(pruneOnly(c.req.query('only')));
    return sendJson({ message: 'prune confirmed', programs });
  };
  routes.add('/registry/prune', { POST: prune }, { POST: { query: ['only'] } });
}

function pruneOnly(value: string | undefined): 'programs' | 'strays' | undefined {
  if (value === undefined || value === 'programs' || value === 'strays') return value;
  throw new AppError('BadRequest', `only must be programs or strays`, { hint: 'leave it out for both' });
}
