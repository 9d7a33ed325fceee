import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { fakeView } from '../fake-view.ts';
import { ask, rawConnection, serve } from '../socket.ts';
import { until } from '../until.ts';

const BASE = '/programs/p1/proxy';
const get = (path: string) => `GET ${BASE}${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const answer = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** A program over bare connections, which calls with each request that comes whole. */
async function listening(t: TestContext, onRequest: (path: string, socket: Socket) => void) {
  const connections: Socket[] = [];
  const server = createServer((socket) => {
    connections.push(socket);
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        const path = text.split(' ')[1] ?? '';
        text = text.slice(end + 4);
        onRequest(path, socket);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of connections) socket.destroy();
    server.close();
  });
  const api = await serve(t, [fakeView('p1', { port: (server.address() as AddressInfo).port })]);
  return { api, connections };
}

test('requests one after the other go over one connection, and each of those at once over its own', async (t) => {
  let held: Socket[] = [];
  const { api, connections } = await listening(t, (path, socket) => {
    if (path === '/held') held.push(socket);
    else socket.write(answer(path));
  });
  for (let i = 0; i < 5; i++) assert.equal((await ask(api.port, `${BASE}/${i}`)).text, `/${i}`);
  assert.equal(connections.length, 1);
  for (let round = 0; round < 2; round++) {
    const asked = Array.from({ length: 8 }, () => ask(api.port, `${BASE}/held`));
    await until(() => held.length === 8);
    assert.equal(new Set(held).size, 8);
    for (const socket of held) socket.write(answer('held'));
    held = [];
    await Promise.all(asked);
    assert.equal(connections.length, 8);
  }
});

test('a connection on which a program says something unasked is used no more', async (t) => {
  let last: Socket | undefined;
  const { api } = await listening(t, (path, socket) => {
    last = socket;
    socket.write(answer(path));
    if (path === '/twice') socket.write(answer('stale'));
    if (path === '/later') setImmediate(() => socket.write(answer('stale')));
  });
  for (const path of ['/twice', '/later', '/twice', '/later']) {
    assert.equal((await ask(api.port, `${BASE}${path}`)).text, path);
    const spoiled = last;
    await until(() => spoiled?.destroyed === true);
    assert.equal((await ask(api.port, `${BASE}/next`)).text, '/next', path);
  }
});

test('a client that goes away ends the connection to the program, before the answer and within it', async (t) => {
  const { api, connections } = await listening(t, (path, socket) => {
    if (path === '/midway') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe');
  });
  for (const path of ['/before', '/midway']) {
    const { socket, text } = await rawConnection(t, api.port);
    const count = connections.length;
    socket.write(get(path));
    await until(() => connections.length > count && (path === '/before' || text().endsWith('he')));
    const program = connections.at(-1);
    socket.destroy();
    await until(() => program?.destroyed === true);
  }
});

test('an idle connection is closed after a few seconds', async (t) => {
  const { api, connections } = await listening(t, (path, socket) => void socket.write(answer(path)));
  t.mock.timers.enable({ apis: ['setInterval'] });
  await ask(api.port, `${BASE}/a`);
  // The connection is put by behind the answer.
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  for (let i = 0; i < 3; i++) await turn();
  t.mock.timers.tick(3_000);
  assert.equal((await ask(api.port, `${BASE}/b`)).text, '/b');
  assert.equal(connections.length, 1);
  for (let i = 0; i < 3; i++) await turn();
  t.mock.timers.tick(4_000);
  await until(() => connections[0]?.destroyed === true);
  assert.equal((await ask(api.port, `${BASE}/c`)).text, '/c');
  assert.equal(connections.length, 2);
});

test('headers of an answer may be long, and over the limit it is 502', async (t) => {
  const { api } = await listening(t, (path, socket) => {
    socket.write(
      `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Long: ${'a'.repeat(Number(path.slice(1)))}\r\n\r\nok`,
    );
  });
  const { socket, text } = await rawConnection(t, api.port);
  socket.write(get('/60000'));
  await until(() => text().endsWith('\r\n\r\nok'));
  const long = await ask(api.port, `${BASE}/66000`);
  assert.deepEqual([long.status, /64 KiB/.test(long.text)], [502, true]);
});

/** So that no part of it is like another, and it does not fit into what systems and streams hold. */
const LARGE = Buffer.from(Uint32Array.from({ length: 4 * 1024 * 1024 }, (_, index) => index).buffer);

test('a client that reads on gets all of a large answer, also where two are held back at once', async (t) => {
  const programs: Socket[] = [];
  const { api } = await listening(t, (path, socket) => {
    programs.push(socket);
    socket.write(`HTTP/1.1 200 OK\r\n${path === '/long' ? `Content-Length: ${LARGE.length}\r\n` : ''}\r\n`);
    socket.write(LARGE);
    if (path !== '/long') socket.end();
  });
  const clients = ['/long', '/to-the-end'].map((path) => {
    const socket = connect(api.port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.pause();
    socket.write(get(path).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    return socket;
  });
  await until(() => programs.length === 2 && programs.every(({ bytesWritten }) => bytesWritten > 0));
  for (const socket of programs) assert.ok(socket.writableLength > 0, 'it is held back');
  for (const client of clients) {
    const chunks: Buffer[] = [];
    client.on('data', (chunk: Buffer) => void chunks.push(chunk));
    client.resume();
    await once(client, 'end');
    const all = Buffer.concat(chunks);
    const isChunked = /transfer-encoding: chunked/i.test(all.toString('latin1', 0, 1_000));
    const body = isChunked ? dechunked(all) : all.subarray(all.indexOf('\r\n\r\n') + 4);
    assert.ok(body.equals(LARGE));
  }
});

function dechunked(all: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = all.indexOf('\r\n\r\n') + 4; ; ) {
    const lineEnd = all.indexOf('\r\n', at);
    const length = Number.parseInt(all.toString('latin1', at, lineEnd), 16);
    if (length === 0) return Buffer.concat(parts);
    parts.push(all.subarray(lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
}

test('what the program will not keep, and that of a HEAD, is closed, and the next request goes over another, once', async (t) => {
  // None is closed for having been idle.
  t.mock.timers.enable({ apis: ['setInterval'] });
  const seen: [path: string, socket: Socket][] = [];
  const { api, connections } = await listening(t, (path, socket) => {
    seen.push([path, socket]);
    if (path === '/leaves') socket.write(answer('x').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    else if (path === '/old') socket.write(answer('x').replace('HTTP/1.1', 'HTTP/1.0'));
    else socket.write(path === '/head' ? 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n' : answer('x'));
  });
  for (const path of ['/leaves', '/old', '/head']) {
    const method = path === '/head' ? 'HEAD' : 'GET';
    const { socket, text } = await rawConnection(t, api.port);
    socket.write(get(path).replace('GET', method));
    await until(() => text().includes('\r\n\r\n'));
    const used = seen.at(-1)?.[1];
    await until(() => used?.destroyed === true);
    assert.equal((await ask(api.port, `${BASE}/next`)).text, 'x');
    assert.deepEqual(
      seen.slice(-2).map(([name]) => name),
      [path, '/next'],
    );
    assert.notEqual(seen.at(-1)?.[1], used);
  }
  assert.equal(seen.length, 6);
  assert.ok(connections.length > 3);
});

test('of requests that a client sends at once, those that wait for their turn end with it as well', async (t) => {
  const { api, connections } = await listening(t, (path, socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n${path}`);
  });
  const { socket } = await rawConnection(t, api.port);
  socket.write(get('/a') + get('/b') + get('/c'));
  await until(() => connections.length === 3);
  socket.destroy();
  await until(() => connections.every((program) => program.destroyed));
});
