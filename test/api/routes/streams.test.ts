import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProgramEvent } from '../../../schemas/program.ts';
import { caller } from '../call.ts';
import { fakeView } from '../fake-view.ts';
import { assertMatches } from '../openapi.ts';
import { serve } from '../socket.ts';
import { until } from '../until.ts';

function event(reason: string, time = '2026-11-22T10:00:00.000Z'): ProgramEvent {
  return { time, type: 'Normal', reason, message: reason, state: 'Ready', revision: 1 };
}

/** Reads the stream until `pattern` shows; gives all that was read. */
async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, pattern: RegExp): Promise<string> {
  let text = '';
  while (!pattern.test(text)) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the stream ended without ${pattern}: ${text}`);
    text += Buffer.from(value).toString();
  }
  return text;
}

function readerOf(response: Response): ReadableStreamDefaultReader<Uint8Array> {
  assert.ok(response.body);
  return response.body.getReader();
}

for (const path of ['logs', 'build-log']) {
  test(`${path}?follow=true sends what comes and lets go when the client does`, async () => {
    const { host, open } = caller([fakeView('p1')]);
    host.logChunks = [Buffer.from('one\n'), Buffer.from('two\n')];
    const response = await open(`/programs/p1/${path}?follow=true`);
    assert.match(response.headers.get('Content-Type') ?? '', /^text\/plain/);
    const reader = readerOf(response);
    assert.equal(await readUntil(reader, /two\n/), 'one\ntwo\n');
    assert.equal(host.signals[0]?.aborted, false);
    await reader.cancel();
    assert.equal(host.signals[0]?.aborted, true);
  });
}

test('logs of an engine that is silent are let go when the client goes', async (t) => {
  const { host, port } = await serve(t, [fakeView('p1')]);
  let asked: AbortSignal | undefined;
  host.deps.logs = (_name, { signal }) => {
    asked = signal;
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('let go'))));
  };
  const client = new AbortController();
  const answer = fetch(`http://127.0.0.1:${port}/programs/p1/logs`, { signal: client.signal });
  answer.catch(() => {});
  await until(() => asked !== undefined);
  assert.equal(asked?.aborted, false);
  client.abort();
  await until(() => asked?.aborted === true);
});

test('HEAD opens no stream', async () => {
  const { host, call } = caller([fakeView('p1')]);
  for (const path of ['logs', 'build-log', 'events']) {
    const answer = await call('HEAD', `/programs/p1/${path}?follow=true`);
    assert.deepEqual([answer.status, answer.text], [200, '']);
  }
  assert.deepEqual(host.signals, []);
});

test('a stream that fails breaks the answer off and is logged', async () => {
  const { host, open } = caller([fakeView('p1')]);
  host.deps.programs.followBuildLog = async function* () {
    yield Buffer.from('begin');
    throw new Error('the file vanished');
  };
  const reader = readerOf(await open('/programs/p1/build-log?follow=true'));
  await readUntil(reader, /begin/);
  await assert.rejects(reader.read(), /the file vanished/);
  assert.equal(host.logged.length, 1);
});

test('build-log whole', async () => {
  const { call } = caller([fakeView('p1')]);
  const { json } = await call('GET', '/programs/p1/build-log');
  assert.deepEqual(json, { program_id: 'p1', build_id: 'build-0123456789ab', log: 'step 1\n' });
});

test('events, oldest first', async () => {
  const { host, call } = caller([fakeView('p1')]);
  host.history.push(event('Created'), event('Started'));
  const { json } = await call('GET', '/programs/p1/events');
  assert.deepEqual(json, { events: [event('Created'), event('Started')] });
});

test('events?follow=true: the ones so far, then new ones, each with an id, and heartbeats', async () => {
  const { host, open } = caller([fakeView('p1')], { heartbeatMs: 5 });
  host.history.push(event('Created'), event('Started'));
  const response = await open('/programs/p1/events?follow=true');
  assert.equal(response.headers.get('Content-Type'), 'text/event-stream');
  const reader = readerOf(response);
  const past = await readUntil(reader, /Started"[^\n]*\n\n/);
  const frames = past.split('\n\n').filter((frame) => frame !== '');
  assert.deepEqual(frames[0]?.split('\n').slice(0, 2), ['id: 2026-11-22T10:00:00.000Z/0', 'event: Normal']);
  assert.equal(frames[1]?.split('\n')[0], 'id: 2026-11-22T10:00:00.000Z/1');
  assertMatches('#/components/schemas/Event', frames[0]?.split('data: ')[1] ?? '', 'event');
  await readUntil(reader, /^: still here\n\n/m);
  host.emit('p1', event('Ready'));
  assert.match(await readUntil(reader, /Ready"/), /id: 2026-11-22T10:00:00.000Z\/2\nevent: Normal\ndata: /);
  await reader.cancel();
  assert.equal(host.signals[0]?.aborted, true);
});

test('events?follow=true: what happens while the history is read comes once', async () => {
  const { host, open } = caller([fakeView('p1')]);
  const { events } = host.deps.programs;
  host.deps.programs.events = async (name) => {
    host.emit('p1', event('Between'));
    return events(name);
  };
  const reader = readerOf(await open('/programs/p1/events?follow=true'));
  let text = await readUntil(reader, /Between/);
  host.emit('p1', event('After'));
  text += await readUntil(reader, /After/);
  assert.equal(text.match(/"reason":"Between"/g)?.length, 1);
  await reader.cancel();
});

test('events?follow=true: Last-Event-ID takes up where the client left off', async () => {
  const { host, open } = caller([fakeView('p1')]);
  host.history.push(
    event('One'),
    event('Two', '2026-11-22T10:00:01.000Z'),
    event('Three', '2026-11-22T10:00:02.000Z'),
  );
  const reader = readerOf(
    await open('/programs/p1/events?follow=true', { 'Last-Event-ID': '2026-11-22T10:00:01.000Z/0' }),
  );
  const text = await readUntil(reader, /Three/);
  assert.doesNotMatch(text, /One|Two/);
  await reader.cancel();
});

test('an event stream ends when the program is gone', async () => {
  const { host, open } = caller([fakeView('p1')]);
  host.deps.programs.followEvents = async function* () {
    yield event('Deleted');
  };
  const text = await (await open('/programs/p1/events?follow=true')).text();
  assert.match(text, /Deleted/);
});
