import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { createWaitingRooms, RELEASED_MAX, WAITING_MAX } from '../../../api/proxy/waiting-rooms.ts';
import { timestamp } from '../../../schemas/program.ts';
import { CREATED_AT, fakeView, goodMemory, type ViewOptions } from '../fake-view.ts';
import { assertMatches } from '../openapi.ts';
import { ask, program, rawConnection, serve, type TestProgram, type TestServer } from '../socket.ts';
import { until } from '../until.ts';

const BASE = '/programs/p1/proxy';
const LONG = { proxyWaitMs: 60_000 };

interface Host {
  api: TestServer;
  program: TestProgram;
  /** The program, ready before, is now like this; by default at the port of `program`. */
  put(options: ViewOptions): void;
}

async function host(t: TestContext, options: { proxyWaitMs: number } = LONG): Promise<Host> {
  const upstream = await program(t, (req, res) => void req.pipe(res));
  const view = (given: ViewOptions) =>
    fakeView('p1', { port: upstream.port, ...given, status: { memory: goodMemory(), ...given.status } });
  const api = await serve(t, [view({ state: 'Starting' })], options);
  return { api, program: upstream, put: (given) => api.host.put(view(given)) };
}

/** Requests that wait for p1. */
const waiting = ({ api }: Host): boolean => api.host.watched('p1') > 0;

test('requests wait for the next Ready, whatever their method and body', async (t) => {
  const it = await host(t);
  const asked = ['GET', 'POST', 'DELETE'].map((method) => {
    const body = method === 'GET' ? '' : 'hello';
    return ask(it.api.port, `${BASE}/x`, { method, body, headers: { 'Content-Length': `${body.length}` } });
  });
  await until(() => waiting(it));
  it.put({ state: 'Running', status: { startedAt: timestamp(Date.parse(CREATED_AT) + 60_000) } });
  it.put({ state: 'Ready' });
  const answers = await Promise.all(asked);
  assert.deepEqual(
    answers.map(({ status, text }) => [status, text]),
    [
      [200, ''],
      [200, 'hello'],
      [200, 'hello'],
    ],
  );
  await until(() => !waiting(it));
});

test('a body stays unread while its request waits', async (t) => {
  const it = await host(t);
  const { socket, text } = await rawConnection(t, it.api.port);
  socket.write(
    `POST ${BASE}/ HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
  );
  await until(() => waiting(it));
  assert.equal(text(), '');
  it.put({});
  await until(() => text() === 'HTTP/1.1 100 Continue\r\n\r\n');
  socket.write('hello');
  await until(() => text().includes('\r\nhello\r\n'));
});

test('a wait that is over is 503 with Retry-After, and so is a state that will not pass', async (t) => {
  const it = await host(t, { proxyWaitMs: 20 });
  const late = await ask(it.api.port, `${BASE}/`);
  assert.deepEqual([late.status, late.headers['retry-after']], [503, '2']);
  assertMatches('#/components/schemas/Error', late.text, 'late');
  it.put({ state: 'Stopped' });
  const never = await ask(it.api.port, `${BASE}/`);
  assert.deepEqual([never.status, never.headers['retry-after']], [503, undefined]);
});

test('who waits is told when the program is stopped, or gone', async (t) => {
  const it = await host(t);
  const stopped = ask(it.api.port, `${BASE}/`);
  await until(() => waiting(it));
  it.put({ state: 'Stopping', desiredState: 'Stopped' });
  assert.equal((await stopped).status, 503);
  it.put({ state: 'Starting' });
  const gone = ask(it.api.port, `${BASE}/`);
  await until(() => waiting(it));
  await it.api.host.deps.programs.remove('p1');
  assert.equal((await gone).status, 404);
});

test('a client that goes away waits no longer', async (t) => {
  for (const body of ['', 'hi']) {
    const it = await host(t);
    const { socket } = await rawConnection(t, it.api.port);
    socket.write(
      `POST ${BASE}/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await until(() => waiting(it));
    socket.destroy();
    await until(() => !waiting(it));
    it.put({});
    assert.equal((await ask(it.api.port, `${BASE}/`)).status, 200);
    assert.equal(it.program.seen.length, 1);
  }
});

