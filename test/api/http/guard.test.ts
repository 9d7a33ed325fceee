import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakePage } from '../fake-page.ts';
import { fakeView } from '../fake-view.ts';
import { assertMatches } from '../openapi.ts';
import { ask, proxied, rawAsk, rawConnection, serve } from '../socket.ts';
import { until } from '../until.ts';

/** The uniform error body at the end of a raw answer. */
function errorIn(raw: string): { code: number; message: string } {
  const body = raw.slice(raw.indexOf('\r\n\r\n') + 4);
  assertMatches('#/components/schemas/Error', body, raw.split('\r\n')[0] ?? '');
  return JSON.parse(body) as { code: number; message: string };
}

test('Host: known names with any port, nothing else', async (t) => {
  const { port } = await serve(t, [], { hosts: ['Box.example'] });
  for (const [host, status] of [
    ['localhost', 200],
    ['LOCALHOST:9000', 200],
    [`127.0.0.1:${port}`, 200],
    ['[::1]:1', 200],
    ['box.example:80', 200],
    ['evil.example', 403],
    ['localhost.evil.example', 403],
    ['127.0.0.1.evil.example:9000', 403],
    ['localhost:', 403],
    ['localhost:x', 403],
    ['localhost@evil.example', 403],
    ['127.0.0.2', 403],
    ['0.0.0.0', 403],
    ['[::]', 403],
  ] as const) {
    const answer = await ask(port, '/healthz', { headers: { Host: host } });
    assert.equal(answer.status, status, host);
    if (status === 403) assertMatches('#/components/schemas/Error', answer.text, host);
  }
});

test('Host: none, an empty one or two are refused', async (t) => {
  const { port } = await serve(t, []);
  for (const head of [
    'GET /healthz HTTP/1.1\r\n',
    'GET /healthz HTTP/1.0\r\n',
    'GET /healthz HTTP/1.1\r\nHost: \r\n',
    'GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n',
  ]) {
    assert.equal(errorIn(await rawAsk(t, port, `${head}Connection: close\r\n\r\n`)).code, 400, head);
  }
});

