import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeView } from '../fake-view.ts';
import { proxied, rawConnection, serve } from '../socket.ts';
import { until } from '../until.ts';

/** As Java's HttpClient (17) and `curl --http2` (7.88) send it with every request. */
const H2C = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n';
const WEBSOCKET = 'Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';

test('an offer that is declined keeps its body, on own routes and through the proxy', async (t) => {
  const { api } = await proxied(t, (req, res) => void req.pipe(res));
  for (const offer of [H2C, WEBSOCKET, 'Connection: upgrade\r\nUpgrade: TLS/1.0\r\n']) {
    for (const framing of ['Content-Length: 14\r\n', 'Transfer-Encoding: chunked\r\n']) {
      const body = framing.startsWith('C') ? '{"revision":2}' : 'e\r\n{"revision":2}\r\n0\r\n\r\n';
      const head = `HTTP/1.1\r\nHost: localhost\r\n${offer}${JSON_TYPE}${framing}\r\n`;
      const { socket, text } = await rawConnection(t, api.port);
      socket.write(`POST /programs/p1/rollback ${head}${body.slice(0, 5)}`);
      setImmediate(() => socket.write(`${body.slice(5)}POST /programs/p1/proxy/x ${head}${body}`));
      await until(() => text().endsWith('{"revision":2}') || text().includes('\r\n{"revision":2}\r\n'));
      assert.deepEqual(text().match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 200'], offer + framing);
      assert.equal(api.host.calls.at(-1), 'rollBack p1 2', offer + framing);
    }
  }
});

test('answers ahead of an offer on the same connection are out before its own', async (t) => {
  const { api } = await proxied(t, (req, res) => {
    if (req.url === '/slow') setImmediate(() => setImmediate(() => res.end('slow')));
    else req.pipe(res);
  });
  const { socket, text } = await rawConnection(t, api.port);
  const get = 'GET /programs/p1/proxy/slow HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const post = `POST /programs/p1/proxy/x HTTP/1.1\r\nHost: localhost\r\n${H2C}Content-Length: 4\r\n\r\n`;
  socket.write(`${get}${post}fast${get}CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await until(() => text().includes('CONNECT is not served'));
  assert.deepEqual(
    text().match(/HTTP\/1\.1 \d+/g),
    [200, 200, 200, 405].map((code) => `HTTP/1.1 ${code}`),
  );
  assert.match(text(), /slow[\s\S]*fast[\s\S]*slow/);
});

test('an offer is refused, and told of, as any request; the connection stays', async (t) => {
  const api = await serve(t, [fakeView('p1')]);
  const { socket, text } = await rawConnection(t, api.port);
  const post = (target: string, host: string) =>
    `POST ${target} HTTP/1.1\r\nHost: ${host}\r\n${H2C}${JSON_TYPE}Content-Length: 2\r\n\r\n{}`;
  socket.write(post('/programs/p1/restart', 'evil.example'));
  await until(() => text().includes('HTTP/1.1 403'));
  socket.write(post('http://evil.example/programs/p1/restart', 'localhost'));
  await until(() => text().match(/HTTP\/1\.1 403/g)?.length === 2);
  socket.write(post('http://localhost/programs/p1/restart', 'evil.example'));
  await until(() => text().includes('HTTP/1.1 200'));
  assert.equal(api.host.calls.length, 1);
});
