import { appendFile, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { codeOf } from '../../schemas/errors.ts';
import type { NamedEvent, ProgramEvent } from '../../schemas/program.ts';
import { createSerialByName } from '../../schemas/serial.ts';
import { writeAtomic } from '../files/atomic-write.ts';
import { createListeners } from '../files/listeners.ts';
import { readPlainFile } from '../files/read-plain-file.ts';
import { unlessGone } from '../files/unless-gone.ts';
import { dataUnavailable } from './data-unavailable.ts';

/** The contract promises at least this many. */
const EVENTS_KEPT = 1000;
/** The file is cut back to EVENTS_KEPT when it reaches this, so that cutting is rare. */
const EVENTS_MAX = 2000;

/** `data/events/<name>.ndjson`: what happened to each program, kept across restarts of the host. */
export interface EventStore {
  /**
   * Never rejects: an event that can not be written is still given to followers, and written later. The first one since the store was opened is left out where the last one in the file is the same but for its time.
   */
  append(name: string, event: ProgramEvent): Promise<void>;
  /** Oldest first. Rejects `RegistryUnavailable` where what is kept can not be read. */
  list(name: string): Promise<ProgramEvent[]>;
  /** Calls back with every event from now on. */
  subscribe(name: string, listener: (event: ProgramEvent) => void): () => void;
  /**
   * The same of all programs, when it was tried to write the event. One that is left out, since it was written
   * before, comes as it was written then, with the time it had.
   */
  subscribeAll(listener: (name: string, event: ProgramEvent) => void): () => void;
  /**
   * The same of all programs, in the order in which they happen; the first of a program comes when it is known not to
   * be one that was written before, which is left out.
   */
  subscribeNew(listener: (name: string, event: ProgramEvent) => void): () => void;
  /** What was kept of all programs, gone ones too, since that time, oldest first. Rejects `RegistryUnavailable`. */
  since(time: string): Promise<NamedEvent[]>;
  remove(name: string): Promise<void>;
  /** Tries to write what could not be written; resolves when it is tried. */
  writeLeft(): Promise<void>;
}

/** @param onError told what could not be written, and what a listener threw */
export function openEventStore(folder: string, onError: (error: unknown) => void): EventStore {
  const listeners = createListeners<NamedEvent>(onError);
  const all = createListeners<NamedEvent>(onError);
  const fresh = createListeners<NamedEvent>(onError);
  const serial = createSerialByName();
  const fileOf = (name: string) => join(folder, `${name}.ndjson`);
  const { write, unwritten, doubt, isSeen } = createWriter(fileOf);
  /** How many of a program `subscribeNew` waits to tell; what comes behind them waits too. */
  const untold = new Map<string, number>();

  const enqueue = (name: string, work: () => Promise<unknown>): Promise<void> =>
    serial(name, async () => {
      await work().catch((error: unknown) => {
        // What was written of it is not known: the next one looks at the file first.
        doubt(name);
        onError(error);
      });
    });

  async function list(name: string): Promise<ProgramEvent[]> {
    await serial.idle(name);
    const kept = await read(fileOf(name)).catch((error: unknown) => {
      throw dataUnavailable(`events/${name}.ndjson`, 'read', error);
    });
    return [...kept, ...(unwritten.get(name) ?? [])];
  }

  return {
    append(name, event) {
      listeners.tell({ name, event });
      const isKnownNew = isSeen(name) && !untold.has(name);
      if (isKnownNew) fresh.tell({ name, event });
      else untold.set(name, (untold.get(name) ?? 0) + 1);
      return enqueue(name, async () => {
        let before: ProgramEvent | undefined;
        try {
          before = await write(name, [event]);
        } finally {
          all.tell({ name, event: before ?? event });
          if (!isKnownNew) {
            const left = (untold.get(name) ?? 1) - 1;
            if (left === 0) untold.delete(name);
            else untold.set(name, left);
            if (before === undefined) fresh.tell({ name, event });
          }
        }
      });
    },
    async writeLeft() {
      await Promise.all([...unwritten.keys()].map((name) => enqueue(name, () => write(name, []))));
    },
    list,
    subscribe: (name, listener) =>
      listeners.add((told) => {
        if (told.name === name) listener(told.event);
      }),
    subscribeAll: (listener) => all.add(({ name, event }) => listener(name, event)),
    subscribeNew: (listener) => fresh.add(({ name, event }) => listener(name, event)),
    async since(time) {
      const names = new Set([...(await changedSince(folder, Date.parse(time))), ...unwritten.keys()]);
      const found: NamedEvent[] = [];
      for (const name of names)
        for (const event of await list(name)) if (event.time >= time) found.push({ name, event });
      return found.sort((one, other) => (one.event.time < other.event.time ? -1 : 1));
    },
    remove: (name) =>
      enqueue(name, async () => {
        doubt(name);
        unwritten.delete(name);
        await rm(fileOf(name), { force: true });
      }),
  };
}

/** Writes events behind what their files have. */
interface Writer {
  /**
   * Writes what is left of a program's, and more.
   * @param more one, or none
   * @returns what was written before instead of it
   */
  write(name: string, more: readonly ProgramEvent[]): Promise<ProgramEvent | undefined>;
  /** What could not be written yet, as on a full disk. */
  unwritten: Map<string, ProgramEvent[]>;
  /** What its file has is not known any more. */
  doubt(name: string): void;
  /** Whether what comes next can not be what a host that was killed wrote last. */
  isSeen(name: string): boolean;
}

function createWriter(fileOf: (name: string) => string): Writer {
  const counts = new Map<string, number>();
  const unwritten: Writer['unwritten'] = new Map();
  /** Programs whose last event may be one of a host that was killed. */
  const seen = new Set<string>();
  return {
    unwritten,
    doubt: (name) => void counts.delete(name),
    isSeen: (name) => seen.has(name),
    async write(name, more) {
      const path = fileOf(name);
      let backlog = (unwritten.get(name) ?? []).slice(-EVENTS_KEPT);
      if (backlog.length + more.length === 0) return undefined;
      unwritten.set(name, [...backlog, ...more]);
      let count = counts.get(name);
      if (count === undefined) {
        const kept = await readWhole(path);
        count = kept.length;
        // A disk that was full may have taken some of them.
        backlog = without(backlog, kept);
        const isTold = !seen.has(name) && more.some((event) => isSameNews(kept.at(-1), event));
        seen.add(name);
        if (isTold) {
          counts.set(name, count);
          unwritten.delete(name);
          return kept.at(-1);
        }
      }
      const events = [...backlog, ...more];
      await appendFile(path, linesOf(events), { mode: 0o600 });
      unwritten.delete(name);
      count += events.length;
      counts.set(name, count < EVENTS_MAX ? count : await cutBack(path));
      return undefined;
    },
  };
}

/** A clock that was put back may have written a file earlier than what is in it says. */
const MTIME_MARGIN_MS = 60 * 60_000;

/** The programs whose files were written to since then; epoch milliseconds. */
async function changedSince(folder: string, ms: number): Promise<string[]> {
  const files = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw dataUnavailable('events', 'read', error);
  });
  const names: string[] = [];
  for (const file of files) {
    if (!file.endsWith('.ndjson')) continue;
    const found = await stat(join(folder, file)).catch(unlessGone);
    if (found !== undefined && found.mtimeMs >= ms - MTIME_MARGIN_MS)
      names.push(file.slice(0, -'.ndjson'.length));
  }
  return names;
}