test('a target in absolute form is judged by its own authority', async (t) => {
  const { port } = await serve(t, []);
  const send = (target: string): Promise<string> =>
    rawAsk(t, port, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  assert.match(await send('http://localhost:9000/healthz'), /^HTTP\/1\.1 200 /);
  assert.match(await send('http://evil.example/healthz'), /^HTTP\/1\.1 403 /);
  assert.match(await send('http://localhost@evil.example/healthz'), /^HTTP\/1\.1 403 /);
  assert.match(await send('ftp://localhost/healthz'), /^HTTP\/1\.1 400 /);
  assert.match(await send('*'), /^HTTP\/1\.1 400 /);
});

test('Origin and Sec-Fetch-Site: only the same origin, on own routes, the proxy and upgrades', async (t) => {
  const { api, program } = await proxied(t, (_req, res) => res.end('hello'));
  const own = `http://127.0.0.1:${api.port}`;
  for (const path of ['/programs', '/programs/p1/proxy/x', '/nothing']) {
    const good = path === '/nothing' ? 404 : 200;
    for (const [headers, status] of [
      [{ Origin: own }, good],
      [{ Origin: own, 'Sec-Fetch-Site': 'same-origin' }, good],
      [{ 'Sec-Fetch-Site': 'none' }, good],
      [{ Origin: 'null' }, 403],
      [{ Origin: 'https://evil.example' }, 403],
      // A program's page on its own port, and the same machine by another name.
      [{ Origin: `http://127.0.0.1:${program.port}` }, 403],
      [{ Origin: 'http://localhost' }, 403],
      [{ 'Sec-Fetch-Site': 'cross-site' }, 403],
      // A program's page on its own port, in requests that say no Origin: an image, a form by GET.
      [{ 'Sec-Fetch-Site': 'same-site' }, 403],
    ] as const) {
      const answer = await ask(api.port, path, { headers: { ...headers } });
      assert.equal(answer.status, status, `${path} ${JSON.stringify(headers)}`);
    }
  }
  assert.equal(program.seen.length, 3);
  const upgrade = `Host: 127.0.0.1:${api.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`;
  const raw = await rawAsk(t, api.port, `GET /programs/p1/proxy/ HTTP/1.1\r\n${upgrade}Origin: null\r\n\r\n`);
  assert.equal(errorIn(raw).code, 403);
  assert.equal(program.seen.length, 3);
});

test('a link on a page of another site leads to the page, and to nothing else', async (t) => {
  const { port } = await serve(t, [fakeView('p1')], { pageFolder: fakePage() });
  const click = {
    'Sec-Fetch-Site': 'cross-site',
    'Sec-Fetch-Mode': 'navigate',
    'Sec-Fetch-Dest': 'document',
  };
  const statusOf = async (path: string, headers: Record<string, string>, method = 'GET'): Promise<number> =>
    (await ask(port, path, { headers, method })).status;
  for (const [path, status] of [
    ['/ui', 200],
    ['/ui/', 200],
    ['/ui?q=is:down', 200],
    ['/ui/programs/p1?tab=logs', 200],
    ['/ui/programs/a.b_c-d', 200],
    ['/ui/nothing', 404],
    ['/docs', 200],
    ['/', 404],
    ['/?x', 404],
    ['/programs', 403],
    ['/programs/p1/proxy/ui', 403],
    ['/uix', 403],
    ['/docs/style.css', 403],
    ['/ui/../programs', 403],
    ['/ui/%2e%2e/programs', 403],
    ['/ui/.%2E/programs', 403],
    ['/ui/..\\programs', 403],
    ['/ui//programs', 403],
    ['//ui', 403],
    ['/x?/ui', 403],
  ] as const) {
    assert.equal(await statusOf(path, click), status, path);
    assert.equal(await statusOf(path, click, 'HEAD'), status, path);
    assert.equal(await statusOf(path, click, 'POST'), 403, path);
  }
  for (const other of [
    { 'Sec-Fetch-Mode': 'no-cors' },
    { 'Sec-Fetch-Mode': 'cors' },
    { 'Sec-Fetch-Dest': 'iframe' },
    { 'Sec-Fetch-Dest': 'empty' },
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
    { Host: 'evil.example' },
  ]) {
    assert.equal(await statusOf('/ui', { ...click, ...other }), 403, JSON.stringify(other));
  }
  assert.equal(await statusOf('/ui', { 'Sec-Fetch-Site': 'cross-site' }), 403);
});

test('of the same site, too, only a link to the page is followed, and only streams of an allowed origin', async (t) => {
  const friend = 'http://localhost:5173';
  const { port } = await serve(t, [fakeView('p1')], { pageFolder: fakePage(), origins: [friend] });
  const from = { 'Sec-Fetch-Site': 'same-site' };
  const click = { ...from, 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
  const statusOf = async (path: string, headers: Record<string, string>, method = 'GET'): Promise<number> =>
    (await ask(port, path, { headers, method })).status;
  assert.equal(await statusOf('/ui', click), 200);
  assert.equal(await statusOf('/docs', click), 200);
  assert.equal(await statusOf('/ui', click, 'POST'), 403);
  assert.equal(await statusOf('/programs', click), 403);
  assert.notEqual(await statusOf('/programs/p1/proxy/x', click), 403);
  assert.equal(await statusOf('/programs/p1/proxy/x', { ...click, 'Sec-Fetch-Site': 'cross-site' }), 403);
  assert.equal(await statusOf('/programs/p1/proxy/x', { ...click, 'Sec-Fetch-Dest': 'iframe' }), 403);
  assert.equal(await statusOf('/events?follow=true', { ...from, Accept: 'text/event-stream' }), 403);
  assert.equal(await statusOf('/programs/p1/stop', from, 'POST'), 403);
  assert.equal(await statusOf('/programs', { ...from, Origin: friend }), 200);
  assert.equal(await statusOf('/programs/p1/stop', { ...from, Origin: friend }, 'POST'), 200);
  const raw = await rawAsk(
    t,
    port,
    'GET /programs/p1/proxy/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-Fetch-Site: same-site\r\n\r\n',
  );
  assert.equal(errorIn(raw).code, 403);
});

test('a body over the limit is refused by its length, before any of it is read', async (t) => {
  const { port } = await serve(t, [], { bodyBytesMax: 1000 });
  const { socket, text } = await rawConnection(t, port);
  socket.write(
    'POST /programs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{',
  );
  await until(() => text().includes('\r\n\r\n') && text().endsWith('}'));
  assert.deepEqual(errorIn(text()).message, 'the body is over the limit of 1000 bytes');
});

test('a chunked body over the limit is refused while it streams, and the client that sends on sees why', async (t) => {
  const bytesMax = 100_000;
  const { port, host } = await serve(t, [], { bodyBytesMax: bytesMax });
  const { socket, text } = await rawConnection(t, port);
  socket.write(
    'POST /programs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
  // Never ends its body; 40 times the limit goes down the line.
  for (let sent = 0; sent < 40 * bytesMax; sent += 0x4000) {
    if (!socket.write(chunk)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  await until(() => text().endsWith('}'));
  assert.match(text(), /^HTTP\/1\.1 413 /);
  assert.equal(errorIn(text()).code, 413);
  assert.deepEqual(host.calls, []);
  // The connection is whole: when the body does end, the next request on it is answered.
  socket.write('0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await until(() => text().includes('{"status":"ok"}'));
});

test('a large body under the limit is taken, chunked or not', async (t) => {
  const { port } = await serve(t, []);
  const body = JSON.stringify({
    user_id: 'u',
    dockerfile: 'FROM x',
    src_files: { a: 'x'.repeat(3_000_000) },
  });
  const headers = { 'Content-Type': 'application/json' };
  const whole = await ask(port, '/programs', { method: 'POST', headers, body });
  assert.equal(whole.status, 201, whole.text);
  const chunked = await ask(port, '/programs', {
    method: 'POST',
    headers: { ...headers, 'Transfer-Encoding': 'chunked' },
    body,
  });
  assert.equal(chunked.status, 201, chunked.text);
});

test('bodies that find no room beside others are asked for again, and those that do are taken', async (t) => {
  const { port } = await serve(t, [], { bodiesBytesMax: 1000 });
  const headers = { 'Content-Type': 'application/json' };
  const send = (length: number) => {
    const body = JSON.stringify({ user_id: 'u', dockerfile: 'x'.repeat(length) });
    return ask(port, '/programs', { method: 'POST', headers, body });
  };
  const refused = await send(1000);
  assert.equal(refused.status, 503, refused.text);
  assert.match(refused.text, /too many large bodies/);
  // Each gives back its room.
  for (let count = 0; count < 3; count++) assert.equal((await send(900)).status, 201);
});

test('an empty chunked body needs no type; one that is not empty does', async (t) => {
  const { port } = await serve(t, [fakeView('p1')]);
  const send = (body: string): Promise<string> =>
    rawAsk(
      t,
      port,
      `POST /programs/p1/stop HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${body}`,
    );
  assert.match(await send('0\r\n\r\n'), /^HTTP\/1\.1 200 /);
  assert.match(await send('2\r\n{}\r\n0\r\n\r\n'), /^HTTP\/1\.1 415 /);
});

test('Expect: 100-continue is granted only to a body that will be read', async (t) => {
  const { port } = await serve(t, [], { bodyBytesMax: 1000 });
  const head = (host: string): string =>
    `POST /programs HTTP/1.1\r\nHost: ${host}\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n`;
  const good = await rawConnection(t, port);
  good.socket.write(head('localhost'));
  await until(() => good.text().startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
  good.socket.write('{}');
  await until(() => good.text().includes('user_id is required'));
  const foreign = await rawConnection(t, port);
  foreign.socket.write(head('evil.example'));
  await until(() => foreign.text().endsWith('}'));
  assert.match(foreign.text(), /^HTTP\/1\.1 403 /);
  const odd = head('localhost').replace('100-continue', 'magic');
  const { socket, text } = await rawConnection(t, port);
  socket.write(`${odd}{}`);
  await until(() => text().endsWith('}'));
  assert.equal(errorIn(text()).code, 417);
});

test('malformed HTTP gets the uniform body and a closed connection', async (t) => {
  const { port } = await serve(t, []);
  for (const [bytes, code] of [
    ['nonsense\r\n\r\n', 400],
    ['GET /x HTTP/9.9\r\nHost: localhost\r\n\r\n', 400],
    ['GET /\u00e9\u00ff HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
    ['GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
    [
      'POST /programs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    ['POST /programs HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n', 405],
    ['TRACE /programs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 405],
    ['GET /a\\b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 400],
  ] as const) {
    assert.equal(errorIn(await rawAsk(t, port, bytes)).code, code, bytes.slice(0, 60));
  }
});

test('a body that is cut off by the client makes nothing and kills nothing', async (t) => {
  const { port, host } = await serve(t, []);
  const { socket } = await rawConnection(t, port);
  socket.write(
    'POST /programs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a',
  );
  await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  assert.equal((await ask(port, '/healthz')).status, 200);
  assert.deepEqual(host.calls, []);
});
