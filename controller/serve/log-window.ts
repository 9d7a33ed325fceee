import type { LogCursor } from '../../schemas/log-line.ts';
import type { Engine } from '../engine/engine.ts';
import { createLineJoiner, type WholeLine } from './join-lines.ts';

/** Text that is held of one page, in characters; a page that would have more has fewer lines. */
export const PAGE_CHARACTERS_MAX = 4 * 2 ** 20;
/** Frames that are read first, from the end of a log; then eight times as many, and so on, and at last all. */
const FRAMES_FIRST = 1_000;
const GROWTH = 8;
const READS_OF_PART = 3;
/** Before the place where following goes on so many frames are read once more: what is printed meanwhile moves it. */
const SEEK_FRAMES = 10_000;
const SEEKS_MAX = 5;

type Logs = Pick<Engine, 'logs'>;

export interface LogRange {
  /** The most lines, the newest of the range. */
  lines: number;
  /** Only what stands before that line, or after it, of this container. */
  before?: LogCursor['line'];
  after?: LogCursor['line'];
  /** Only lines of then or later, epoch nanoseconds; 0n for no bound. */
  sinceNanos: bigint;
  /** No run of the container is on: what has no end gets none. */
  isOver: boolean;
  signal: AbortSignal;
}

export interface Found {
  lines: WholeLine[];
  /** Older ones of the range were left off. */
  isCut: boolean;
  hasBefore: boolean;
  hasAfter: boolean;
  /** The newest line of the range, which is not among `lines` where none were asked for. */
  last: WholeLine | undefined;
  /** What the engine has of the container was read from its beginning. */
  isWhole: boolean;
  /** Every line that is told of, and those looked for, are what they seem, see `WholeLine`. */
  isSure: boolean;
  /** Frames behind `after`. */
  framesAfter: number;
}

/**
 * Lines of a container's log. Engines give them from the end or all, so it is read from the end, further and further
 * until what is asked for is there: what is new costs little, and no time is trusted to be in order.
 * Rejects as `Engine.logs` does.
 */
export function readRange(engine: Logs, id: string, range: LogRange): Promise<Found> {
  const isEnough = ({ hasBefore, hasAfter, isCut }: Found): boolean =>
    (range.before === undefined || hasBefore) && (hasAfter || isCut);
  return readFurther(engine, id, range, isEnough);
}

async function readFurther(
  engine: Logs,
  id: string,
  range: LogRange,
  isEnough: (found: Found) => boolean,
): Promise<Found> {
  // From a time on is what engines can do themselves.
  const reads = range.sinceNanos > 0n ? 0 : READS_OF_PART;
  for (let read = 0; read < reads; read++) {
    const tail = Math.max(FRAMES_FIRST, 2 * range.lines) * GROWTH ** read;
    const found = await readWindow(engine, id, range, tail);
    if (found.isWhole || (found.isSure && isEnough(found))) return found;
  }
  return readWindow(engine, id, range, 'all');
}

async function readWindow(engine: Logs, id: string, range: LogRange, tail: number | 'all'): Promise<Found> {
  const { sinceNanos, signal, before, after } = range;
  const joiner = createLineJoiner();
  const kept = createNewest(range.lines);
  const seen = { hasBefore: false, hasAfter: false, isSure: true, framesAtAfter: 0 };
  let last: WholeLine | undefined;
  const take = (line: WholeLine): void => {
    if (seen.hasBefore) return;
    seen.hasBefore = isAt(line, before);
    if (seen.hasBefore) {
      seen.isSure &&= line.isSure;
      return;
    }
    last = line;
    kept.add(line);
    if (!isAt(line, after)) return;
    seen.hasAfter = true;
    seen.isSure &&= line.isSure;
    seen.framesAtAfter = joiner.frames;
    kept.clear();
  };
  for await (const piece of await engine.logs(id, { tail, sinceNanos, follow: false, signal })) {
    for (const line of joiner.take(piece)) take(line);
    // Of a part it is counted to its end, which tells whether it is a part.
    if (seen.hasBefore && tail === 'all') break;
  }
  if (range.isOver) for (const line of joiner.end()) take(line);
  const lines = kept.lines();
  const { hasBefore, hasAfter, framesAtAfter } = seen;
  return {
    ...{ lines, hasBefore, hasAfter, last, isCut: kept.isCut() },
    isWhole: tail === 'all' || joiner.frames < tail,
    isSure: seen.isSure && last?.isSure !== false && lines.every((line) => line.isSure),
    framesAfter: joiner.frames - framesAtAfter,
  };
}

