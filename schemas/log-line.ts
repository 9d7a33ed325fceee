import { type LogStream, nanosOf, timeOfNanos } from './log-piece.ts';

/** Output as data, in the words of the API. */

/** One whole line. */
export interface LogLine {
  /** Which line it is, for good: a cursor, see `LogCursor`. */
  id: string;
  /** When the engine got its beginning: RFC 3339 in UTC with nine decimals. */
  time: string;
  stream: LogStream | null;
  /** The `id` of its run; null where it is not known in which it was printed. */
  run: string | null;
  /** Without the line feed; what is no UTF-8 is U+FFFD. */
  text: string;
  /** How many bytes of its end are left off; 0 for a whole line. */
  cut_bytes: number;
}

/** One run of a container. What is not known is null. */
export interface LogRun {
  /** The 12 digits of the container, and its start in epoch milliseconds: `c0ffee012345@1764300000000`. */
  id: string;
  container_id: string;
  revision: number | null;
  started: string;
  /** Null while it is on, too. */
  finished: string | null;
  exit_code: number | null;
  /** In words, e.g. `out of memory`; `""` while it is on, or where that is not known. */
  exit: string;
  /** Its last lines, which the host has kept, where the container is gone and its output with it; their times are not known. */
  kept: string | null;
}

export interface LogPage {
  /** `""` where there is none. */
  containerId: string;
  /** In the order in which the engine wrote down their ends. */
  lines: LogLine[];
  /** All that are known, oldest first. */
  runs: LogRun[];
  /** Whether older lines, of those that were asked for, are left off. */
  more: boolean;
  /** Whether what came right behind `after` is not there any more. */
  gap: boolean;
  /** The `before` that gives the page before; null where there is none. */
  before: string | null;
  /**
   * The `after` that goes on behind this page: no line is lost, and none comes twice. Null where no line stands before
   * `before`.
   */
  after: string | null;
  /** What is not there and why, for people; or `""`. */
  note: string;
}

/** What a follower is told. */
export type LogMessage =
  | { event: 'line'; data: LogLine }
  /** A run that is on, or that has ended: the newest word on it. */
  | { event: 'run'; data: LogRun }
  /** Lines are not there any more, or too many to be sent. */
  | { event: 'gap'; data: { message: string } }
  /** Nothing more comes, since the program is stopped, has finished or is gone. */
  | { event: 'end'; data: { message: string } };

/**
 * A place in the output of one container: behind a line, or, without one, before the first. A line is told by its
 * time, its stream, and how many lines of that stream with the same time come before it: within a stream times do not
 * mix. Where the engine has thrown away one of two lines of one nanosecond as too old, the other may be taken for it.
 */
export interface LogCursor {
  /** The 12 digits of its id; `none` before there was a container. */
  container: string;
  line?: { time: string; stream: LogStream | undefined; index: number };
}

const LETTERS = { stdout: 'o', stderr: 'e' } as const;
const STREAMS: Record<string, LogStream> = { o: 'stdout', e: 'stderr' };

export function formatCursor({ container, line }: LogCursor): string {
  if (line === undefined) return container;
  const letter = line.stream === undefined ? 'x' : LETTERS[line.stream];
  return `${container}.${nanosOf(line.time) ?? 0n}.${letter}.${line.index}`;
}

/** Undefined for what is none. */
export function parseCursor(text: string): LogCursor | undefined {
  const found = /^([0-9a-z]{1,12})(?:\.(\d{1,19})\.([oex])\.(\d{1,9}))?$/.exec(text);
  if (found === null) return undefined;
  const [, container = '', nanos, letter = '', index] = found;
  if (nanos === undefined) return { container };
  return {
    container,
    line: { time: timeOfNanos(BigInt(nanos)), stream: STREAMS[letter], index: Number(index) },
  };
}
