import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApi } from '../../../api/app.ts';
import { timestamp } from '../../../schemas/program.ts';
import { caller } from '../call.ts';
import { CREATED_AT, fakeView } from '../fake-view.ts';
import type { FakeHost } from '../fakes.ts';
import { assertMatches, openapi } from '../openapi.ts';

const BEGAN_MS = Date.parse(CREATED_AT);

function happen(host: FakeHost, name: string, reason: string, afterMs = 1): void {
  const time = timestamp(BEGAN_MS + afterMs);
  host.emit(name, { time, type: 'Normal', reason, message: reason, state: 'Ready', revision: 1 });
}

interface Message {
  id: string;
  type: string;
  data: Record<string, unknown>;
}

type Open = (path: string, headers?: Record<string, string>) => Response | Promise<Response>;

/** A client of the feed. */
async function listen(open: Open, lastId?: string) {
  const response = await open('/events?follow=true', lastId === undefined ? {} : { 'Last-Event-ID': lastId });
  assert.equal(response.headers.get('Content-Type'), 'text/event-stream');
  const reader = response.body?.getReader() ?? assert.fail('no body');
  let text = '';
  const messages: Message[] = [];
  return {
    messages,
    /** Reads on until a message, or a comment, has this; gives the words of all that is read until then. */
    async until(pattern: RegExp): Promise<string[]> {
      const from = messages.length;
      for (let isThere = false; !isThere; ) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`the stream ended without ${pattern}`);
        text += Buffer.from(value).toString();
        const whole = text.split('\n\n');
        text = whole.pop() ?? '';
        isThere = whole.some((one) => pattern.test(one));
        messages.push(...whole.filter((one) => !one.startsWith(':')).map(messageOf));
      }
      return messages.slice(from).map(wordsOf);
    },
    lastId: () => messages.findLast(({ id }) => id !== '')?.id ?? assert.fail('no id'),
    close: () => reader.cancel(),
  };
}

function messageOf(frame: string): Message {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(frame)?.[1] ?? '';
  return { id: field('id'), type: field('event'), data: JSON.parse(field('data')) };
}

function wordsOf({ type, data }: Message): string {
  return [type, data.program_id ?? data.count, data.reason || data.state]
    .filter((word) => word !== undefined)
    .join(' ');
}

test('a client that begins gets all programs, then what changes of any of them, as each is then', async () => {
  const { host, open } = caller([fakeView('a'), fakeView('b')]);
  const client = await listen(open);
  const begin = await client.until(/synced/);
  assert.deepEqual(begin, ['snapshot 2', 'program a Ready', 'program b Ready', 'synced']);
  host.put(fakeView('b', { state: 'Running' }));
  happen(host, 'a', 'Unready');
  assert.deepEqual(await client.until(/event: program/), ['event a Unready', 'program b Running']);
  await host.deps.programs.remove('a');
  assert.deepEqual(await client.until(/event: removed/), ['removed a']);
  for (const { type, data } of client.messages) {
    const schema = { program: 'Program', event: 'NamedEvent' }[type];
    if (schema !== undefined) assertMatches(`#/components/schemas/${schema}`, JSON.stringify(data), type);
  }
  await client.close();
});

test('what is not shown is not told, and of many changes in a row only the last', async () => {
  const { host, open } = caller([fakeView('a')]);
  const client = await listen(open);
  await client.until(/synced/);
  host.put(fakeView('a'));
  for (const state of ['Running', 'Stopping', 'Stopped'] as const) host.put(fakeView('a', { state }));
  assert.deepEqual(await client.until(/event: program/), ['program a Stopped']);
  await client.close();
});

test('a client that comes back gets what came meanwhile, each once', async () => {
  const { host, open } = caller([fakeView('a'), fakeView('b')]);
  const first = await listen(open);
  await first.until(/synced/);
  happen(host, 'a', 'One');
  await first.until(/One/);
  const lastId = first.lastId();
  await first.close();
  for (const [name, reason] of [
    ['b', 'Two'],
    ['a', 'Three'],
  ] as const)
    happen(host, name, reason);
  host.put(fakeView('b', { state: 'Running' }));
  const again = await listen(open, lastId);
  assert.deepEqual(await again.until(/event: program/), [
    'event b Two',
    'event a Three',
    'program b Running',
  ]);
  await again.close();
});

