import { AppError } from '../../schemas/errors.ts';
import { type LogPiece, nanosOf, nanosOfMs, timeOfNanos } from '../../schemas/log-piece.ts';
import { choice, flag } from '../http/query.ts';
import { findProgram, type RouteContext, sendBytes, sendJson } from '../http/route.ts';
import { isHead, PLAIN, sendStream } from '../http/send-stream.ts';
import { readText } from '../http/streams.ts';
import { getLogLines } from './log-lines.ts';
import { parseSince } from './since.ts';

export const LOGS_QUERY = ['tail', 'since', 'timestamps', 'follow', 'previous', 'format', 'before', 'after'];

/** Lines where neither `tail` nor `since` says how many. */
export const TAIL_DEFAULT = 200;
/** More lines than an engine keeps of a program. */
const TAIL_MAX = 999_999_999;
/** A long line comes in parts, all within this of its time, in milliseconds; so does the first line of all. */
const LATE_MS = 1_000;
const LINE_FEED = 10;

/**
 * What the program printed: whole, or as it comes; as text, or as data.
 * @param heartbeatMs a comment is sent after so long without a line, where there may be comments
 */
export async function getLogs(context: RouteContext, heartbeatMs: number): Promise<Response> {
  const { c } = context;
  const format = choice(c, 'format', ['text', 'json']);
  if (format === 'json') return getLogLines(context, heartbeatMs);
  for (const key of ['before', 'after'])
    if (c.req.query(key)) throw new AppError('BadRequest', `${key} goes with format=json alone`);
  return getText(context, format === 'text');
}

/** @param isPlain whether it is asked for as text alone, and not within JSON, as the deployment guide has it */
async function getText(context: RouteContext, isPlain: boolean): Promise<Response> {
  const { c, deps } = context;
  const { name } = findProgram(c, deps);
  const nowMs = deps.now();
  const since = c.req.query('since') ?? '';
  const sinceNanos = parseSince(since, nowMs);
  const tail = parseTail(c.req.query('tail'), since === '' ? TAIL_DEFAULT : 'all');
  const [follow, previous, timestamps] = [flag(c, 'follow'), flag(c, 'previous'), flag(c, 'timestamps')];
  if (follow && previous) {
    throw new AppError('BadRequest', 'follow and previous do not go together: a run that has ended is whole');
  }
  if ((follow || isPlain) && isHead(c)) return sendBytes('', PLAIN);

  const abort = new AbortController();
  // Before there is a stream to be cancelled, only the request itself tells that the client is gone.
  const signal = AbortSignal.any([abort.signal, c.req.raw.signal]);
  const { containerId, stream } = await deps.logs(name, { tail, sinceNanos, follow, previous, signal });
  if (follow || isPlain) return sendStream(context, name, bytesOf(stream, timestamps), abort, PLAIN);
  const seen = createBookmark(tail === 0 ? nanosOfMs(nowMs) : sinceNanos, nowMs);
  const logs = await readText(bytesOf(stream, timestamps, seen.take));
  return sendJson({ program_id: name, container_id: containerId, logs, timestamp: seen.next(deps.now()) });
}

/** The output as it was printed; with `timestamps`, each line behind its time and a space, as Docker does it. */
async function* bytesOf(
  pieces: AsyncIterable<LogPiece>,
  timestamps: boolean,
  onPiece: (piece: LogPiece) => void = () => {},
): AsyncGenerator<Uint8Array> {
  let isLineOpen = false;
  for await (const piece of pieces) {
    onPiece(piece);
    if (timestamps && !isLineOpen && piece.time !== '') yield Buffer.from(`${piece.time} `);
    yield piece.bytes;
    isLineOpen = piece.bytes.at(-1) !== LINE_FEED;
  }
}

interface Bookmark {
  take(piece: LogPiece): void;
  /** The `since` that goes on where the answer ends: no line is lost, and none comes twice. */
  next(nowMs: number): string;
}

/**
 * Behind the newest line of the answer, by the engine's own time of it; how long reading took does not matter.
 * @param sinceNanos of the request, 0n where it has none
 * @param startMs when it came
 */
function createBookmark(sinceNanos: bigint, startMs: number): Bookmark {
  let newest: bigint | undefined;
  let isLineOpen = false;
  return {
    take({ time, bytes }) {
      const nanos = nanosOf(time);
      if (nanos !== undefined && (newest === undefined || nanos > newest)) newest = nanos;
      isLineOpen = bytes.at(-1) !== LINE_FEED;
    },
    next(nowMs) {
      // Nothing was there: what the engine was just about to write down is still to come.
      if (newest === undefined) return timeOfNanos(sinceNanos || nanosOfMs(startMs - LATE_MS));
      // The rest of that line has the same time: it is given once more, and whole.
      const isMoreToCome = isLineOpen && nanosOfMs(nowMs - LATE_MS) < newest;
      return timeOfNanos(isMoreToCome ? newest : newest + 1n);
    },
  };
}

/** Lines from the end: a whole number, or `all`. */
export function parseTail(value: string | undefined, fallback: number | 'all'): number | 'all' {
  if (value === undefined || value === '') return fallback;
  if (value === 'all') return 'all';
  if (!/^[0-9]+$/.test(value)) {
    throw new AppError('BadRequest', `tail must be a whole number of lines, or "all"`, {
      hint: `e.g. tail=${TAIL_DEFAULT}`,
    });
  }
  return Math.min(Number(value), TAIL_MAX);
}
