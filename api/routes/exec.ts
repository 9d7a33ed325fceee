import { setMaxListeners } from 'node:events';
import { AppError, messageOf } from '../../schemas/errors.ts';
import { COMMAND_BYTES_MAX, type ExecFrame, type ExecPiece, NDJSON } from '../../schemas/exec.ts';
import { isRecord } from '../../schemas/is-record.ts';
import { readBody } from '../http/body.ts';
import { withHeartbeat } from '../http/event-stream.ts';
import { jsonObject, refuseUnknown } from '../http/json-body.ts';
import { bodyLines } from '../http/lines.ts';
import { type ApiOptions, findProgram, type RouteContext, type Routes } from '../http/route.ts';
import { sendStream } from '../http/send-stream.ts';

const HEARTBEAT_MS = 15_000;
/** A command in JSON, where each of its bytes may be written as six; and what of stdin comes in one frame. */
const LINE_BYTES_MAX = 8 * COMMAND_BYTES_MAX;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const HINT = 'send {"command": ["ls", "-l"]}';

/**
 * A command in a program's container. Frames are lines of JSON both ways: what comes out is two streams and a code,
 * which an answer of HTTP has no place for, any client can read lines, and one that breaks off lacks its last.
 */
export function addExecRoutes(routes: Routes, options: ApiOptions): void {
  const heartbeatMs = options.heartbeatMs ?? HEARTBEAT_MS;
  routes.add(
    '/programs/:id/exec',
    { POST: (context) => exec(context, heartbeatMs) },
    { POST: { body: 'unread' } },
  );
}

async function exec(context: RouteContext, heartbeatMs: number): Promise<Response> {
  const { c, deps } = context;
  const { name } = findProgram(c, deps);
  const type = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  const lines = type === NDJSON ? bodyLines(c, LINE_BYTES_MAX) : undefined;
  const text = lines === undefined ? await readBody(c, 'json', LINE_BYTES_MAX) : await firstOf(lines);
  const command = commandOf(text);

  const [gone, broken] = [new AbortController(), new AbortController()];
  // Before there is a stream to be cancelled, only the request itself tells that the client is gone.
  const signal = AbortSignal.any([gone.signal, broken.signal, c.req.raw.signal]);
  setMaxListeners(0, signal);
  const stdin = lines && stdinOf(lines, (error) => broken.abort(error));
  const { containerId, pieces } = await deps.exec(name, { command, stdin, signal });
  deps.log.info({ program: name, container: containerId }, 'a command is run in its container, by a call');
  return sendStream(
    context,
    name,
    framesOf(containerId, pieces, { heartbeatMs, broken: broken.signal }),
    gone,
    NDJSON,
  );
}

async function firstOf(lines: AsyncGenerator<Buffer>): Promise<string> {
  const { done, value } = await lines.next();
  return done === true ? '' : value.toString('utf8');
}

function commandOf(text: string): string[] {
  const body = jsonObject(text, HINT);
  refuseUnknown(body, ['command'], HINT);
  const { command } = body;
  const isList = Array.isArray(command) && command.every((word) => typeof word === 'string');
  const wrong = (message: string) =>
    new AppError('BadRequest', message, { hint: HINT, details: [{ path: 'command', message }] });
  if (!isList || (command[0] ?? '') === '') throw wrong('command must be a list of words, the program first');
  const words = command as string[];
  if (words.some((word) => word.includes('\0'))) throw wrong('command holds a NUL, which no argument can');
  const bytes = words.reduce((sum, word) => sum + Buffer.byteLength(word) + 1, 0);
  if (bytes > COMMAND_BYTES_MAX)
    throw wrong(`command is over the limit of ${COMMAND_BYTES_MAX} bytes; send more on its standard input`);
  return words;
}

/** @param onBroken told of a line that is none; then nothing more comes */
async function* stdinOf(
  lines: AsyncGenerator<Buffer>,
  onBroken: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const line of lines) yield dataOf(line);
  } catch (error) {
    onBroken(error);
  }
}

function dataOf(line: Buffer): Uint8Array {
  const frame: unknown = JSON.parse(line.toString('utf8'));
  if (isRecord(frame) && typeof frame.data === 'string' && BASE64.test(frame.data))
    return Buffer.from(frame.data, 'base64');
  throw new AppError('BadRequest', 'a line behind the first must be {"data": "<base64>"}');
}

async function* framesOf(
  containerId: string,
  pieces: AsyncIterable<ExecPiece>,
  { heartbeatMs, broken }: { heartbeatMs: number; broken: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  try {
    yield lineOf({ container_id: containerId });
    let next = iterator.next();
    next.catch(() => {});
    for (;;) {
      const result = await withHeartbeat(next, { heartbeatMs });
      if (result === 'idle') {
        yield Buffer.from('\n');
        continue;
      }
      if (result.done === true) break;
      const piece = result.value;
      if ('exitCode' in piece) return yield lineOf({ exit_code: piece.exitCode });
      yield lineOf({ stream: piece.stream, data: Buffer.from(piece.bytes).toString('base64') });
      next = iterator.next();
      next.catch(() => {});
    }
    const message = broken.aborted
      ? `standard input can not be read: ${messageOf(broken.reason)}`
      : 'how it ended is not known';
    yield lineOf({ error: { message } });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { message, hint } = error;
    yield lineOf({ error: { message, ...(hint !== undefined && { hint }) } });
  } finally {
    iterator.return?.()?.catch(() => {});
  }
}

function lineOf(frame: ExecFrame): Uint8Array {
  return Buffer.from(`${JSON.stringify(frame)}\n`);
}
