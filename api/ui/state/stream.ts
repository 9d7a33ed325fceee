import { type ReadonlySignal, signal } from '@preact/signals';
import { ApiError, type FeedMessage } from '../../client.ts';
import { createWaits, inFrame, pause, watchStream } from './again.ts';
import { client } from './client.ts';
import { take } from './programs.ts';

/** Whether what is shown is what is. */
export type Stream =
  | { state: 'connecting' }
  | { state: 'live' }
  /** `since`: epoch milliseconds of the last word. */
  | { state: 'lost'; since: number; why: string };

const current = signal<Stream>({ state: 'connecting' });
export const stream: ReadonlySignal<Stream> = current;

/** A tab that has let its stream go comes back for a moment now and then, for what its title says, in milliseconds. */
const HIDDEN_PAUSE_MS = 30_000;

/** Follows the host for as long as the page is there. */
export async function startStream(): Promise<never> {
  let lastId = '';
  const waits = createWaits();
  for (;;) {
    const begunAt = Date.now();
    const found = await followOnce(lastId);
    lastId = found.lastId;
    if (found.why === '') {
      await pause(HIDDEN_PAUSE_MS);
      continue;
    }
    if (current.value.state !== 'lost')
      current.value = { state: 'lost', since: found.heardAt ?? begunAt, why: found.why };
    if (found.heardAt !== undefined) waits.heard();
    await pause(waits.next());
  }
}

interface Followed {
  lastId: string;
  /** Epoch milliseconds of the last word; undefined where none came. */
  heardAt: number | undefined;
  /** Why it ended; `""` where this page ended it. */
  why: string;
}

async function followOnce(lastId: string): Promise<Followed> {
  const abort = new AbortController();
  const watch = watchStream(abort);
  let last = lastId;
  let why = 'the host ended the stream';
  const onHeard = () => {
    watch.heard();
    if (current.value.state !== 'live') current.value = { state: 'live' };
  };
  try {
    for await (const message of client.follow(lastId, abort.signal, onHeard)) {
      if (message.id !== '') last = message.id;
      queue(message);
    }
  } catch (error) {
    why = watch.isLetGo() ? '' : error instanceof ApiError ? error.message : 'the connection broke off';
  } finally {
    watch.end();
    abort.abort();
  }
  return { lastId: last, heardAt: watch.heardAt(), why };
}

let waiting: FeedMessage[] = [];

function queue(message: FeedMessage): void {
  waiting.push(message);
  if (waiting.length === 1) inFrame(flush);
}

function flush(): void {
  const some = waiting;
  waiting = [];
  take(some);
}