test('over a restart of the host a client gets the events that it missed, each once, and all programs', async () => {
  const { host, open } = caller([fakeView('a'), fakeView('b')]);
  const first = await listen(open);
  await first.until(/synced/);
  // Of one millisecond are more than the client had time to read.
  happen(host, 'a', 'Early', 1);
  happen(host, 'b', 'Read', 7);
  await first.until(/Read/);
  const lastId = first.lastId();
  await first.close();
  happen(host, 'a', 'Unread', 7);
  happen(host, 'b', 'Unread', 7);
  happen(host, 'b', 'Late', 9);
  host.deps.now = () => BEGAN_MS + 60_000;
  const app = createApi(host.deps);
  const again = await listen((path, headers = {}) => app.request(path, { headers }), lastId);
  const missed = ['event a Unread', 'event b Unread', 'event b Late'];
  const all = ['snapshot 2', 'program a Ready', 'program b Ready', 'synced'];
  assert.deepEqual(await again.until(/synced/), [...missed, ...all]);

  // One that broke off in the midst of that goes on in the midst of it.
  const midway = again.messages[1]?.id;
  const third = await listen((path, headers = {}) => app.request(path, { headers }), midway);
  assert.deepEqual(await third.until(/synced/), ['event b Late', ...all]);
  for (const client of [again, third]) await client.close();
});

test('what happens while the kept events are read is told once', async () => {
  const { host, open } = caller([fakeView('a')]);
  const lastId = `1-1-${BEGAN_MS}~`;
  const { eventsSince } = host.deps.programs;
  host.deps.programs.eventsSince = async (time) => {
    happen(host, 'a', 'Meanwhile', 5);
    return eventsSince(time);
  };
  const client = await listen(open, lastId);
  await client.until(/synced/);
  happen(host, 'a', 'After', 6);
  await client.until(/After/);
  const events = client.messages.filter(({ type }) => type === 'event').map(wordsOf);
  assert.deepEqual(events, ['event a Meanwhile', 'event a After']);
  await client.close();
});

test('one that was away for so long that it is not kept begins anew; one with a strange id too', async () => {
  const { host, open } = caller([fakeView('a')]);
  const first = await listen(open);
  await first.until(/synced/);
  happen(host, 'a', 'Read');
  await first.until(/Read/);
  const lastId = first.lastId();
  await first.close();
  const COUNT = 12_000;
  for (let index = 0; index < COUNT; index++) happen(host, 'a', 'Flood', 2);
  const again = await listen(open, lastId);
  const words = await again.until(/synced/);
  assert.equal(words.filter((word) => word === 'event a Flood').length, COUNT);
  assert.equal(words.at(-1), 'synced');
  assert.ok(again.lastId().length < 2 * lastId.length, again.lastId());
  await again.close();
  const strange = await listen(open, 'what is this?');
  assert.deepEqual(await strange.until(/synced/), ['snapshot 1', 'program a Ready', 'synced']);
  await strange.close();
});

test('a quiet feed sends a comment now and then, and a HEAD opens none', async () => {
  const { open, call } = caller([fakeView('a')], { heartbeatMs: 5 });
  const client = await listen(open);
  await client.until(/: still here/);
  await client.close();
  assert.equal((await call('HEAD', '/events?follow=true')).status, 200);
});

test('without follow: the last events of all programs', async () => {
  const { host, call } = caller([fakeView('a'), fakeView('b')]);
  for (let index = 0; index < 250; index++) happen(host, index % 2 === 0 ? 'a' : 'b', `E${index}`, index);
  const reasonsOf = async (path: string) =>
    ((await call('GET', path)).json.events as { reason: string }[]).map(({ reason }) => reason);
  const all = await reasonsOf('/events?tail=all');
  assert.equal(all.length, 250);
  assert.deepEqual(await reasonsOf('/events'), all.slice(-200));
  assert.deepEqual(await reasonsOf('/events?tail=2'), ['E248', 'E249']);
  assert.deepEqual(await reasonsOf('/events?tail=0'), []);
  assert.equal((await call('GET', '/events?follow=true&tail=2')).status, 400);
  assert.equal((await call('GET', '/events?tail=-1')).status, 400);
  assert.equal((await call('POST', '/events')).status, 405);
  assert.ok((openapi.paths as Record<string, unknown>)['/events']);
});
