import assert from 'node:assert/strict';
import { type IncomingMessage, request } from 'node:http';
import { test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { fakeView } from '../fake-view.ts';
import { ask, serve } from '../socket.ts';

const views = ['p1', 'p2', 'p3', 'p4'].map((name) => fakeView(name));
const UNDECODED = { br: brotliDecompressSync, gzip: gunzipSync } as const;

/** All but what another answer may have otherwise: its time, and the order. */
function headersOf({ headers }: { headers: IncomingMessage['headers'] }) {
  const { date: _, ...rest } = headers;
  return Object.fromEntries(Object.entries(rest).sort());
}

/** The bytes of an answer, which a text is not. */
function bytesOf(port: number, headers: Record<string, string>) {
  return new Promise<{ headers: IncomingMessage['headers']; bytes: Buffer }>((resolve, reject) => {
    const req = request({ host: '127.0.0.1', port, path: '/programs', headers, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('end', () => resolve({ headers: res.headers, bytes: Buffer.concat(chunks) }));
    });
    req.on('error', reject);
    req.end();
  });
}

test('what is answered plainly is what the routes answer', async (t) => {
  const api = await serve(t, views, { origins: ['http://pages.example'] });
  const etag = (await ask(api.port, '/programs')).headers.etag as string;
  // A slash at the end goes the way of the routes.
  for (const path of ['/programs', '/programs/p1']) {
    const all = [
      {},
      { Origin: 'http://pages.example' },
      { 'If-None-Match': etag },
      { 'Accept-Encoding': 'br' },
    ];
    for (const headers of all as Record<string, string>[]) {
      const [plain, routed] = [
        await ask(api.port, path, { headers }),
        await ask(api.port, `${path}/`, { headers }),
      ];
      const where = `${path} ${JSON.stringify(headers)}`;
      assert.deepEqual([plain.status, plain.text], [routed.status, routed.text], where);
      assert.deepEqual(headersOf(plain), headersOf(routed), where);
    }
  }
});

test('the guard stands before it, and errors, bodies and HEAD go to the routes', async (t) => {
  const api = await serve(t, views);
  const status = async (path: string, init = {}) => (await ask(api.port, path, init)).status;
  assert.equal(await status('/programs', { headers: { Host: 'elsewhere.example' } }), 403);
  assert.equal(await status('/programs/p1', { headers: { Origin: 'http://elsewhere.example' } }), 403);
  assert.equal(await status('/programs/none'), 404);
  assert.equal(await status('/programs/p%31'), 200);
  assert.equal(await status('/programs/p%2531'), 404);
  assert.equal(await status('/programs?stat=Ready'), 400);
  assert.equal(await status('/programs/p1', { method: 'GET', headers: { Expect: '100-continue' } }), 200);
  const head = await ask(api.port, '/programs', { method: 'HEAD' });
  assert.deepEqual([head.status, head.text], [200, '']);
  api.host.deps.programs.get = () => {
    throw new Error('a bug');
  };
  assert.equal(await status('/programs/p1'), 500);
  assert.equal(api.host.logged.length, 1);
});

test('the list has a tag that changes with what is shown, and only then', async (t) => {
  const api = await serve(t, views);
  const list = (headers = {}) => ask(api.port, '/programs', { headers });
  const { etag } = (await list()).headers;
  for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const same = await list({ 'If-None-Match': tag });
    assert.deepEqual([same.status, same.text, same.headers.etag], [304, '', etag]);
  }
  api.host.put(fakeView('p1'));
  assert.equal((await list({ 'If-None-Match': etag })).status, 304);
  api.host.put(fakeView('p1', { state: 'Stopped' }));
  const changed = await list({ 'If-None-Match': etag });
  assert.equal(changed.status, 200);
  assert.notEqual(changed.headers.etag, etag);
  assert.match(changed.text, /"state":"Stopped"/);
  const other = await serve(t, views);
  assert.notEqual((await ask(other.port, '/programs')).headers.etag, etag);
});

test('the list is compressed for who takes it, and each form has its tag', async (t) => {
  const api = await serve(t, views);
  const asItIs = await bytesOf(api.port, {});
  assert.equal(asItIs.headers['content-encoding'], undefined);
  assert.equal(asItIs.headers.vary, 'Accept-Encoding');
  for (const [coding, decode] of Object.entries(UNDECODED)) {
    const coded = await bytesOf(api.port, { 'Accept-Encoding': coding });
    assert.equal(coded.headers['content-encoding'], coding);
    assert.notEqual(coded.headers.etag, asItIs.headers.etag);
    assert.deepEqual(decode(coded.bytes), asItIs.bytes);
    const headers = { 'Accept-Encoding': coding, 'If-None-Match': String(coded.headers.etag) };
    assert.equal((await ask(api.port, '/programs', { headers })).status, 304);
  }
  const filtered = await ask(api.port, '/programs?state=Ready', { headers: { 'Accept-Encoding': 'gzip' } });
  assert.deepEqual([filtered.headers.etag, filtered.headers['content-encoding']], [undefined, undefined]);
  assert.equal(JSON.parse(filtered.text).count, views.length);
});

test('a list of one packet goes as it is', async (t) => {
  const api = await serve(t, []);
  const answer = await bytesOf(api.port, { 'Accept-Encoding': 'br, gzip' });
  assert.equal(answer.headers['content-encoding'], undefined);
});
