import type { ProgramEvent } from '../../schemas/program.ts';
import type { ProgramStore } from '../deps.ts';
import { createFeedLog, type FeedEntry, type FeedLog, type FeedOptions, frameOf } from './feed-log.ts';
import { type FeedMark, FOREIGN, idOf, isNotSent, markAfter, parseId } from './feed-mark.ts';
import { type FeedView, viewFor } from './feed-view.ts';
import type { ViewCache } from './view.ts';

/** Messages in one piece of an answer. */
const BATCH = 200;

/** What happens to all programs, for any number of listeners. */
export interface Feed {
  /**
   * Server-sent events: `program` with its whole view whenever that changes, `removed`, and `event` for each event. A
   * client that begins, or comes back after too long, is told first what it missed of the events, then `snapshot`, all
   * programs, and `synced`. Ends when the signal fires, or when the client reads too slowly: then it comes back.
   * @param lastId `Last-Event-ID` of a client that comes back: it gets what came after it, each once
   */
  follow(lastId: string | undefined, options: FeedOptions): AsyncGenerator<Uint8Array>;
}

interface Sources {
  programs: ProgramStore;
  views: ViewCache;
  log: FeedLog;
}

/** Begins with the first listener: where nobody asks, no change costs anything. @param now epoch milliseconds */
export function createFeed(programs: ProgramStore, views: ViewCache, now: () => number): Feed {
  let begun: ReturnType<typeof begin> | undefined;

  function begin() {
    const nowMs = now();
    const boot = nowMs.toString(36);
    const log = createFeedLog(boot, nowMs);
    const { flush, ownerOf } = tellPrograms({ programs, views, log });
    programs.onNewEvent((name, event) => {
      log.push('event', JSON.stringify(eventBody(name, event)), ownerOf(name), { name, event });
    });
    return { boot, log, flush };
  }

  return {
    async *follow(lastId, options) {
      begun ??= begin();
      const { boot, log, flush } = begun;
      const known = parseId(lastId);
      const shown = viewFor(options.who, programs);
      const isKept = known?.boot === boot && log.after(known.seq, 0) !== undefined;
      if (isKept) yield encode(': following\n\n');
      else flush();
      let cursor = isKept ? known.seq : log.mark().seq;
      if (!isKept) yield* batches(whole({ programs, views, log }, known, shown));
      while (!options.signal.aborted) {
        const entries = log.after(cursor, BATCH);
        // It reads too slowly; it comes back, and is told by what the disk has.
        if (entries === undefined) return;
        cursor += entries.length;
        const text = entries.map(shown.frameOf).join('');
        if (text !== '') yield encode(text);
        else if (entries.length === 0 && (await log.wait(options))) yield encode(': still here\n\n');
      }
    },
  };
}

/** An event as the host-wide stream and list have it. */
export function eventBody(name: string, event: ProgramEvent): ProgramEvent & { program_id: string } {
  return { program_id: name, ...event };
}

/** Has the log told of each program that changes from now on. @returns what does so at once, and whose a program is */
function tellPrograms({ programs, views, log }: Sources) {
  /** The newest message of each program, the view that it has, and whose it is; undefined: no single user's. */
  const shown = new Map<string, { entry?: FeedEntry; body: Buffer; owner: string | undefined }>();
  const changed = new Set<string>();

  function tell(name: string): void {
    const view = programs.get(name);
    const before = shown.get(name);
    const body = view && views.one(view);
    const owner = view?.owner;
    // Much of what a status remembers is not shown.
    if (body === undefined ? before === undefined : before?.owner === owner && before?.body.equals(body))
      return;
    // What is not told any more is not kept either.
    if (before?.entry !== undefined) {
      before.entry.frame = '';
      before.entry.data = '';
    }
    shown.delete(name);
    if (before !== undefined && (body === undefined || owner !== before.owner)) {
      const removed = log.push('removed', JSON.stringify({ program_id: name }), before.owner);
      // For whose it was it is gone, though somebody else has it now.
      if (body !== undefined) removed.frame = '';
    }
    if (body !== undefined)
      shown.set(name, { entry: log.push('program', body.toString(), owner), body, owner });
  }

  function flush(): void {
    const names = [...changed];
    changed.clear();
    for (const name of names) tell(name);
  }

  for (const view of programs.list()) shown.set(view.name, { body: views.one(view), owner: view.owner });
  programs.onAnyChange((name) => {
    if (changed.size === 0) setImmediate(flush);
    changed.add(name);
  });
  const ownerOf = (name: string) => {
    const view = programs.get(name);
    return view === undefined ? shown.get(name)?.owner : view.owner;
  };
  return { flush, ownerOf };
}

/** All that there is, behind what a client missed of the events. @param known what it had last, where it had any */
async function* whole(
  { programs, views, log }: Sources,
  known: FeedMark | undefined,
  shown: FeedView,
): AsyncGenerator<string> {
  const id = idOf(shown.markOf(log.mark()));
  if (known !== undefined) yield* missedEvents({ programs, log }, known, shown);
  const all = programs.list().filter(shown.has);
  yield frameOf('snapshot', JSON.stringify({ count: all.length }));
  for (const view of all) yield frameOf('program', views.one(view).toString());
  yield frameOf('synced', '{}', id);
}

/** What a client missed whose last message was another host's, or too long ago. */
async function* missedEvents(
  { programs, log }: Pick<Sources, 'programs' | 'log'>,
  known: FeedMark,
  shown: FeedView,
): AsyncGenerator<string> {
  const { seq } = log.mark();
  const found = await programs.eventsSince(new Date(known.ms).toISOString());
  // What happened while this was read comes all the same.
  const live = new Set((log.after(seq) ?? []).map(({ data }) => data));
  let at: FeedMark = { ...known, boot: FOREIGN };
  for (const { name, event } of found.filter(shown.hasEvent).filter(isNotSent(known))) {
    const data = JSON.stringify(eventBody(name, event));
    at = markAfter(at, { name, event });
    if (!live.has(data)) yield frameOf('event', data, idOf(at));
  }
}

async function* batches(frames: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  let waiting: string[] = [];
  for await (const frame of frames) {
    waiting.push(frame);
    if (waiting.length < BATCH) continue;
    yield encode(waiting.join(''));
    waiting = [];
  }
  if (waiting.length > 0) yield encode(waiting.join(''));
}

function encode(text: string): Uint8Array {
  return Buffer.from(text);
}
