import { setTimeout as delay } from 'node:timers/promises';
import type { ProgramEvent } from '../../schemas/program.ts';
import type { ProgramStore } from '../deps.ts';

export interface FollowOptions {
  signal: AbortSignal;
  /** `Last-Event-ID` of a client that comes back: only what came after it is sent. */
  lastId: string | undefined;
  /** A comment is sent after so long without an event, in milliseconds. */
  heartbeatMs: number;
}

/**
 * A program's events as server-sent events: the ones so far, then new ones as they come, none lost or sent twice
 * between. Ids are `<time>/<n>`, n counting events of the same millisecond, so that they mean the same after a
 * restart of the host. Ends when the signal fires or the program is gone.
 */
export async function* followEvents(
  programs: ProgramStore,
  name: string,
  options: FollowOptions,
): AsyncGenerator<Uint8Array> {
  const live = programs.followEvents(name, options.signal)[Symbol.asyncIterator]();
  try {
    // Asked for first, so that what happens while the history is read waits here.
    let next = live.next();
    next.catch(() => {});
    const history = await programs.events(name);
    const number = createNumbering();
    const seen = new Set<string>();
    const past = history.map((event) => ({ id: number(event), event }));
    const start = past.findIndex(({ id }) => id === options.lastId) + 1;
    for (const { event } of past) seen.add(JSON.stringify(event));
    if (past.length > start) {
      yield encode(
        past
          .slice(start)
          .map(({ id, event }) => frame(id, event))
          .join(''),
      );
    } else {
      yield encode(': following\n\n');
    }

    for (;;) {
      const result = await withHeartbeat(next, options);
      if (result === 'idle') {
        yield encode(': still here\n\n');
        continue;
      }
      if (result.done === true) return;
      next = live.next();
      next.catch(() => {});
      const event = result.value;
      // Only the events that came while the history was read can be in both, and they come first.
      if (seen.size > 0) {
        if (seen.delete(JSON.stringify(event))) continue;
        seen.clear();
      }
      yield encode(frame(number(event), event));
    }
  } finally {
    live.return?.()?.catch(() => {});
  }
}

/** What comes next, or `idle` after so long without it; `next` goes on. */
export async function withHeartbeat<T>(
  next: Promise<T>,
  options: Pick<FollowOptions, 'heartbeatMs'>,
): Promise<T | 'idle'> {
  const timer = new AbortController();
  const idle = delay(options.heartbeatMs, 'idle' as const, { signal: timer.signal });
  idle.catch(() => {});
  try {
    return await Promise.race([next, idle]);
  } finally {
    timer.abort();
  }
}

function createNumbering(): (event: ProgramEvent) => string {
  let time = '';
  let count = 0;
  return (event) => {
    count = event.time === time ? count + 1 : 0;
    time = event.time;
    return `${time}/${count}`;
  };
}

function frame(id: string, event: ProgramEvent): string {
  return `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

function encode(text: string): Uint8Array {
  return Buffer.from(text);
}
