import { type LogPiece, type LogStream, nanosOf, timeOfNanos } from '../../schemas/log-piece.ts';

/** The most that is kept of one line; what comes behind it is counted and left off. */
export const LINE_BYTES_MAX = 64 * 2 ** 10;

const LINE_FEED = 10;

/** A line of one container, put together. */
export interface WholeLine {
  time: string;
  stream: LogStream | undefined;
  /** How many lines of its stream with the same time came before it. */
  index: number;
  text: string;
  cutBytes: number;
  /**
   * Whether its beginning, and its index, are seen to be right. What is read from the middle of a log may begin within
   * a line, or behind the first of several with one time. That is ruled out where an earlier time of its stream was
   * read; or one of the other stream, from a line behind the first one read there: the engine stamps a line of a stream
   * when it has written down the one before, so that what stands before all that was read has no later time than that.
   */
  isSure: boolean;
}

export interface LineJoiner {
  /** Takes the next piece, and gives the lines that it ends. */
  take(piece: LogPiece): WholeLine[];
  /** The lines that were begun: for when the run is over, and they are as long as they get. */
  end(): WholeLine[];
  /** How many frames of the engine were taken, which are what it counts as lines. */
  readonly frames: number;
}

/** What was read of one stream. */
interface OneStream {
  stream: LogStream | undefined;
  /** Of the frame that came last, of which more pieces may come. */
  frameTime: string;
  /** Of the line that is open, or was last; `""` before the first. */
  time: string;
  index: number;
  isSure: boolean;
  isOpen: boolean;
  parts: Uint8Array[];
  bytes: number;
}

/**
 * Puts the lines of a container together. A long line comes in parts of 16 KiB that all have its time, with lines of
 * the other stream between them; one that never got its end is over where its stream has another time. A line stands
 * where its end is. Pure, but for what it holds: at most `LINE_BYTES_MAX` of each stream.
 */
export function createLineJoiner(): LineJoiner {
  const streams = new Map<LogStream | undefined, OneStream>();
  let frames = 0;
  /** The first time that follows on another in its stream; `""` before. */
  let sureSince = '';

  function open(one: OneStream, time: string): void {
    const isFirst = one.time === '';
    const isSame = one.time === time;
    if (!isFirst && !isSame) {
      one.isSure = true;
      sureSince ||= time;
    }
    if (!isSame && sureSince !== '' && time > sureSince) one.isSure = true;
    one.index = isSame ? one.index + 1 : 0;
    one.time = time;
    one.isOpen = true;
  }

  function streamOf(stream: LogStream | undefined): OneStream {
    const found = streams.get(stream);
    if (found !== undefined) return found;
    const none = { index: 0, isSure: false, isOpen: false, parts: [], bytes: 0 };
    const one: OneStream = { stream, frameTime: timeOfNanos(0n), time: '', ...none };
    streams.set(stream, one);
    return one;
  }

  return {
    take(piece) {
      const ended: WholeLine[] = [];
      const one = streamOf(piece.stream);
      if (piece.time !== '') {
        frames += 1;
        one.frameTime = normal(piece.time);
      }
      const time = one.frameTime;
      if (one.isOpen && time !== one.time) ended.push(close(one));
      let { bytes } = piece;
      // The engine may have said nothing in this frame: that begins no line.
      while (bytes.length > 0) {
        const feed = bytes.indexOf(LINE_FEED);
        if (!one.isOpen) open(one, time);
        add(one, feed === -1 ? bytes : bytes.subarray(0, feed));
        if (feed === -1) break;
        ended.push(close(one));
        if (feed + 1 === bytes.length) break;
        bytes = bytes.subarray(feed + 1);
      }
      return ended;
    },
    end: () => [...streams.values()].filter(({ isOpen }) => isOpen).map(close),
    get frames() {
      return frames;
    },
  };
}

/** All parts are counted, and only what fits is held. */
function add(one: OneStream, bytes: Uint8Array): void {
  const room = LINE_BYTES_MAX - one.bytes;
  if (room > 0 && bytes.length > 0) one.parts.push(bytes.length <= room ? bytes : bytes.subarray(0, room));
  one.bytes += bytes.length;
}

function close(one: OneStream): WholeLine {
  const { time, stream, index, isSure, bytes } = one;
  let kept = joined(one.parts);
  if (bytes > kept.length) kept = kept.subarray(0, characterEnd(kept));
  one.isOpen = false;
  one.parts = [];
  one.bytes = 0;
  return { time, stream, index, isSure, text: kept.toString('utf8'), cutBytes: bytes - kept.length };
}

/** Most lines come in one piece, which is not copied. */
function joined(parts: readonly Uint8Array[]): Buffer {
  const [first, ...others] = parts;
  if (first === undefined || others.length > 0) return Buffer.concat(parts);
  return Buffer.from(first.buffer, first.byteOffset, first.length);
}

/** Where the last whole UTF-8 character ends, in bytes. */
function characterEnd(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return back < wanted ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** With nine decimals in UTC, as Docker has it; other engines may not. */
function normal(time: string): string {
  return time.length === 30 && time.endsWith('Z') ? time : timeOfNanos(nanosOf(time) ?? 0n);
}
