import type { NamedEvent } from '../../schemas/program.ts';
import type { Who } from '../../schemas/token.ts';
import { type FeedMark, idOf, markAfter } from './feed-mark.ts';

/** Messages kept for clients that come back; one that was away for longer is told by what the disk has. */
const KEPT_MAX = 5_000;

/** One message to all listeners. */
export interface FeedEntry {
  /** `""` where nobody who may see all programs is told of it: only how a program is now is. */
  frame: string;
  /** Of the program that it tells of; undefined where that is not known, and nobody's in particular. */
  userId: string | undefined;
  type: string;
  /** What the frame is made of; `""` where the program changed again since, so that nobody is told. */
  data: string;
  mark: FeedMark;
}

export interface FeedOptions {
  signal: AbortSignal;
  /** A comment is sent after so long without a message, in milliseconds. */
  heartbeatMs: number;
  /** Whose programs are told of; left out, all. */
  who?: Who | undefined;
}

/** The messages of the feed, numbered, as far back as they are kept. */
export interface FeedLog {
  /** Of the newest. */
  mark(): FeedMark;
  /** @param userId of the program. @param event that it tells of */
  push(type: string, data: string, userId: string | undefined, event?: NamedEvent): FeedEntry;
  /** What came behind that number, `max` at most; undefined where not all of it is kept any more. */
  after(seq: number, max?: number): FeedEntry[] | undefined;
  /** Resolves when there is more, the signal fires, or nothing came for the time of a heartbeat: then to true. */
  wait(options: FeedOptions): Promise<boolean>;
}

/** @param boot tells this host's runs apart. @param nowMs epoch milliseconds */
export function createFeedLog(boot: string, nowMs: number): FeedLog {
  const entries: FeedEntry[] = [];
  const waiting = new Set<() => void>();
  let mark: FeedMark = { boot, seq: 0, ms: nowMs - 1, names: new Map() };

  return {
    mark: () => mark,
    push(type, data, userId, event) {
      mark = markAfter({ ...mark, seq: mark.seq + 1 }, event);
      const entry = { frame: frameOf(type, data, idOf(mark)), userId, type, data, mark };
      entries.push(entry);
      if (entries.length > KEPT_MAX * 2) entries.splice(0, KEPT_MAX);
      for (const wake of [...waiting]) wake();
      return entry;
    },
    after(seq, max = KEPT_MAX * 2) {
      const start = seq - (mark.seq - entries.length);
      return start < 0 || seq > mark.seq ? undefined : entries.slice(start, start + max);
    },
    wait({ signal, heartbeatMs }) {
      return new Promise((resolve) => {
        const done = (idle: boolean) => {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          waiting.delete(wake);
          resolve(idle);
        };
        const wake = () => done(false);
        const timer = setTimeout(done, heartbeatMs, true);
        signal.addEventListener('abort', wake);
        waiting.add(wake);
      });
    },
  };
}

/** A server-sent event. @param data without a line feed */
export function frameOf(type: string, data: string, id = ''): string {
  return `${id === '' ? '' : `id: ${id}\n`}event: ${type}\ndata: ${data}\n\n`;
}
