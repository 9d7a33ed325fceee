import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { bearer, fakeAccess } from '../access/fake-access.ts';
import { fakeView } from '../fake-view.ts';
import { proxied, serve } from '../socket.ts';
import { until } from '../until.ts';

/** A certificate of its own for this test, by openssl. */
function certificate(t: TestContext, name: string) {
  const folder = mkdtempSync(join(tmpdir(), 'hersh-tls-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
  execFileSync('openssl', [...made, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

function get(port: number, path: string, ca: Buffer, headers: Record<string, string>, body?: string) {
  return new Promise<{ status: number; text: string; name: string }>((resolve, reject) => {
    const options = {
      host: 'localhost',
      port,
      path,
      ca,
      headers,
      agent: false,
      method: body ? 'POST' : 'GET',
    };
    const req = request(options, (res) => {
      const { socket } = res as unknown as { socket: import('node:tls').TLSSocket };
      const name = String(socket.getPeerCertificate().subject.CN);
      let text = '';
      res.on('data', (chunk: Buffer) => (text += chunk.toString()));
      res.on('end', () => resolve({ status: res.statusCode ?? 0, text, name }));
    });
    req.on('error', reject).end(body);
  });
}

test('over TLS it answers, on routes, through the proxy and after an upgrade; a new certificate is taken up', async (t) => {
  const access = fakeAccess('token', true);
  const tls = certificate(t, 'first');
  const { api, program } = await proxied(
    t,
    (req, res) => {
      res.setHeader('X-Proto', String(req.headers['x-forwarded-proto']));
      req.resume().on('end', () => res.end('hello'));
    },
    { access, tls },
  );
  program.server.on('upgrade', (_req, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.on('data', (chunk: Buffer) => socket.write(`echo ${chunk}`));
  });
  const { token } = access.make({ role: 'admin' });
  const headers = bearer(token);
  const plain = await get(api.port, '/programs', tls.cert, headers);
  assert.deepEqual([plain.status, plain.name], [200, 'first']);
  const posted = await get(api.port, '/programs/p1/proxy/x', tls.cert, headers, 'body');
  assert.deepEqual([posted.status, posted.text], [200, 'hello']);
  assert.equal(program.seen.at(-1)?.headers['x-forwarded-proto'], 'https');
  assert.equal((await get(api.port, '/programs', tls.cert, {})).status, 401);
  // An offer of something else is passed over.
  const offer = { ...headers, Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': '' };
  assert.equal((await get(api.port, '/healthz', tls.cert, offer)).status, 200);

  const socket = connect({ port: api.port, host: 'localhost', ca: tls.cert });
  t.after(() => socket.destroy());
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString()));
  await once(socket, 'secureConnect');
  socket.write(
    `GET /programs/p1/proxy/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  );
  await until(() => text.includes('101 Switching'));
  socket.write('this');
  await until(() => text.endsWith('echo this'));

  const next = certificate(t, 'second');
  api.renew(next);
  assert.equal((await get(api.port, '/programs', next.cert, headers)).name, 'second');
});

test('with tokens and TLS, or the word that a proxy does it, it listens on any address; with less on loopback alone', async (t) => {
  const access = fakeAccess();
  const views = [fakeView('p1')];
  await assert.rejects(serve(t, views, { host: '0.0.0.0', access }), /without TLS only loopback addresses/);
  await assert.rejects(
    serve(t, views, { host: '0.0.0.0', isTlsByProxy: true }),
    /without tokens only loopback/,
  );
  await serve(t, views, { host: '0.0.0.0', access, isTlsByProxy: true });
  await serve(t, views, { host: '127.0.0.1', access });
});
