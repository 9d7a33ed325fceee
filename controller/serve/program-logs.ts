import type { ApiDeps } from '../../api/deps.ts';
import type { ProgramLogOptions } from '../../api/program-answers.ts';
import { isRunOf, isUp } from '../../schemas/container.ts';
import { describeExit } from '../../schemas/last-exit.ts';
import { type LogPiece, nanosOf, nanosOfMs, timeOfNanos } from '../../schemas/log-piece.ts';
import { timestamp } from '../../schemas/program.ts';
import type { LogDataDeps } from './log-data.ts';
import {
  borderBefore,
  createChanges,
  currentRun,
  goesOn,
  type ProgramLogsDeps,
  type Run,
} from './program-run.ts';

const LINE_FEED = 10;

/** The output of programs, whichever container it is in. */
export function createProgramLogs(deps: LogDataDeps): ApiDeps['logs'] {
  return async (name, options) => {
    const { signal, tail, sinceNanos } = options;
    if (options.previous) return previousRun(deps, name, options);
    // Without a line from before, what comes from now on is what comes next.
    const nextNanos = tail === 0 ? nanosOfMs(deps.clock.now()) : sinceNanos;
    const containerId = deps.statuses.get(name)?.containerId ?? '';
    // The first one is asked for here, so that an engine that is away is an answer and no broken stream.
    const first = containerId === '' ? nothing() : await deps.engine.logs(containerId, options);
    if (!options.follow) return { containerId, stream: first };
    const run = await currentRun(deps, name, containerId);
    return { containerId, stream: followRuns(deps, name, { first, run, nextNanos, signal }) };
  };
}

interface Followed {
  first: AsyncIterable<LogPiece>;
  run: Run | undefined;
  /** What follows the first stream, should nothing come of that; epoch nanoseconds. */
  nextNanos: bigint;
  signal: AbortSignal;
}

/**
 * One run after the other, of whatever container, with a line between. Ends when the program is stopped, has finished
 * or is gone, and nothing more comes of it.
 */
async function* followRuns(
  deps: ProgramLogsDeps,
  name: string,
  followed: Followed,
): AsyncGenerator<LogPiece> {
  const { signal } = followed;
  const changes = createChanges(deps, name, signal);
  let { first: stream, run, nextNanos } = followed;
  let isLineOpen = false;
  try {
    for (;;) {
      let changed = changes.next();
      for await (const piece of stream) {
        nextNanos = (nanosOf(piece.time) ?? nextNanos - 1n) + 1n;
        isLineOpen = piece.bytes.at(-1) !== LINE_FEED;
        yield piece;
      }
      let isNews = false;
      let one: Run | undefined;
      while (!isNews) {
        if (signal.aborted || !goesOn(deps, name)) return;
        await changed;
        changed = changes.next();
        one = await currentRun(deps, name);
        // The same run again where the engine let go of us though it goes on.
        isNews = one !== undefined && (one.key !== run?.key || one.isUp);
      }
      if (one === undefined) continue;
      if (run !== undefined && one.key !== run.key) {
        yield betweenRuns(deps, name, run, one, isLineOpen);
        isLineOpen = false;
      }
      run = one;
      stream = await deps.engine.logs(one.id, { tail: 'all', sinceNanos: nextNanos, follow: true, signal });
    }
  } finally {
    changes.close();
  }
}

function betweenRuns(
  deps: ProgramLogsDeps,
  name: string,
  before: Run,
  after: Run,
  isLineOpen: boolean,
): LogPiece {
  const exit = deps.statuses.get(name)?.lastExit;
  const how = exit?.run === before.key ? ` (${describeExit(exit)})` : '';
  const since = timestamp(after.startedAtMs);
  const line = `--- that run has ended${how}; the next one is since ${since} in container ${after.id.slice(0, 12)}\n`;
  return {
    time: timeOfNanos(nanosOfMs(after.startedAtMs)),
    bytes: Buffer.from(`${isLineOpen ? '\n' : ''}${line}`),
  };
}

/**
 * The run before the one that is on, or the last one where none is on: out of its container, or the last lines that
 * were kept where that is gone.
 */
async function previousRun(
  { engine, statuses, ended }: LogDataDeps,
  name: string,
  options: ProgramLogOptions,
): ReturnType<ApiDeps['logs']> {
  const status = statuses.get(name);
  const exit = status?.lastExit ?? null;
  const current = status?.containerId ? await engine.inspectContainer(status.containerId) : undefined;
  const [id = '', startedAt = ''] = exit?.run.split('@') ?? [];
  const isOfCurrent = current !== undefined && isRunOf(exit?.run, current);
  const old = isOfCurrent || id === '' ? current : await engine.inspectContainer(id);
  if (old === undefined)
    return { containerId: id, stream: exit === null ? nothing() : kept(exit.logTail, exit.finishedAt) };

  const isOn = isUp(old);
  const begun = Number(startedAt);
  // Without an end that is known of: all that is older than the run that is on.
  const isKnown = exit !== null && old.id === id;
  const fromNanos = nanosOfMs(isKnown ? borderBefore(begun, ended.endBefore(name, old, begun)) : 0);
  const toNanos = isOn ? nanosOfMs(borderBefore(old.startedAtMs, old.finishedAtMs)) : undefined;
  let { sinceNanos } = options;
  if (sinceNanos < fromNanos) sinceNanos = fromNanos;
  const all = await engine.logs(old.id, { ...options, tail: 'all', sinceNanos, follow: false });
  return { containerId: old.id, stream: lastLines(until(all, toNanos), options.tail) };
}

async function* until(
  pieces: AsyncIterable<LogPiece>,
  toNanos: bigint | undefined,
): AsyncGenerator<LogPiece> {
  for await (const piece of pieces) {
    if (toNanos !== undefined && (nanosOf(piece.time) ?? 0n) >= toNanos) return;
    yield piece;
  }
}

/** The last `count` lines; holds no more than those. */
async function* lastLines(pieces: AsyncIterable<LogPiece>, count: number | 'all'): AsyncGenerator<LogPiece> {
  if (count === 'all') return yield* pieces;
  if (count === 0) return;
  let lines: LogPiece[][] = [];
  let isLineOpen = false;
  for await (const piece of pieces) {
    if (isLineOpen) lines.at(-1)?.push(piece);
    else lines.push([piece]);
    isLineOpen = piece.bytes.at(-1) !== LINE_FEED;
    if (lines.length > 2 * count) lines = lines.slice(-count);
  }
  for (const line of lines.slice(-count)) yield* line;
}

async function* kept(tail: string, finishedAt: string): AsyncGenerator<LogPiece> {
  for (const line of tail === '' ? [] : tail.split('\n')) {
    yield { time: finishedAt, bytes: Buffer.from(`${line}\n`) };
  }
}

async function* nothing(): AsyncGenerator<LogPiece> {}
