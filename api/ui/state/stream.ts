import { type ReadonlySignal, signal } from '@preact/signals';
import { ApiError, type FeedMessage } from '../../client.ts';
import { createWaits, inFrame, pause, watchSilence } from './again.ts';
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

/** Follows the host for as long as the page is there. */
export async function startStream(): Promise<never> {
  let lastId = '';
  const waits = createWaits();
  for (;;) {
    let heardAt = Date.now();
    const abort = new AbortController();
    const silence = watchSilence(abort);
    let why = 'the host ended the stream';
    try {
      for await (const message of client.follow(lastId, abort.signal, () => {
        heardAt = Date.now();
        silence.heard();
        waits.heard();
        if (current.value.state !== 'live') current.value = { state: 'live' };
      })) {
        if (message.id !== '') lastId = message.id;
        queue(message);
      }
    } catch (error) {
      why = error instanceof ApiError ? error.message : 'the connection broke off';
    } finally {
      silence.end();
      abort.abort();
    }
    if (current.value.state !== 'lost') current.value = { state: 'lost', since: heardAt, why };
    await pause(waits.next());
  }
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
