import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROGRAM_STATES } from '../../../schemas/program.ts';
import { fakeView } from '../fake-view.ts';
import { assertMatches } from '../openapi.ts';
import { ask, proxied, rawAsk, rawConnection, serve } from '../socket.ts';
import { until } from '../until.ts';

const BASE = '/programs/p1/proxy';

test('any method and body goes through, and what the program answers comes back', async (t) => {
  const { api } = await proxied(t, (req, res) => {
    res.writeHead(req.method === 'DELETE' ? 404 : 200, { 'X-Method': req.method ?? '' });
    req.pipe(res);
  });
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'REPORT', 'TRACE']) {
    for (const body of ['', 'hello']) {
      const answer = await ask(api.port, `${BASE}/x`, {
        method,
        body,
        headers: { 'Content-Type': 'text/weird', 'Content-Length': String(body.length) },
      });
      assert.equal(answer.status, method === 'DELETE' ? 404 : 200, `${method} ${body}`);
      assert.equal(answer.headers['x-method'], method);
      assert.equal(answer.text, body, method);
    }
  }
});

test('a chunked body and one of many megabytes arrive whole, both ways', async (t) => {
  const { api, program } = await proxied(t, (req, res) => void req.pipe(res));
  const body = Buffer.alloc(8_000_000, 'abcdefghij');
  for (const headers of [{ 'Transfer-Encoding': 'chunked' }, { 'Content-Length': String(body.length) }]) {
    const answer = await ask(api.port, `${BASE}/`, { method: 'POST', body, headers });
    assert.equal(answer.text.length, body.length);
    assert.ok(body.equals(Buffer.from(answer.text)));
  }
  assert.equal(program.seen[0]?.headers['transfer-encoding'], 'chunked');
  assert.equal(program.seen[1]?.headers['content-length'], String(body.length));
});