export function isAt(line: WholeLine, place: LogCursor['line']): boolean {
  return (
    place !== undefined &&
    line.time === place.time &&
    line.stream === place.stream &&
    line.index === place.index
  );
}

interface Newest {
  add(line: WholeLine): void;
  clear(): void;
  /** Whether any was dropped since it was cleared. */
  isCut(): boolean;
  lines(): WholeLine[];
}

/** Holds the last `max` of the lines that are added, and no more text than a page has. */
function createNewest(max: number): Newest {
  let held: WholeLine[] = [];
  let start = 0;
  let characters = 0;
  let isCut = false;
  const clear = (): void => {
    held = [];
    start = 0;
    characters = 0;
    isCut = false;
  };
  return {
    add(line) {
      held.push(line);
      characters += line.text.length;
      while (held.length - start > max || (characters > PAGE_CHARACTERS_MAX && held.length - start > 1)) {
        characters -= held[start]?.text.length ?? 0;
        start += 1;
        isCut = true;
      }
      if (start < 1_000 || start < held.length / 2) return;
      held = held.slice(start);
      start = 0;
    },
    clear,
    isCut: () => isCut,
    lines: () => held.slice(start),
  };
}

export interface FollowFrom {
  id: string;
  /** Goes on behind that line; from the beginning where there is none. */
  after: LogCursor['line'];
  signal: AbortSignal;
  /** Asked when the engine's stream has ended: whether that is since no run is on. */
  isOver: () => Promise<boolean>;
}

/**
 * The lines behind one, and those that come, until the run ends or the signal fires; `gap` before them where that line
 * is not there any more. Where it is is found out first: an engine does not say where what was ends and what comes
 * begins. Rejects as `Engine.logs` does, and where a program prints so fast that the place is lost again and again.
 */
export async function* followRange(engine: Logs, follow: FollowFrom): AsyncGenerator<WholeLine | 'gap'> {
  const { id, after, signal } = follow;
  for (let seek = 0; after !== undefined; seek++) {
    const range = { lines: 0, after, sinceNanos: 0n, isOver: true, signal };
    const { hasAfter, framesAfter } = await readFurther(engine, id, range, (found) => found.hasAfter);
    if (signal.aborted) return;
    if (!hasAfter) {
      yield 'gap';
      break;
    }
    const tail = 2 * framesAfter + SEEK_FRAMES * 10 ** seek;
    // That many frames from the end of what there was it stood then, and stands further from it by now.
    const isThere = yield* followWindow(engine, follow, tail, tail - framesAfter);
    if (isThere || signal.aborted) return;
    if (seek === SEEKS_MAX) throw new Error(`container ${id} prints faster than its log can be read`);
  }
  yield* followWindow(engine, { ...follow, after: undefined }, 'all', 0);
}

/** @returns whether the line behind which to go on was there, or the log ended without it */
async function* followWindow(
  engine: Logs,
  { id, after, signal, isOver }: FollowFrom,
  tail: number | 'all',
  framesMax: number,
): AsyncGenerator<WholeLine, boolean> {
  const joiner = createLineJoiner();
  let isThere = after === undefined;
  const isNew = (line: WholeLine): boolean => {
    if (isThere) return true;
    isThere = isAt(line, after);
    return false;
  };
  for await (const piece of await engine.logs(id, { tail, sinceNanos: 0n, follow: true, signal })) {
    for (const line of joiner.take(piece)) if (isNew(line)) yield line;
    if (!isThere && joiner.frames > framesMax) return false;
  }
  if (!signal.aborted && (await isOver())) for (const line of joiner.end()) if (isNew(line)) yield line;
  return true;
}
