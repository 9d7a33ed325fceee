import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { createApi } from '../../api/app.ts';
import { startServer } from '../../api/server.ts';
import { fakeView } from './fake-view.ts';
import { fakeHost } from './fakes.ts';
import { ask, proxied, rawConnection, serve } from './socket.ts';
import { until } from './until.ts';

test('it listens on loopback only', async () => {
  const { deps } = fakeHost();
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'no-such-host.invalid']) {
    await assert.rejects(
      startServer({ app: createApi(deps), deps, host, port: 0 }),
      /only loopback addresses/,
      host,
    );
  }
  for (const host of ['localhost', '127.0.0.1', '127.0.0.9']) {
    await (await startServer({ app: createApi(deps), deps, host, port: 0 })).close();
  }
});

test('a taken port is named, with what to do', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  const { deps } = fakeHost();
  await assert.rejects(
    startServer({ app: createApi(deps), deps, host: '127.0.0.1', port }),
    (error: Error) =>
      error.message.includes(`port ${port} on 127.0.0.1 is taken`) && error.message.includes('--port'),
  );
});

test('close lets a request in flight end', async (t) => {
  const api = await serve(t, [fakeView('p1')], { closeMsMax: 3_000 });
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let asked = false;
  api.host.deps.programs.source = async () => {
    asked = true;
    await gate;
    return {};
  };
  const answer = ask(api.port, '/programs/p1/source');
  await until(() => asked);
  const closed = api.close();
  release();
  assert.equal((await answer).status, 200);
  await closed;
  await assert.rejects(ask(api.port, '/healthz'), { code: 'ECONNREFUSED' });
});

test('close ends within its limit with open streams, proxied streams, WebSockets and idle connections', async (t) => {
  const { api, program } = await proxied(t, (_req, res) => void res.write('begin'));
  program.server.on('upgrade', (_req, socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  });
  const heads = [
    'GET /programs/p1/logs?follow=true HTTP/1.1\r\n',
    'GET /programs/p1/events?follow=true HTTP/1.1\r\n',
    'GET /programs/p1/proxy/ HTTP/1.1\r\n',
    'GET /programs/p1/proxy/ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n',
    'GET /healthz HTTP/1.1\r\n',
  ];
  const clients = await Promise.all(heads.map(() => rawConnection(t, api.port)));
  for (const [i, client] of clients.entries()) client.socket.write(`${heads[i]}Host: localhost\r\n\r\n`);
  await until(() => clients.every((client) => /^HTTP\/1.1 (200|101) /.test(client.text())));
  await api.close();
  await Promise.all(clients.map((client) => client.ended));
  await until(() => api.host.signals.every((signal) => signal.aborted));
});

test('a follower that goes away is let go of', async (t) => {
  const api = await serve(t, [fakeView('p1')]);
  for (const path of ['logs', 'build-log', 'events']) {
    const client = await rawConnection(t, api.port);
    client.socket.write(`GET /programs/p1/${path}?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until(() => client.text().includes('\r\n\r\n'));
    client.socket.destroy();
  }
  await until(() => api.host.signals.length === 3 && api.host.signals.every((signal) => signal.aborted));
});

test('a client that asks to close gets to the answer however much it still has to send', async (t) => {
  const api = await serve(t, []);
  const piece = Buffer.alloc(1024 * 1024, ' ');
  for (const path of ['/nothing', '/programs/none/proxy/', '/programs']) {
    const { socket, text, ended } = await rawConnection(t, api.port);
    const errors: Error[] = [];
    socket.on('error', (error) => errors.push(error));
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json`;
    socket.write(`${head}\r\nContent-Length: ${40 * piece.length}\r\n\r\n`);
    // More than any socket buffers, and not before the answer is out.
    await until(() => text() !== '');
    for (let n = 0; n < 40; n++) socket.write(piece);
    await ended;
    assert.match(text(), path === '/programs' ? /^HTTP\/1.1 413 / : /^HTTP\/1.1 404 /);
    assert.deepEqual(errors, []);
  }
});

test('a stream that fails cuts its connection and nothing else', async (t) => {
  const api = await serve(t, [fakeView('p1')]);
  let fail = (): void => {};
  const gate = new Promise<void>((resolve) => {
    fail = resolve;
  });
  api.host.deps.programs.followBuildLog = async function* () {
    yield Buffer.from('begin');
    await gate;
    throw new Error('the file vanished');
  };
  const client = await rawConnection(t, api.port);
  client.socket.write('GET /programs/p1/build-log?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await until(() => client.text().includes('begin'));
  fail();
  await client.ended;
  assert.doesNotMatch(client.text(), /\r\n0\r\n\r\n$/);
  assert.equal(api.host.logged.length, 1);
  assert.equal((await ask(api.port, '/healthz')).status, 200);
});

test('HEAD over a socket: same headers, no body, and the connection goes on', async (t) => {
  const api = await serve(t, [fakeView('p1')]);
  const { socket, text } = await rawConnection(t, api.port);
  for (const path of ['/programs', '/programs/p1', '/programs/p1/logs?follow=true', '/nothing']) {
    socket.write(`HEAD ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  }
  socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await until(() => text().endsWith('{"status":"ok"}'));
  assert.deepEqual(text().match(/HTTP\/1.1 \d+/g), [
    'HTTP/1.1 200',
    'HTTP/1.1 200',
    'HTTP/1.1 200',
    'HTTP/1.1 404',
    'HTTP/1.1 200',
  ]);
});

test('an offer to upgrade on own routes is passed over', async (t) => {
  const api = await serve(t, [fakeView('p1')]);
  for (const upgrade of ['h2c', 'websocket']) {
    const { socket, text, ended } = await rawConnection(t, api.port);
    socket.write(
      `GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: ${upgrade}\r\n\r\n`,
    );
    await ended;
    assert.match(text(), /^HTTP\/1\.1 200 [\s\S]*{"status":"ok"}$/);
  }
});
