import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { FeedMessage, NamedEventBody } from '../../client.ts';
import type { ProgramBody } from '../../routes/view.ts';
import { isUp } from '../words/kind.ts';
import { noteStopped } from './usage.ts';

/**
 * All programs as the host tells them. Each is a signal of its own: a change of one draws one row. Messages are taken
 * together once a frame, however many come.
 */

const all = new Map<string, Signal<ProgramBody>>();
const nameList = signal<readonly string[]>([]);
const loaded = signal(false);
const revision = signal(0);

/** Of all programs, sorted. */
export const names: ReadonlySignal<readonly string[]> = nameList;
/** Whether the first whole list has come. */
export const isLoaded: ReadonlySignal<boolean> = loaded;
/** Goes up whenever any program has changed. */
export const changes: ReadonlySignal<number> = revision;

/** The signal of a program; undefined for one that is not there. Depends on `names`. */
export function programOf(name: string): ReadonlySignal<ProgramBody> | undefined {
  nameList.value;
  return all.get(name);
}

type Listener = (event: NamedEventBody) => void;
const listeners = new Set<Listener>();

/** Told of each event that the stream brings. @returns what ends that */
export function onEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** What the snapshot that is under way has named; who is not among them when it ends is gone. */
let named: Set<string> | undefined;

/** Takes up what came, in its order. */
export function take(messages: readonly FeedMessage[]): void {
  batch(() => {
    const before = new Set(all.keys());
    let isChanged = false;
    for (const message of messages) {
      if (message.type === 'event') for (const listener of listeners) listener(message.data);
      else isChanged = takeOne(message) || isChanged;
    }
    const isSame = before.size === all.size && [...all.keys()].every((name) => before.has(name));
    if (!isSame || !loaded.peek()) nameList.value = [...all.keys()].sort();
    if (isChanged) revision.value++;
  });
}

function takeOne(message: Exclude<FeedMessage, { type: 'event' }>): boolean {
  switch (message.type) {
    case 'program':
      named?.add(message.data.program_id);
      return put(message.data);
    case 'removed':
      return all.delete(message.data.program_id);
    case 'snapshot':
      named = new Set();
      return false;
    case 'synced': {
      const gone = [...all.keys()].filter((name) => named !== undefined && !named.has(name));
      for (const name of gone) all.delete(name);
      named = undefined;
      loaded.value = true;
      return true;
    }
  }
}

function put(body: ProgramBody): boolean {
  const known = all.get(body.program_id);
  if (known === undefined) all.set(body.program_id, signal(body));
  else {
    if (isUp(known.peek()) && !isUp(body)) noteStopped(body.program_id);
    known.value = body;
  }
  return true;
}
