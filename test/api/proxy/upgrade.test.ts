import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { fakeView } from '../fake-view.ts';
import { assertMatches } from '../openapi.ts';
import { ask, proxied, rawConnection, serve, type TestProgram, type TestServer } from '../socket.ts';
import { until } from '../until.ts';

const HEAD =
  'Host: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: abc\r\nSec-WebSocket-Version: 13\r\n';
const UPGRADE = `GET /programs/p1/proxy/ws%2Fx?q=1 HTTP/1.1\r\n${HEAD}\r\n`;

interface Upgraded {
  api: TestServer;
  program: TestProgram;
  upgrades: { req: IncomingMessage; socket: Duplex }[];
}

/** A program that takes every upgrade and echoes what comes. */
async function echoing(t: TestContext, afterHead = ''): Promise<Upgraded> {
  const { api, program } = await proxied(t, (_req, res) => res.writeHead(426).end('upgrade please'));
  const upgrades: Upgraded['upgrades'] = [];
  program.server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgrades.push({ req, socket });
    socket.on('error', () => {});
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: key\r\n\r\n${afterHead}`,
    );
    socket.write(head);
    socket.pipe(socket);
  });
  t.after(() => {
    for (const { socket } of upgrades) socket.destroy();
  });
  return { api, program, upgrades };
}

test('an upgrade joins the connections, bytes of both sides in order from the first on', async (t) => {
  const { api, upgrades } = await echoing(t, 'welcome ');
  const { socket, text } = await rawConnection(t, api.port);
  socket.write(`${UPGRADE}early `);
  await until(() => text().endsWith('welcome early '));
  assert.match(text(), /^HTTP\/1\.1 101 Switching Protocols\r\n/);
  assert.match(text(), /Sec-WebSocket-Accept: key\r\n/);
  socket.write(Buffer.of(0, 1, 0xff));
  await until(() => text().endsWith('\u0000\u0001\u00ff'));
  const { req } = upgrades[0] ?? {};
  assert.equal(req?.url, '/ws%2Fx?q=1');
  assert.equal(req?.headers['sec-websocket-key'], 'abc');
  assert.equal(req?.headers.upgrade, 'websocket');
  assert.equal(req?.headers['x-forwarded-prefix'], '/programs/p1/proxy');
  assert.equal(req?.headers['x-forwarded-for'], '127.0.0.1');
});

test('either side going away ends the other', async (t) => {
  const { api, upgrades } = await echoing(t);
  for (const side of ['client', 'client half', 'program', 'program half']) {
    const client = await rawConnection(t, api.port);
    const before = upgrades.length;
    client.socket.write(UPGRADE);
    await until(() => client.text().includes('101') && upgrades.length > before);
    const upstream = upgrades[before];
    if (side === 'client') client.socket.destroy();
    else if (side === 'client half') client.socket.end();
    else if (side === 'program') upstream?.socket.destroy();
    else upstream?.socket.end();
    await until(() => upstream?.socket.destroyed === true && client.socket.destroyed);
  }
});

test('a program that declines answers as any other, and the connection closes', async (t) => {
  const { api } = await proxied(t, (_req, res) => {
    res.writeHead(403, { 'X-Why': 'no' });
    res.end('not you');
  });
  const { socket, text, ended } = await rawConnection(t, api.port);
  socket.write(UPGRADE);
  await ended;
  assert.match(text(), /^HTTP\/1\.1 403 Forbidden\r\n/);
  assert.match(text(), /X-Why: no\r\n/);
  assert.match(text(), /Content-Security-Policy: sandbox\r\n/);
  assert.match(text(), /not you/);
});

test('an upgrade to nothing is refused in the words of any request', async (t) => {
  const views = [fakeView('p1', { port: 1 }), fakeView('down', { state: 'Stopped' })];
  const api = await serve(t, views);
  for (const [name, status] of [
    ['p1', 502],
    ['down', 503],
    ['nobody', 404],
  ] as const) {
    const { socket, text, ended } = await rawConnection(t, api.port);
    socket.write(`GET /programs/${name}/proxy/ HTTP/1.1\r\n${HEAD}\r\n`);
    await ended;
    assert.match(text(), new RegExp(`^HTTP/1\\.1 ${status} `), name);
    assertMatches('#/components/schemas/Error', text().slice(text().indexOf('\r\n\r\n') + 4), name);
  }
});

test('an upgrade the program leaves unanswered is 504', async (t) => {
  const { api, program } = await proxied(t, () => {}, { firstByteMsMax: 40 });
  program.server.on('upgrade', (_req, socket: Duplex) => void socket.on('error', () => {}));
  const { socket, text, ended } = await rawConnection(t, api.port);
  socket.write(UPGRADE);
  await ended;
  assert.match(text(), /^HTTP\/1\.1 504 /);
});

test('a client that leaves before the program answers destroys the attempt', async (t) => {
  const { api, program } = await proxied(t, () => {});
  let upstream: Duplex | undefined;
  program.server.on('upgrade', (_req, socket: Duplex) => {
    upstream = socket;
    socket.on('error', () => {});
    socket.resume();
    socket.on('end', () => socket.end());
  });
  const { socket } = await rawConnection(t, api.port);
  socket.write(UPGRADE);
  await until(() => upstream !== undefined);
  socket.destroy();
  await until(() => upstream?.destroyed === true);
});

test('other upgrades than WebSocket are offers that are passed over', async (t) => {
  const { api, program } = await echoing(t);
  const { socket, text } = await rawConnection(t, api.port);
  socket.write(
    'GET /programs/p1/proxy/x HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
  );
  await until(() => text().includes('upgrade please'));
  assert.match(text(), /^HTTP\/1\.1 426 /);
  assert.equal(program.seen[0]?.headers.upgrade, undefined);
  assert.equal(program.seen[0]?.headers['http2-settings'], undefined);
});

test('what goes through the proxy is counted by the code of the answer, once each', async (t) => {
  const { api } = await echoing(t);
  const { host } = api;
  assert.equal((await ask(api.port, '/programs/p1/proxy/')).status, 426);
  assert.equal((await ask(api.port, '/programs/p9/proxy/')).status, 404);
  const joined = await rawConnection(t, api.port);
  joined.socket.write(UPGRADE);
  await until(() => joined.text().startsWith('HTTP/1.1 101'));
  joined.socket.destroy();
  const refused = await rawConnection(t, api.port);
  refused.socket.write(UPGRADE.replace('p1', 'p9'));
  await until(() => refused.text().startsWith('HTTP/1.1 404'));
  await until(() => host.proxied.length === 4);
  assert.equal((await ask(api.port, '/programs/p1')).status, 200);
  assert.deepEqual(host.proxied.sort(), [101, 404, 404, 426], 'calls of the API are none');
});

test('a client that goes before there is an answer is counted as one without', async (t) => {
  const { api, program } = await proxied(t, () => {});
  const client = await rawConnection(t, api.port);
  client.socket.write('GET /programs/p1/proxy/ HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await until(() => program.seen.length === 1);
  client.socket.destroy();
  await until(() => api.host.proxied.length === 1);
  assert.deepEqual(api.host.proxied, [0]);
});