function linesOf(events: readonly ProgramEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

function without(events: readonly ProgramEvent[], kept: readonly ProgramEvent[]): ProgramEvent[] {
  const last = new Set(kept.slice(-EVENTS_KEPT).map((event) => JSON.stringify(event)));
  return events.filter((event) => !last.has(JSON.stringify(event)));
}

/** @returns how many are left */
async function cutBack(path: string): Promise<number> {
  const kept = (await read(path)).slice(-EVENTS_KEPT);
  await writeAtomic(path, linesOf(kept), { mode: 0o600 });
  return kept.length;
}

/** A host killed while it wrote leaves a line without its end; the next one must not be glued to it. */
async function readWhole(path: string): Promise<ProgramEvent[]> {
  const kept = await read(path);
  await endLine(path);
  return kept;
}

async function endLine(path: string): Promise<void> {
  const file = await open(path, 'r+').catch(unlessGone);
  if (file === undefined) return;
  try {
    const { size } = await file.stat();
    if (size === 0) return;
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    if (buffer[0] !== 0x0a) await file.write('\n', size);
  } finally {
    await file.close();
  }
}

/** A host that was killed before it could write its status finds the same again at its next start. */
function isSameNews(last: ProgramEvent | undefined, event: ProgramEvent): boolean {
  return last !== undefined && isDeepStrictEqual({ ...last, time: '' }, { ...event, time: '' });
}

async function read(path: string): Promise<ProgramEvent[]> {
  const text = (await readPlainFile(path).catch(unlessGone)) ?? '';
  return text.split('\n').flatMap((line) => {
    try {
      const event = JSON.parse(line) as ProgramEvent;
      return typeof event?.reason === 'string' ? [event] : [];
    } catch {
      return [];
    }
  });
}