test('where nothing listens yet or any more, a request waits until the host knows', async (t) => {
  const it = await host(t);
  for (const method of ['GET', 'POST']) {
    it.put({ port: 1 });
    const asked = ask(it.api.port, `${BASE}/`, { method, body: method === 'GET' ? '' : 'body' });
    await until(() => waiting(it));
    it.put({ state: 'Starting' });
    it.put({ status: { startedAt: timestamp(Date.parse(CREATED_AT) + 60_000) } });
    const answer = await asked;
    assert.deepEqual([answer.status, answer.text], [200, method === 'GET' ? '' : 'body']);
  }
});

test('what was sent to a run that had ended before is sent again, with its body; what may have been read is not', async (t) => {
  const it = await host(t);
  const deaf = createServer((socket) => void socket.on('data', () => socket.destroy()));
  deaf.listen(0, '127.0.0.1');
  await once(deaf, 'listening');
  t.after(() => deaf.close());
  const port = (deaf.address() as AddressInfo).port;
  const run = `c0ffee@${Date.parse(CREATED_AT)}`;
  const next = { startedAt: timestamp(Date.parse(CREATED_AT) + 3_600_000) };
  for (const [endedMs, status, body] of [
    [-1, 200, 'x'.repeat(10_000)],
    [1_800_000, 502, 'x'],
    // More than is kept.
    [-1, 502, 'x'.repeat(1_000_000)],
  ] as const) {
    it.put({ port });
    const asked = ask(it.api.port, `${BASE}/`, { method: 'POST', body });
    if (body.length < 1_000_000) {
      await until(() => waiting(it));
      const finishedAt = timestamp(Date.parse(CREATED_AT) + endedMs);
      const lastExit = { exitCode: 1, oomKilled: false, signal: '', run, finishedAt, logTail: '' };
      it.put({ state: 'Starting', status: { lastExit } });
      it.put({ status: { lastExit, ...next } });
    }
    const answer = await asked;
    assert.equal(answer.status, status, `${endedMs}`);
    if (status === 200) assert.equal(answer.text, body);
  }
});

test('a WebSocket upgrade waits too, and is told when its client goes away', async (t) => {
  const it = await host(t);
  it.program.server.on('upgrade', (_req: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.pipe(socket);
  });
  const head = 'Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const gone = await rawConnection(t, it.api.port);
  gone.socket.write(`GET ${BASE}/ HTTP/1.1\r\n${head}`);
  await until(() => waiting(it));
  gone.socket.destroy();
  await until(() => !waiting(it));
  const { socket, text } = await rawConnection(t, it.api.port);
  socket.write(`GET ${BASE}/ HTTP/1.1\r\n${head}early `);
  await until(() => waiting(it));
  it.put({});
  await until(() => text().endsWith('early '));
  assert.match(text(), /^HTTP\/1\.1 101 /);
});

test('those let go go in their order, and no more at once than may be without an answer', async () => {
  let change = () => {};
  let mustWait = true;
  const rooms = createWaitingRooms((_name, listener) => {
    change = listener;
    return () => {};
  });
  const went: number[] = [];
  const done: (() => void)[] = [];
  for (let i = 0; i < RELEASED_MAX + 2; i++) {
    rooms.enter('a', 60_000, {
      mustWait: () => mustWait,
      go(gone) {
        went.push(i);
        done.push(gone);
      },
    });
  }
  change();
  await new Promise(setImmediate);
  assert.equal(went.length, 0);
  mustWait = false;
  change();
  await until(() => went.length === RELEASED_MAX);
  done[3]?.();
  await until(() => went.length === RELEASED_MAX + 1);
  done[0]?.();
  await until(() => went.length === RELEASED_MAX + 2);
  assert.deepEqual(
    went,
    went.toSorted((a, b) => a - b),
  );
});

test('no more wait than may', () => {
  const rooms = createWaitingRooms(() => () => {});
  const waiter = { mustWait: () => true, go() {} };
  const leave = Array.from({ length: WAITING_MAX }, () => rooms.enter('a', 60_000, waiter));
  assert.ok(leave.every((one) => one !== undefined));
  assert.equal(rooms.enter('a', 60_000, waiter), undefined);
  assert.ok(rooms.enter('b', 60_000, waiter));
  leave[7]?.();
  assert.ok(rooms.enter('a', 60_000, waiter));
});
