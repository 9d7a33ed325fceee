import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { LogRun } from '../../../schemas/log-line.ts';
import type { RevisionView } from '../../program-answers.ts';
import type { EventBody } from '../words/event-body.ts';
import { wordsOfError } from './acts.ts';
import { client } from './client.ts';
import { onEvent } from './programs.ts';
import { send } from './session.ts';
import { stream } from './stream.ts';

/** What is kept of one program, as far as it was answered; undefined before. */
export interface History {
  /** Oldest first. */
  events: readonly EventBody[] | undefined;
  revisions: readonly RevisionView[] | undefined;
  /** Those that the host knows: of its own time, and of the container that is there. */
  runs: readonly LogRun[] | undefined;
  /** Why something of it is not there, by what it is; what was known before stays. */
  failed: Readonly<Partial<Record<'events' | 'revisions' | 'runs', string>>>;
}

const EMPTY: History = { events: undefined, revisions: undefined, runs: undefined, failed: {} };
/** As many as the host keeps. */
const EVENTS_MAX = 2_000;
/** What an event changes is asked for when no other came for so long, in milliseconds. */
const CALM_MS = 500;
/** And no oftener than this. */
const AGAIN_MS = 4_000;

interface Kept {
  history: Signal<History>;
  users: number;
  stop: () => void;
}

const kept = new Map<string, Kept>();

/** The history of a program; asked for and kept up to date while somebody uses it, see `useHistory`. */
export function historyOf(name: string): ReadonlySignal<History> {
  return entryOf(name).history;
}

function entryOf(name: string): Kept {
  let found = kept.get(name);
  if (found === undefined) {
    found = { history: signal(EMPTY), users: 0, stop: () => undefined };
    kept.set(name, found);
  }
  return found;
}

/** Has it kept up to date, until what it gives is called. */
export function followHistory(name: string): () => void {
  const entry = entryOf(name);
  if (entry.users++ === 0) entry.stop = follow(name, entry.history);
  return () => {
    if (--entry.users > 0) return;
    entry.stop();
    kept.delete(name);
  };
}

/** Asks now for what no event tells: how revisions stand, and which runs there were. */
function follow(name: string, history: Signal<History>): () => void {
  let isOver = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let askedAt = 0;
  const put = <K extends 'events' | 'revisions' | 'runs'>(key: K, ask: Promise<NonNullable<History[K]>>) =>
    ask.then(
      (value) => {
        if (isOver) return;
        const { [key]: _, ...failed } = history.peek().failed;
        const merged = key === 'events' ? joined(value as EventBody[], history.peek().events ?? []) : value;
        history.value = { ...history.peek(), [key]: merged, failed };
      },
      (error: unknown) => {
        if (isOver) return;
        const failed = { ...history.peek().failed, [key]: wordsOfError(error) };
        history.value = { ...history.peek(), failed };
      },
    );
  const askMore = () => {
    askedAt = Date.now();
    timer = undefined;
    void put('revisions', client.revisions(name));
    void put('runs', askRuns(name));
  };
  const stopEvents = onEvent(({ program_id, ...event }) => {
    if (program_id !== name) return;
    const { events } = history.peek();
    if (events !== undefined) history.value = { ...history.peek(), events: joined(events, [event]) };
    timer ??= setTimeout(askMore, Math.max(CALM_MS, askedAt + AGAIN_MS - Date.now()));
  });
  // Also when the stream is back: what it could not tell meanwhile is asked for.
  const stopStream = stream.subscribe(({ state }) => {
    if (state === 'lost') return;
    batch(() => {
      void put('events', client.events(name));
      askMore();
    });
  });
  return () => {
    isOver = true;
    clearTimeout(timer);
    stopEvents();
    stopStream();
  };
}

/** The runs alone, without a line. */
async function askRuns(name: string): Promise<LogRun[]> {
  const answer = await send(`/programs/${encodeURIComponent(name)}/logs?format=json&tail=0`);
  const body = (await answer.json()) as { runs?: LogRun[]; message?: string };
  if (body.runs === undefined) throw new Error(body.message ?? answer.statusText);
  return body.runs;
}

/** What came by the stream while the list was under way is in both. */
function joined(first: readonly EventBody[], more: readonly EventBody[]): EventBody[] {
  const keyOf = (event: EventBody) => `${event.time} ${event.reason} ${event.state} ${event.message}`;
  const known = new Set(first.map(keyOf));
  const all = [...first, ...more.filter((event) => !known.has(keyOf(event)))];
  return all.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)).slice(-EVENTS_MAX);
}
