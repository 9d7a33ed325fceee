import { AppError } from '../../schemas/errors.ts';
import { jsonObject, refuseUnknown } from '../http/json-body.ts';
import { findProgram, type RouteContext, type Routes, sendJson } from '../http/route.ts';
import { noteOf } from './pauses.ts';

/** What a program was before, and the way back. */
export function addRevisionRoutes(routes: Routes): void {
  routes.add('/programs/:id/revisions', { GET: listRevisions });
  routes.add('/programs/:id/revisions/:revision/files', { GET: listFiles });
  routes.add('/programs/:id/rollback', { POST: rollBack });
}

async function listRevisions({ c, deps }: RouteContext): Promise<Response> {
  const { name } = findProgram(c, deps);
  return sendJson({ program_id: name, revisions: await deps.programs.revisions(name) });
}

async function listFiles({ c, deps }: RouteContext): Promise<Response> {
  const { name } = findProgram(c, deps);
  const asked = c.req.param('revision') ?? '';
  if (!/^[1-9]\d{0,8}$/.test(asked)) throw new AppError('BadRequest', 'a revision is a whole number from 1');
  const files = await deps.programs.revisionFiles(name, Number(asked));
  return sendJson({ program_id: name, revision: Number(asked), files: files ?? null });
}

async function rollBack({ c, deps, body }: RouteContext): Promise<Response> {
  const { name, status } = findProgram(c, deps);
  const revision = await deps.programs.rollBack(name, revisionOf(body));
  const message = 'program rollback initiated';
  return sendJson({ program_id: name, state: status.state, message, revision, ...noteOf(deps, name) });
}

/** The number in `{"revision": n}`; undefined where the body is empty or names none. */
function revisionOf(body: string): number | undefined {
  const hint = 'send {"revision": 3}, or no body';
  const fields = jsonObject(body, hint);
  refuseUnknown(fields, ['revision'], hint);
  const { revision } = fields;
  if (revision === undefined) return undefined;
  if (typeof revision !== 'number' || !Number.isSafeInteger(revision) || revision < 1) {
    throw new AppError('BadRequest', 'revision must be a whole number from 1');
  }
  return revision;
}
