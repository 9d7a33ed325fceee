import { randomBytes } from 'node:crypto';
import { AppError } from '../../schemas/errors.ts';
import { PROGRAM_STATES, proxyUrl, timestamp } from '../../schemas/program.ts';
import { noteProgram } from '../access/who.ts';
import type { ApiDeps } from '../deps.ts';
import { varyBy } from '../http/accept.ts';
import {
  findProgram,
  maySee,
  type RouteContext,
  type Routes,
  sendBytes,
  sendJson,
  whoAsks,
} from '../http/route.ts';
import { parseCreate, parseSources } from './create-body.ts';
import { answerList } from './kept-list.ts';
import { refuseForeignUser } from './own-user.ts';
import { noteOf } from './pauses.ts';
import type { ViewCache } from './view.ts';

/** Creating, reading and deleting programs. */
export function addProgramRoutes(routes: Routes, deps: ApiDeps, views: ViewCache): void {
  const handlers = {
    GET: ({ c }: RouteContext) => {
      const userId = c.req.query('user_id') ?? '';
      const state = c.req.query('state') ?? '';
      const isOfAll = whoAsks(c)?.role !== 'user';
      if (isOfAll && userId === '' && state === '') return listAll(c, views);
      checkState(state);
      const chosen = deps.programs
        .list()
        .filter(maySee(c))
        .filter((view) => userId === '' || view.status.userId === userId)
        .filter((view) => state === '' || view.status.state === state);
      return sendBytes(views.some(chosen), 'application/json');
    },
    POST: createProgram,
  };
  routes.add('/programs', handlers, { GET: { query: ['user_id', 'state'] } });

  routes.add('/programs/:id', {
    GET: ({ c }) => sendBytes(views.one(findProgram(c, deps)), 'application/json'),
    DELETE: async ({ c }) => {
      const { name } = findProgram(c, deps);
      await deps.programs.remove(name);
      return sendJson({ message: 'program deleted successfully', ...noteOf(deps, name) });
    },
  });

  routes.add('/programs/:id/sources', { PUT: putSources });

  routes.add('/programs/:id/source', {
    GET: async ({ c }) => {
      const { name } = findProgram(c, deps);
      const files = await deps.programs.source(name);
      return sendJson({ program_id: name, files, retrieved_at: timestamp(deps.now()) });
    },
  });
}

async function listAll(c: RouteContext['c'], views: ViewCache): Promise<Response> {
  const header = (name: string) => c.req.header(name);
  const answer = answerList(views.list(), header('Accept-Encoding'), header('If-None-Match'));
  const { status } = answer;
  const headers = { ...answer.headers, Vary: varyBy(c, answer.headers.Vary) };
  if (answer.body === undefined) return new Response(null, { status, headers });
  return new Response((await answer.body) as ConstructorParameters<typeof Response>[0], {
    status,
    headers: { ...headers, 'Content-Type': 'application/json' },
  });
}

async function createProgram({ c, deps, body }: RouteContext): Promise<Response> {
  const { userId, name: wanted, files } = parseCreate(body);
  refuseForeignUser(whoAsks(c), userId, 'user_id');
  if (wanted !== undefined && deps.programs.get(wanted) !== undefined) throw exists(wanted);
  const buildId = await deps.programs.buildIdOf(files);
  const name = wanted ?? freshName(deps, `${userId}-${buildId}`);
  const { port, createdAt } = await deps.reserve(name, userId, buildId);
  try {
    await deps.programs.createFromSources(name, userId, buildId, files);
  } catch (error) {
    await deps.unreserve(name).catch((err: unknown) => {
      deps.log.error(
        { err, program: name },
        'the port of a program that was not created could not be given back',
      );
    });
    throw error;
  }
  noteProgram(c.env?.incoming, name);
  return sendJson(
    {
      program_id: name,
      build_id: buildId,
      state: 'Created',
      proxy_url: proxyUrl(port),
      created_at: createdAt,
      ...noteOf(deps, name),
    },
    201,
    { Location: `/programs/${name}` },
  );
}

async function putSources({ c, deps, body }: RouteContext): Promise<Response> {
  const { name, status } = findProgram(c, deps);
  const { userId = status.userId, files } = parseSources(body);
  if (userId !== status.userId) {
    throw new AppError('Conflict', `program ${name} belongs to ${status.userId}, and user_id is ${userId}`, {
      hint: 'leave user_id out, or POST /programs makes a program of that user',
    });
  }
  const buildId = await deps.programs.buildIdOf(files);
  const changed = await deps.programs.putSources(name, files, buildId);
  const { state } = findProgram(c, deps).status;
  const message = changed ? 'a new revision is made of these sources' : 'nothing changed';
  return sendJson({ program_id: name, build_id: buildId, state, changed, message, ...noteOf(deps, name) });
}

function exists(name: string): AppError {
  return new AppError('Conflict', `program ${name} exists already`, {
    hint: `PUT /programs/${name}/sources has it built from other files`,
  });
}

/** Random at the end, so that the same body twice makes two programs. */
function freshName(deps: ApiDeps, stem: string): string {
  for (;;) {
    const name = `${stem}-${randomBytes(4).toString('hex')}`;
    if (deps.programs.get(name) === undefined) return name;
  }
}

function checkState(state: string): void {
  if (state === '' || (PROGRAM_STATES as readonly string[]).includes(state)) return;
  throw new AppError('BadRequest', `state ${JSON.stringify(state)} is none a program can have`, {
    hint: `one of ${PROGRAM_STATES.join(', ')}`,
  });
}
