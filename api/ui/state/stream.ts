import { type ReadonlySignal, signal } from '@preact/signals';
import { ApiError, type FeedMessage } from '../../client.ts';
import { createWaits, HIDDEN_MS_MAX, inFrame, pause, SILENT_MS_MAX } from './again.ts';
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
    const found = await followOnce(lastId);
    lastId = found.lastId;
    if (found.why === '') {
      await pause(HIDDEN_PAUSE_MS);
      continue;
    }
    if (current.value.state !== 'lost')
      current.value = { state: 'lost', since: found.heardAt, why: found.why };
    if (found.isHeard) waits.heard();
    await pause(waits.next());
  }
}

interface Followed {
  lastId: string;
  isHeard: boolean;
  /** Epoch milliseconds. */
  heardAt: number;
  /** Why it ended; `""` where this page ended it. */
  why: string;
}

async function followOnce(lastId: string): Promise<Followed> {
  const abort = new AbortController();
  const found: Followed = { lastId, isHeard: false, heardAt: Date.now(), why: 'the host ended the stream' };
  let isLetGo = false;
  let hiddenMs = 0;
  const watch = setInterval(() => {
    hiddenMs = document.visibilityState === 'visible' ? 0 : hiddenMs + 1_000;
    isLetGo = hiddenMs >= HIDDEN_MS_MAX && found.isHeard;
    if (isLetGo || Date.now() - found.heardAt > SILENT_MS_MAX) abort.abort();
  }, 1_000);
  const onHeard = () => {
    Object.assign(found, { isHeard: true, heardAt: Date.now() });
    if (current.value.state !== 'live') current.value = { state: 'live' };
  };
  try {
    for await (const message of client.follow(lastId, abort.signal, onHeard)) {
      if (message.id !== '') found.lastId = message.id;
      queue(message);
    }
  } catch (error) {
    found.why = isLetGo ? '' : error instanceof ApiError ? error.message : 'the connection broke off';
  } finally {
    clearInterval(watch);
    abort.abort();
  }
  return found;
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