test('path and query reach the program exactly as they came', async (t) => {
  const { api, program } = await proxied(t, (_req, res) => res.end());
  const rows: [sent: string, seen: string][] = [
    ['/programs/p1/proxy', '/'],
    ['/programs/p1/proxy?a=b', '/?a=b'],
    ['/programs/p1/proxy/', '/'],
    ['/programs/p1/proxy/a%2Fb%2f..%2e/c', '/a%2Fb%2f..%2e/c'],
    ['/programs/p1/proxy/../../../etc', '/../../../etc'],
    ['/programs/p1/proxy/..', '/..'],
    ['/programs/p1/proxy//a//b', '//a//b'],
    ['/programs/p1/proxy//evil.example/x', '//evil.example/x'],
    ['/programs/p1/proxy/@evil.example', '/@evil.example'],
    ['/programs/p1/proxy/http://evil.example/', '/http://evil.example/'],
    ['/programs/p1/proxy/a\\b', '/a\\b'],
    ['/programs/p1/proxy/%00%0d%0a', '/%00%0d%0a'],
    ['/programs/p1/proxy/%zz%', '/%zz%'],
    ['/programs/p1/proxy/a?b=c?d&e=%20+/../', '/a?b=c?d&e=%20+/../'],
    ['/programs/p1/proxy/a#b', '/a#b'],
    ['/programs/p1/proxy/"<>`{|}^', '/"<>`{|}^'],
    ['/programs/%70%31/proxy/x', '/x'],
    ['/programs/p1/proxy/programs/p2/proxy/', '/programs/p2/proxy/'],
    ['http://localhost/programs/p1/proxy/abs?q', '/abs?q'],
    ['http://localhost:19001/programs/p1/proxy', '/'],
  ];
  for (const [sent, want] of rows) {
    const before = program.seen.length;
    const raw = await rawAsk(
      t,
      api.port,
      `GET ${sent} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    assert.match(raw, /^HTTP\/1\.1 200 /, sent);
    assert.equal(program.seen.length, before + 1, sent);
    assert.equal(program.seen[before]?.url, want);
  }
});

test('what only looks like a proxy path is not one', async (t) => {
  const { api, program } = await proxied(t, (_req, res) => res.end());
  for (const path of [
    '/programs/p1/proxyx',
    '/programs/p1/Proxy/',
    '/programs/p1/%70roxy/',
    '/programs//proxy/',
    // Own routes with a query that none of them knows: 400.
    '/programs/x?/proxy/',
    '/programs/p%2531/proxy/',
    '/programs/p1%2f/proxy/',
    '/programs/../p1/proxy/',
    '//programs/p1/proxy/',
    '/programs/nobody/proxy/',
    '/programs/%ff/proxy/',
  ]) {
    const raw = await rawAsk(
      t,
      api.port,
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    assert.match(raw, /^HTTP\/1\.1 40[04] /, path);
    assertMatches('#/components/schemas/Error', raw.slice(raw.indexOf('\r\n\r\n') + 4), path);
  }
  assert.equal(program.seen.length, 0);
});

test('request headers: hop-by-hop dropped, X-Forwarded set, the rest as it came', async (t) => {
  const { api, program } = await proxied(t, (_req, res) => res.end());
  await ask(api.port, `${BASE}/x`, {
    headers: {
      Host: 'localhost:9000',
      Connection: 'close, X-Secret-Hop',
      'Keep-Alive': 'timeout=1',
      'Proxy-Authorization': 'x',
      'Proxy-Connection': 'x',
      TE: 'trailers',
      'X-Secret-Hop': 'x',
      'X-Forwarded-For': '10.0.0.1',
      'X-Forwarded-Host': 'spoofed',
      'X-Forwarded-Proto': 'https',
      Authorization: 'Bearer kept',
      Cookie: 'a=b',
      'X-Twice': ['1', '2'],
      'Accept-Encoding': 'br',
    },
  });
  const seen = program.seen[0];
  assert.ok(seen);
  const { host, connection, ...rest } = seen.headers;
  assert.equal(host, `127.0.0.1:${program.port}`);
  assert.equal(connection, 'keep-alive');
  assert.deepEqual(rest, {
    authorization: 'Bearer kept',
    cookie: 'a=b',
    'x-twice': '1, 2',
    'accept-encoding': 'br',
    'x-forwarded-for': '10.0.0.1, 127.0.0.1',
    'x-forwarded-host': 'localhost:9000',
    'x-forwarded-proto': 'http',
    'x-forwarded-prefix': '/programs/p1/proxy',
  });
});

test('answer headers: hop-by-hop dropped, cookies kept apart, ours set whatever the program says', async (t) => {
  const { api } = await proxied(t, (_req, res) => {
    res.writeHead(200, [
      ...['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Own', 'caf\u00e9'],
      ...[
        'Connection',
        'X-Hop, Content-Security-Policy, keep-alive',
        'X-Hop',
        'x',
        'Keep-Alive',
        'timeout=99',
      ],
      ...['Proxy-Authenticate', 'x', 'Upgrade', 'h2c', 'Trailer', 'X-T'],
      ...['Content-Security-Policy', "default-src 'self'", 'X-Content-Type-Options', 'whatever'],
    ]);
    res.end(Buffer.from('x'));
  });
  const { headers, rawHeaders } = await ask(api.port, `${BASE}/`);
  assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2']);
  assert.equal(headers['x-own'], 'caf\u00e9');
  assert.equal(headers['content-security-policy'], "default-src 'self', sandbox");
  assert.equal(headers['x-content-type-options'], 'nosniff');
  for (const name of ['x-hop', 'proxy-authenticate', 'upgrade', 'trailer'])
    assert.equal(headers[name], undefined, name);
  assert.notEqual(headers['keep-alive'], 'timeout=99');
  assert.equal(rawHeaders.filter((name) => name.toLowerCase() === 'date').length, 1);
});

test('redirects are passed on, not followed', async (t) => {
  const { api, program } = await proxied(t, (_req, res) => {
    res.writeHead(302, { Location: 'http://127.0.0.1:1/elsewhere' }).end();
  });
  const answer = await ask(api.port, `${BASE}/`);
  assert.deepEqual([answer.status, answer.headers.location], [302, 'http://127.0.0.1:1/elsewhere']);
  assert.equal(program.seen.length, 1);
});

test('HEAD, 204 and 304 keep the connection in step', async (t) => {
  const { api } = await proxied(t, (req, res) => {
    const status = Number(req.url?.slice(1));
    if (status === 200)
      res.writeHead(200, { 'Content-Length': 5 }).end(req.method === 'HEAD' ? undefined : 'hello');
    else res.writeHead(status, { ETag: '"x"' }).end();
  });
  const { socket, text } = await rawConnection(t, api.port);
  for (const line of [`HEAD ${BASE}/200`, `GET ${BASE}/204`, `GET ${BASE}/304`, `GET ${BASE}/200`]) {
    socket.write(`${line} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  }
  await until(() => text().endsWith('\r\n\r\nhello'));
  assert.deepEqual(text().match(/HTTP\/1.1 \d+/g), [
    'HTTP/1.1 200',
    'HTTP/1.1 204',
    'HTTP/1.1 304',
    'HTTP/1.1 200',
  ]);
  assert.equal(text().match(/content-length: 5/gi)?.length, 2);
});

test('interim answers and trailers of the program do no harm', async (t) => {
  const { api } = await proxied(t, (_req, res) => {
    res.writeProcessing();
    res.writeEarlyHints({ link: '</a>; rel=preload' });
    res.writeHead(200, { Trailer: 'X-Sum' });
    res.write('body');
    res.addTrailers({ 'X-Sum': '1' });
    res.end();
  });
  const answer = await ask(api.port, `${BASE}/`);
  assert.deepEqual([answer.status, answer.text], [200, 'body']);
});

test('Expect: 100-continue is answered here and not passed on', async (t) => {
  const { api, program } = await proxied(t, (req, res) => void req.pipe(res));
  const { socket, text } = await rawConnection(t, api.port);
  socket.write(
    `POST ${BASE}/ HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
  );
  await until(() => text().startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
  socket.write('hello');
  await until(() => text().includes('200 OK') && text().includes('hello'));
  assert.equal(program.seen[0]?.headers.expect, undefined);
});

test('an HTTP/1.0 client is answered', async (t) => {
  const { api } = await proxied(t, (_req, res) => {
    res.write('a');
    res.end('b');
  });
  const raw = await rawAsk(t, api.port, `GET ${BASE}/ HTTP/1.0\r\nHost: localhost\r\n\r\n`);
  assert.match(raw, /^HTTP\/1\.1 200 /);
  assert.doesNotMatch(raw, /chunked/i);
  assert.match(raw, /\r\n\r\nab$/);
});

test('a program that is not there is 404, one that does not run 503', async (t) => {
  const views = PROGRAM_STATES.map((state) => fakeView(state, { state, port: 1 }));
  const api = await serve(t, [...views, fakeView('no-port', { port: 0 })]);
  for (const { name, status } of views) {
    const answer = await ask(api.port, `/programs/${name}/proxy/`, {
      method: 'POST',
      body: 'x'.repeat(100_000),
    });
    const up = status.state === 'Running' || status.state === 'Ready';
    assert.equal(answer.status, up ? 502 : 503, name);
    assertMatches('#/components/schemas/Error', answer.text, name);
    if (!up) assert.match(answer.text, new RegExp(`its state is ${name}`));
  }
  assert.equal((await ask(api.port, '/programs/no-port/proxy/')).status, 503);
  assert.equal((await ask(api.port, '/programs/nobody/proxy/')).status, 404);
});
