import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeView } from '../fake-view.ts';
import { ask, proxied, rawAsk, serve } from '../socket.ts';

const PAGE = 'http://localhost:5173';

test('a page of an allowed origin reads and writes, errors and streams included; others do not', async (t) => {
  const { port, host } = await serve(t, [fakeView('p1')], { origins: [PAGE] });
  const site = { 'Sec-Fetch-Site': 'cross-site' };
  for (const [method, path, status] of [
    ['GET', '/programs', 200],
    ['POST', '/programs/p1/restart', 200],
    ['GET', '/programs/none', 404],
    ['PATCH', '/programs', 405],
    ['GET', '/programs/p1/build-log', 200],
  ] as const) {
    const answer = await ask(port, path, { method, headers: { Origin: PAGE, ...site } });
    assert.equal(answer.status, status, path);
    assert.equal(answer.headers['access-control-allow-origin'], PAGE);
    assert.equal(answer.headers.vary?.split(', ')[0], 'Origin');
    assert.match(answer.headers['access-control-expose-headers'] ?? '', /ETag/);
    assert.equal(answer.headers['access-control-allow-credentials'], undefined);
  }
  assert.equal(host.calls.length, 1);
  for (const origin of [
    'http://localhost:5174',
    'http://localhost',
    'https://localhost:5173',
    'null',
    `${PAGE}.x`,
  ]) {
    const answer = await ask(port, '/programs', { headers: { Origin: origin } });
    assert.equal(answer.status, 403, origin);
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
    assert.match(answer.text, /--allowed-origins/);
  }
  // A navigation, or an image: it names no origin.
  assert.equal((await ask(port, '/programs', { headers: site })).status, 403);
});

test('the 403 names the flag with the origin that would have to stand there', async (t) => {
  const { port } = await serve(t, []);
  const { text } = await ask(port, '/programs', { headers: { Origin: PAGE } });
  assert.match(JSON.parse(text).hint, /--allowed-origins http:\/\/localhost:5173 /);
  const plain = await ask(port, '/healthz');
  assert.equal(plain.headers.vary, undefined, 'nothing of this without the flag');
});

test('a preflight of an allowed origin is answered with what it asks for', async (t) => {
  const { api, program } = await proxied(t, (_req, res) => res.end('hello'), { origins: [PAGE] });
  const headers = {
    Origin: PAGE,
    'Access-Control-Request-Method': 'PUT',
    'Access-Control-Request-Headers': 'content-type,if-match',
    'Access-Control-Request-Private-Network': 'true',
  };
  for (const path of ['/programs/p1/manifest', '/programs/p1/proxy/x']) {
    const answer = await ask(api.port, path, { method: 'OPTIONS', headers });
    assert.equal(answer.status, 204, path);
    assert.match(answer.headers['access-control-allow-methods'] ?? '', /PUT/);
    assert.equal(answer.headers['access-control-allow-headers'], 'content-type,if-match');
    assert.equal(answer.headers['access-control-allow-origin'], PAGE);
    assert.equal(answer.headers['access-control-allow-private-network'], 'true');
  }
  const other = { ...headers, Origin: 'http://localhost:1' };
  assert.equal((await ask(api.port, '/programs', { method: 'OPTIONS', headers: other })).status, 403);
  assert.equal(program.seen.length, 0);
  // Any other OPTIONS is the program's, or a method that is not served.
  assert.equal(
    (await ask(api.port, '/programs', { method: 'OPTIONS', headers: { Origin: PAGE } })).status,
    405,
  );
  const read = await ask(api.port, '/programs/p1/proxy/x', { headers: { Origin: PAGE } });
  assert.deepEqual([read.text, read.headers['access-control-allow-origin']], ['hello', PAGE]);
});

test('what a program says to browsers itself stays as it says it', async (t) => {
  const { api } = await proxied(
    t,
    (_req, res) => res.writeHead(200, { 'Access-Control-Allow-Origin': '*' }).end(),
    { origins: [PAGE] },
  );
  const answer = await ask(api.port, '/programs/p1/proxy/', { headers: { Origin: PAGE } });
  assert.equal(answer.headers['access-control-allow-origin'], '*');
});

test('a WebSocket of an allowed origin passes the guard', async (t) => {
  const { port } = await serve(t, [], { origins: [PAGE] });
  const head = `Host: 127.0.0.1:${port}\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n`;
  const raw = await rawAsk(t, port, `GET /programs/p1/proxy/ HTTP/1.1\r\n${head}Origin: ${PAGE}\r\n\r\n`);
  assert.match(raw, /^HTTP\/1\.1 404 /);
});
