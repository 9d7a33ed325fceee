import { type ReadonlySignal, signal } from '@preact/signals';
import { ApiError, type FeedMessage } from '../../client.ts';
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

/** Waits between tries, in milliseconds. */
const AGAIN_MS = 500;
const AGAIN_MS_MAX = 10_000;
/** The host sends a comment at least every 15 s; what is silent for longer than this is broken, in milliseconds. */
const SILENT_MS_MAX = 40_000;

/** Follows the host for as long as the page is there. */
export async function startStream(): Promise<never> {
  let lastId = '';
  let waitMs = AGAIN_MS;
  for (;;) {
    let heardAt = Date.now();
    const abort = new AbortController();
    const watch = setInterval(() => {
      if (Date.now() - heardAt > SILENT_MS_MAX) abort.abort();
    }, 5_000);
    let why = 'the host ended the stream';
    try {
      for await (const message of client.follow(lastId, abort.signal, () => {
        heardAt = Date.now();
        waitMs = AGAIN_MS;
        if (current.value.state !== 'live') current.value = { state: 'live' };
      })) {
        if (message.id !== '') lastId = message.id;
        queue(message);
      }
    } catch (error) {
      why = error instanceof ApiError ? error.message : 'the connection broke off';
    } finally {
      clearInterval(watch);
      abort.abort();
    }
    if (current.value.state !== 'lost') current.value = { state: 'lost', since: heardAt, why };
    await pause(waitMs);
    waitMs = Math.min(AGAIN_MS_MAX, waitMs * 2);
  }
}

let waiting: FeedMessage[] = [];

function queue(message: FeedMessage): void {
  waiting.push(message);
  if (waiting.length > 1) return;
  // A tab that is not seen has no frames.
  if (document.visibilityState === 'visible') requestAnimationFrame(flush);
  else setTimeout(flush, 250);
}

function flush(): void {
  const some = waiting;
  waiting = [];
  take(some);
}

/** Ends early when the tab is looked at again, or the network is back. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener('online', end);
      document.removeEventListener('visibilitychange', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    addEventListener('online', end);
    document.addEventListener('visibilitychange', end);
  });
}
