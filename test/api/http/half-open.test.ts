import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { fakeView } from '../fake-view.ts';
import { proxied, rawConnection, serve } from '../socket.ts';
import { until } from '../until.ts';

const get = (path: string, version = '1.1'): string =>
  `GET ${path} HTTP/${version}\r\nHost: localhost\r\n\r\n`;

const NOBODY_ASKS = { halfOpenLookMs: 600_000 };

test('a client that ends its side gets its answer, from own routes and through the proxy', async (t) => {
  const { api } = await proxied(
    t,
    (req, res) => {
      res.writeHead(200, { 'Content-Length': 6 });
      req.on('end', () => setImmediate(() => res.end('answer'))).resume();
    },
    NOBODY_ASKS,
  );
  for (const [bytes, want] of [
    [get('/programs/p1/proxy/'), /answer$/],
    [get('/programs/p1/proxy/', '1.0'), /answer$/],
    [get('/programs'), /"count":1}$/],
    [get('/programs/p1/proxy/') + get('/healthz'), /answer[\s\S]*HTTP\/1\.1 200/],
    [`POST /programs/p1/proxy/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi`, /answer$/],
  ] as const) {
    const { socket, text, ended } = await rawConnection(t, api.port);
    socket.end(bytes);
    await ended;
    assert.match(text(), /^HTTP\/1\.1 200 OK\r\n/, bytes);
    assert.match(text(), want, bytes);
  }
});

test('one whose answer is long in coming is asked with 100 Continue whether it is there', async (t) => {
  const held: ServerResponse[] = [];
  const { api } = await proxied(t, (_req, res) => void held.push(res));
  const { socket, text, ended } = await rawConnection(t, api.port);
  socket.end(get('/programs/p1/proxy/'));
  await until(() => text().startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
  held[0]?.end('late');
  await ended;
  assert.match(text(), /^(HTTP\/1\.1 100 Continue\r\n\r\n)+HTTP\/1\.1 200 OK\r\n[\s\S]*late/);
});

test('an HTTP/1.0 client is not asked', async (t) => {
  const held: ServerResponse[] = [];
  const { api } = await proxied(t, (_req, res) => void held.push(res));
  const { socket, text, ended } = await rawConnection(t, api.port);
  const other = await rawConnection(t, api.port);
  socket.end(get('/programs/p1/proxy/', '1.0'));
  await until(() => held.length === 1);
  other.socket.end(get('/programs/p1/proxy/'));
  // What is asked of one that came later was not asked of this one before it.
  await until(() => (other.text().match(/100 Continue/g)?.length ?? 0) >= 2);
  held[0]?.end('late');
  await ended;
  assert.match(text(), /^HTTP\/1\.1 200 OK\r\n/);
});

test('a client that ends its side before its body is told so', async (t) => {
  const { api, program } = await proxied(t, (req) => void req.resume());
  const { socket, text, ended } = await rawConnection(t, api.port);
  socket.end('POST /programs/p1/proxy/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf');
  await ended;
  assert.match(text(), /^HTTP\/1\.1 400 /);
  await until(() => program.seen.every((req) => req.destroyed));
});

test('a stream that is silent behind a client that has ended its side is let go of', async (t) => {
  const api = await serve(t, [fakeView('p1')]);
  const { socket, text, ended } = await rawConnection(t, api.port);
  socket.write(get('/programs/p1/logs?follow=true'));
  await until(() => text().includes('200 OK'));
  socket.end();
  await ended;
  await until(() => api.host.signals.every(({ aborted }) => aborted));
});

test('a stream that stands behind another ends with its client', async (t) => {
  const api = await serve(t, [fakeView('p1')]);
  const client = await rawConnection(t, api.port);
  client.socket.write(get('/programs/p1/events?follow=true').repeat(2));
  await until(() => api.host.signals.length === 2);
  client.socket.destroy();
  await until(() => api.host.signals.every((signal) => signal?.aborted === true));
});
