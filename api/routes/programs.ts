import { randomBytes } from 'node:crypto';
import { AppError } from '../../schemas/errors.ts';
import { isRecord } from '../../schemas/is-record.ts';
import { nearest, unknownField } from '../../schemas/nearest.ts';
import { PROGRAM_STATES, proxyUrl, timestamp, USER_ID_PATTERN } from '../../schemas/program.ts';
import type { ApiDeps } from '../deps.ts';
import { jsonObject } from '../http/json-body.ts';
import { findProgram, type RouteContext, type Routes, sendBytes, sendJson } from '../http/route.ts';
import { sourceFiles } from './source-names.ts';
import { createViewCache } from './view.ts';

const CREATE_FIELDS = ['user_id', 'dockerfile', 'src_files'];
/** Unknown fields that are looked at, and how long they may be, in characters: nobody mistypes more. */
const FIELDS_MAX = 100;
const FIELD_LENGTH_MAX = 64;

/** Creating, reading and deleting programs. */
export function addProgramRoutes(routes: Routes, deps: ApiDeps): void {
  const views = createViewCache(deps.programs);

  const handlers = {
    GET: ({ c }: RouteContext) => {
      const userId = c.req.query('user_id') ?? '';
      const state = c.req.query('state') ?? '';
      if (userId === '' && state === '') return sendBytes(views.all(), 'application/json');
      checkState(state);
      const chosen = deps.programs
        .list()
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
      await deps.programs.remove(findProgram(c, deps).name);
      return sendJson({ message: 'program deleted successfully' });
    },
  });

  routes.add('/programs/:id/source', {
    GET: async ({ c }) => {
      const { name } = findProgram(c, deps);
      const files = await deps.programs.source(name);
      return sendJson({ program_id: name, files, retrieved_at: timestamp(deps.now()) });
    },
  });
}

async function createProgram({ deps, body }: RouteContext): Promise<Response> {
  const { userId, files } = parseCreate(body);
  const buildId = deps.programs.buildIdOf(files);
  const name = freshName(deps, `${userId}-${buildId}`);
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
  return sendJson(
    {
      program_id: name,
      build_id: buildId,
      state: 'Created',
      proxy_url: proxyUrl(port),
      created_at: createdAt,
    },
    201,
    { Location: `/programs/${name}` },
  );
}

/** Random at the end, so that the same body twice makes two programs. */
function freshName(deps: ApiDeps, stem: string): string {
  for (;;) {
    const name = `${stem}-${randomBytes(4).toString('hex')}`;
    if (deps.programs.get(name) === undefined) return name;
  }
}

interface CreateRequest {
  userId: string;
  files: Map<string, string>;
}

function parseCreate(text: string): CreateRequest {
  if (text.trim() === '') bad('the body is empty; a JSON object is expected', '');
  const body = jsonObject(text);
  const userId = body.user_id;
  if (userId === undefined || userId === null || userId === '') bad('user_id is required', 'user_id');
  if (typeof userId !== 'string') bad('user_id must be a string', 'user_id');
  if (!USER_ID_PATTERN.test(userId)) {
    bad(
      'user_id must begin with a letter or digit and hold only letters, digits, ".", "_" and "-", at most 63',
      'user_id',
    );
  }
  const dockerfile = body.dockerfile;
  if (dockerfile === undefined || dockerfile === null || dockerfile === '') {
    const hint = body.Dockerfile === undefined ? undefined : 'the key is "dockerfile", in lower case';
    bad('dockerfile is required', 'dockerfile', hint);
  }
  if (typeof dockerfile !== 'string') bad('dockerfile must be a string: the text of the file', 'dockerfile');
  refuseMistypedFiles(body);
  return { userId, files: sourceFiles(parseFiles(body.src_files), dockerfile) };
}

/** Clients may send fields of their own; but what was meant as `src_files` would make a program without sources. */
function refuseMistypedFiles(body: Readonly<Record<string, unknown>>): void {
  if (body.src_files !== undefined) return;
  const meant = Object.keys(body)
    .filter((field) => !CREATE_FIELDS.includes(field) && field.length <= FIELD_LENGTH_MAX)
    .slice(0, FIELDS_MAX)
    .find((field) => nearest(field, CREATE_FIELDS) === 'src_files');
  if (meant !== undefined) bad(unknownField(meant, meant, CREATE_FIELDS), meant);
}

function parseFiles(value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) bad('src_files must be an object of file names and their contents', 'src_files');
  for (const [name, content] of Object.entries(value)) {
    const path = `src_files[${JSON.stringify(name)}]`;
    if (typeof content !== 'string') bad(`${path} must be a string: the content of the file`, path);
  }
  return value as Record<string, string>;
}

function bad(message: string, path: string, hint?: string): never {
  throw new AppError('BadRequest', message, {
    hint,
    details: [{ path, message }],
  });
}

function checkState(state: string): void {
  if (state === '' || (PROGRAM_STATES as readonly string[]).includes(state)) return;
  throw new AppError('BadRequest', `state ${JSON.stringify(state)} is none a program can have`, {
    hint: `one of ${PROGRAM_STATES.join(', ')}`,
  });
}
