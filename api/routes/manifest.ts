import { AppError } from '../../schemas/errors.ts';
import { NAME_PATTERN } from '../../schemas/program.ts';
import { seesUser } from '../../schemas/token.ts';
import type { ApiDeps } from '../deps.ts';
import { programNotFound } from '../errors.ts';
import { listed, quoted } from '../http/etags.ts';
import { flag } from '../http/query.ts';
import { programName, type RouteContext, type Routes, sendBytes, sendJson, whoAsks } from '../http/route.ts';
import { refuseForeignManifest, refuseLeftName } from './own-user.ts';
import { noteOf } from './pauses.ts';

/** The manifest as text, read and written whole, never over what the writer has not seen. */
export function addManifestRoutes(routes: Routes): void {
  const takes = { PUT: { body: 'yaml', query: ['dry_run'] } } as const;
  routes.add('/programs/:id/manifest', { GET: getManifest, PUT: putManifest }, takes);
  routes.add('/validate', { POST: validate }, { POST: { body: 'yaml' } });
}

function validate({ deps, body }: RouteContext): Response {
  const { name, problems } = deps.validate(body);
  return sendJson({ valid: problems.length === 0, name, problems });
}

function getManifest({ c, deps }: RouteContext): Response {
  const name = programName(c);
  const manifest = deps.programs.manifest(name);
  if (manifest === undefined) throw programNotFound(name);
  const headers = { ETag: quoted(manifest.etag) };
  if (listed(c.req.header('If-None-Match') ?? '', manifest.etag, true)) {
    return new Response(null, { status: 304, headers });
  }
  return sendBytes(manifest.text, 'application/yaml', 200, headers);
}

async function putManifest({ c, deps, body }: RouteContext): Promise<Response> {
  const name = c.req.param('id') ?? '';
  if (!NAME_PATTERN.test(name)) {
    throw new AppError('BadRequest', `${JSON.stringify(name)} can not be the name of a program`, {
      hint: `names match ${NAME_PATTERN.source}`,
    });
  }
  const who = whoAsks(c);
  refuseForeignManifest(who, deps.programs, name, body);
  refuseLeftName(who, deps.programs, name);
  const dryRun = flag(c, 'dry_run');
  const ifMatch = c.req.header('If-Match');
  const current = deps.programs.manifest(name)?.etag;
  const etag = ifMatch === undefined ? null : matchOrRefuse(ifMatch, current);
  if (dryRun) return sendJson(await deps.dryRun(name, body, (userId) => seesUser(who, userId)));

  if (etag === null && current !== undefined) throw mustMatch();
  const done = await put(deps, name, body, etag);
  return sendJson(
    {
      program_id: name,
      created: done.created,
      message: done.created ? 'program created' : 'manifest replaced',
      ...noteOf(deps, name),
    },
    done.created ? 201 : 200,
    { ETag: quoted(done.etag) },
  );
}

async function put(
  deps: ApiDeps,
  name: string,
  text: string,
  etag: string | null,
): Promise<{ etag: string; created: boolean }> {
  try {
    return await deps.programs.putManifest(name, text, etag);
  } catch (error) {
    // Somebody created it between our look and the write: the same refusal as if they had come a moment earlier.
    const raced = etag === null && error instanceof AppError && error.reason === 'Conflict';
    if (raced && deps.programs.manifest(name) !== undefined) throw mustMatch();
    throw error;
  }
}

function matchOrRefuse(ifMatch: string, current: string | undefined): string {
  if (current !== undefined && listed(ifMatch, current, false)) return current;
  const what = current === undefined ? 'there is no manifest yet' : 'the manifest has changed since';
  throw new AppError('PreconditionFailed', `If-Match does not hold: ${what}`, {
    hint:
      current === undefined
        ? 'leave If-Match out to create it'
        : 'GET it again, repeat the edit and send its ETag as If-Match',
  });
}

function mustMatch(): AppError {
  return new AppError('PreconditionFailed', 'the manifest exists; If-Match is required to replace it', {
    hint: 'GET it, edit it and send its ETag as If-Match',
  });
}
