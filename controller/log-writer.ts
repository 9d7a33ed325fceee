import { codeOf } from '../schemas/errors.ts';

/** What waits for a reader at most, in bytes; beyond it lines are dropped. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
/** Pauses between two tries while nobody reads, in milliseconds: doubled from the first to the last. */
const RETRY_MS_MIN = 20;
const RETRY_MS_MAX = 1_000;
/** What `flushSync` waits for a reader, in milliseconds. SIGTERM's 5 s hold it too. */
const FLUSH_MS_MAX = 500;
const FLUSH_PAUSE_MS = 10;

/** Where lines go: takes as many bytes as it can at once and says how many; throws EAGAIN where that is none. */
export type WriteSome = (bytes: Uint8Array) => number;

export interface LogWriterOptions {
  writeSome: WriteSome;
  /** The line that tells of lines dropped since the last one that was written, with its line feed. */
  tell: (dropped: number, why: string) => string;
  /** Calls `run` after `ms`. */
  after: (ms: number, run: () => void) => void;
  /** Holds everything up for so many milliseconds. */
  pause: (ms: number) => void;
  waitingBytesMax?: number;
}

export interface LogWriter {
  /** Takes one line with its line feed. Never throws, never waits: a line that can not be written is counted. */
  write(line: string): void;
  /** For the end of the process: waits up to half a second for a reader. pino calls it behind a fatal line. */
  flushSync(): void;
  /** Lines lost since the start, whole or in part. */
  dropped(): number;
}

interface Entry {
  bytes: Uint8Array;
  begun: boolean;
  /** Dropped lines that it tells of, beside its own. */
  tells: number;
}

/**
 * Writes the host's log without ever failing or holding up the host. A reader that is paused is waited for with a
 * bounded memory; a disk that is full or a pipe that is closed costs the line, and the next one is tried anew.
 */
export function createLogWriter(options: LogWriterOptions): LogWriter {
  const { writeSome, tell, after, pause, waitingBytesMax = WAITING_BYTES_MAX } = options;
  let waiting: Entry[] = [];
  let waitingBytes = 0;
  let dropped = 0;
  let untold = 0;
  let why = '';
  let isLineTorn = false;
  let retryMs = RETRY_MS_MIN;
  let willRetry = false;

  const drop = (tells: number, code: string): void => {
    dropped++;
    untold += tells + 1;
    why = code;
  };
  const dropWaiting = (code: string): void => {
    for (const { tells } of waiting) drop(tells, code);
    isLineTorn ||= waiting[0]?.begun === true;
    waiting = [];
    waitingBytes = 0;
  };
  /** Writes until all is written or the descriptor takes no more. */
  const pump = (): void => {
    for (let head = waiting[0]; head !== undefined; head = waiting[0]) {
      const taken = trySome(writeSome, head.bytes);
      if (typeof taken === 'string') {
        dropWaiting(taken);
        return;
      }
      if (taken === 0) {
        retryLater();
        return;
      }
      retryMs = RETRY_MS_MIN;
      waitingBytes -= taken;
      head.begun = true;
      head.bytes = head.bytes.subarray(taken);
      if (head.bytes.byteLength === 0) waiting.shift();
    }
  };
  const retryLater = (): void => {
    if (willRetry) return;
    willRetry = true;
    after(retryMs, () => {
      willRetry = false;
      retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
      pump();
    });
  };

  return {
    write(line) {
      const ahead = (isLineTorn ? '\n' : '') + (untold > 0 ? tell(untold, why) : '');
      const bytes = Buffer.from(ahead + line);
      if (waiting.length > 0 && waitingBytes + bytes.byteLength > waitingBytesMax) {
        drop(0, 'EAGAIN');
        return;
      }
      waiting.push({ bytes, begun: false, tells: untold });
      waitingBytes += bytes.byteLength;
      untold = 0;
      isLineTorn = false;
      pump();
    },
    flushSync() {
      pump();
      for (let ms = 0; waiting.length > 0 && ms < FLUSH_MS_MAX; ms += FLUSH_PAUSE_MS) {
        pause(FLUSH_PAUSE_MS);
        pump();
      }
    },
    dropped: () => dropped,
  };
}

/** How many bytes were taken, 0 where that has to wait; or the code of what went wrong. */
function trySome(writeSome: WriteSome, bytes: Uint8Array): number | string {
  try {
    return writeSome(bytes);
  } catch (error) {
    const code = codeOf(error) || 'unknown';
    return code === 'EAGAIN' ? 0 : code;
  }
}
