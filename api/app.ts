/** Where the rooms of the API meet: `routes/`, one file a topic, behind the rules that `http/` has for all of them. */

import { Hono } from 'hono';
import { createGate, type Gate } from './access/gate.ts';
import type { ApiDeps } from './deps.ts';
import { answerFor, unknownRoute } from './errors.ts';
import type { ApiEnv } from './http/env.ts';
import { type ApiOptions, createRoutes, sendError } from './http/route.ts';
import { addDocsRoutes } from './routes/docs.ts';
import { addExecRoutes } from './routes/exec.ts';
import { createFeed } from './routes/feed.ts';
import { addHookRoutes } from './routes/hooks.ts';
import { addLifecycleRoutes } from './routes/lifecycle.ts';
import { addManifestRoutes } from './routes/manifest.ts';
import { addPageRoutes } from './routes/page.ts';
import { addPauseRoutes } from './routes/pauses.ts';
import { createPlainAnswers, type PlainAnswers } from './routes/plain.ts';
import { addProgramRoutes } from './routes/programs.ts';
import { addRevisionRoutes } from './routes/revisions.ts';
import { addSandboxRoutes } from './routes/sandbox.ts';
import { addSessionRoutes } from './routes/session.ts';
import { addStateRoutes } from './routes/state.ts';
import { addStreamRoutes } from './routes/streams.ts';
import { addSystemRoutes } from './routes/system.ts';
import { addUsageRoutes } from './routes/usage.ts';
import { createViewCache } from './routes/view.ts';

/** The routes, and what answers some of them before it comes to that. */
export type Api = Hono<ApiEnv> & { plain: PlainAnswers; gate: Gate };

/**
 * All routes but the proxy, which is raw (`proxy/proxy.ts`). Testable through `app.request()`; `server.ts` puts it
 * behind a socket, where `http/guard.ts` stands in front of it.
 */
export function createApi(deps: ApiDeps, options: ApiOptions = {}): Api {
  const app = new Hono<ApiEnv>({ getPath: rawPath });
  const routes = createRoutes(app, deps, options);
  const views = createViewCache(deps.programs);
  const gate = createGate(deps);
  addProgramRoutes(routes, deps, views);
  addLifecycleRoutes(routes);
  addExecRoutes(routes, options);
  addPauseRoutes(routes);
  addStateRoutes(routes);
  addRevisionRoutes(routes);
  addStreamRoutes(routes, options, createFeed(deps.programs, views, deps.now));
  addManifestRoutes(routes);
  addSystemRoutes(routes, deps);
  addDocsRoutes(routes, deps);
  addHookRoutes(routes, deps);
  addUsageRoutes(routes, deps);
  addSandboxRoutes(routes);
  addSessionRoutes(routes, gate);
  addPageRoutes(routes, options.pageFolder);

  app.notFound((c) => errorResponse(unknownRoute(c.req.method, c.req.path), c.req.method, c.req.path));
  app.onError((error, c) => errorResponse(error, c.req.method, c.req.path));
  return Object.assign(app, { plain: createPlainAnswers(deps, views), gate });

  function errorResponse(error: Error, method: string, path: string): Response {
    return sendError(answerFor(error, deps.log, `${method} ${path}`));
  }
}

/**
 * The path of a URL as it came, but for one slash at its end, which many clients add. Hono's own decodes it before routing and the parameters once more, so that
 * `%2541` would name the program `A`.
 */
function rawPath(request: Request): string {
  const { url } = request;
  const start = url.indexOf('/', url.indexOf('://') + 3);
  if (start === -1) return '/';
  let end = start;
  for (; end < url.length; end++) {
    const char = url.charCodeAt(end);
    if (char === 63 || char === 35) break;
  }
  const isSlashLast = end - start > 1 && url.charCodeAt(end - 1) === 47;
  return url.slice(start, isSlashLast ? end - 1 : end);
}
