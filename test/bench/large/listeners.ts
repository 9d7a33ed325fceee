/**
 * As many event streams of one host as are asked for, in a process of its own: `listeners.ts URL COUNT`. One that ends
 * comes back behind what it had last, as a browser does. Tells its parent `ready`, and when asked what came.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';

const [url = '', count = '0'] = process.argv.slice(2);
/** Enough for the last frame's first lines. */
const KEPT_CHARS = 4_096;
const BACK_MS = 1_000;
const told = { streams: Number(count), bytes: 0, messages: 0, comebacks: 0 };

/** One after the other until each has heard of all programs: a hundred lists at once are no use of a host. */
for (let index = 0; index < told.streams; index++) await new Promise<void>((resolve) => void listen(resolve));
process.on('message', () => process.send?.(told));
process.send?.('ready');

async function listen(synced: () => void): Promise<void> {
  let lastId = '';
  for (;;) {
    try {
      const headers = lastId === '' ? {} : { 'last-event-id': lastId };
      const options = { headers, bodyTimeout: 0, headersTimeout: 0 };
      const { body } = await request(`${url}/events?follow=true`, options);
      let kept = '';
      for await (const chunk of body.setEncoding('utf8')) {
        const text = String(chunk);
        told.bytes += text.length;
        told.messages += text.split('\n\n').length - 1;
        kept = (kept + text).slice(-KEPT_CHARS);
        lastId = [...kept.matchAll(/^id: ?(.+)$/gm)].at(-1)?.[1] ?? lastId;
        if (kept.includes('event: synced')) synced();
      }
    } catch {
      // The host may be ended before we are.
    }
    told.comebacks++;
    await sleep(BACK_MS);
  }
}
