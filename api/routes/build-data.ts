import type { Context } from 'hono';
import { recordIn } from '../../schemas/build-records.ts';
import { type BuildRecord, tryIdOf } from '../../schemas/build-step.ts';
import { AppError } from '../../schemas/errors.ts';
import { asEvents } from '../http/as-events.ts';
import type { ApiEnv } from '../http/env.ts';
import { choice, flag } from '../http/query.ts';
import { findProgram, type RouteContext, sendBytes, sendJson } from '../http/route.ts';
import { EVENT_STREAM, isHead, PLAIN, sendStream } from '../http/send-stream.ts';

export const BUILD_QUERY = ['follow', 'format', 'build'];

/** How the record begins that a build begins with. */
const FIRST = '{"kind":"build"';

/**
 * The newest build: its log as text, or its steps as data; whole, or as it goes.
 * @param heartbeatMs a comment is sent after so long without an event
 */
export async function getBuildLog(context: RouteContext, heartbeatMs: number): Promise<Response> {
  const { c, deps } = context;
  const { name } = findProgram(c, deps);
  const format = choice(c, 'format', ['text', 'json']);
  const isData = format === 'json';
  const isFollowed = flag(c, 'follow');
  const id = buildIn(c, isData, isFollowed);
  const type = isData ? EVENT_STREAM : PLAIN;
  if (isFollowed && isHead(c)) return sendBytes('', type);
  if (isFollowed) {
    const abort = new AbortController();
    const { programs } = deps;
    if (!isData) return sendStream(context, name, programs.followBuildLog(name, abort.signal), abort, type);
    const frames = framesOf(programs.followBuild(name, abort.signal), c.req.header('Last-Event-ID'));
    return sendStream(context, name, asEvents(frames, heartbeatMs), abort, type);
  }
  if (isData) return sendJson({ program_id: name, ...(await deps.programs.build(name, id)) });
  const { buildId, log } = await deps.programs.buildLog(name);
  if (format === 'text') return sendBytes(log, PLAIN);
  return sendJson({ program_id: name, build_id: buildId, log });
}

/** What is kept of builds, the newest first. */
export async function getBuilds({ c, deps }: RouteContext): Promise<Response> {
  const { name } = findProgram(c, deps);
  return sendJson({ builds: await deps.programs.builds(name) });
}

function buildIn(c: Context<ApiEnv>, isData: boolean, isFollowed: boolean): string | undefined {
  const id = c.req.query('build');
  if (id === undefined || id === '') return undefined;
  if (isFollowed)
    throw new AppError('BadRequest', 'build and follow do not go together: the newest is followed');
  if (isData) return id;
  throw new AppError('BadRequest', 'build goes with format=json alone', {
    hint: 'Of earlier builds the steps are kept, with what they printed, and no text.',
  });
}

/**
 * The records of a build as events. Ids are `<try>/<n>`, n counting its records, so that who comes back is given
 * what came since, and all of another try.
 */
async function* framesOf(
  source: AsyncIterable<Uint8Array>,
  lastId: string | undefined,
): AsyncGenerator<string> {
  const [lastTry = '', lastCount = ''] = (lastId ?? '').split('/');
  let tried = '';
  let count = 0;
  for await (const record of recordsOf(source)) {
    if (record.kind === 'build') {
      tried = tryIdOf(record.build_id, record.started);
      count = 0;
    }
    count += 1;
    if (tried === lastTry && count <= Number(lastCount)) continue;
    const { kind, ...data } = record;
    yield `id: ${tried}/${count}\nevent: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
  }
}

async function* recordsOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<BuildRecord> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of source) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      // A build that was tried again may have begun anew within a line: its first record follows on the half.
      const record = recordIn(line) ?? recordIn(line.slice(Math.max(0, line.lastIndexOf(FIRST))));
      if (record !== undefined) yield record;
    }
  }
}
