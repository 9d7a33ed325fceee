import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { createApi } from '../../../api/app.ts';
import { caller } from '../call.ts';
import { fakeView } from '../fake-view.ts';
import { fakeHost, HOOK_SECRET } from '../fakes.ts';
import { ask, rawAsk, serve } from '../socket.ts';

const PATH = '/hooks/git';
const body = JSON.stringify({ ref: 'refs/heads/main', name: 'ä' });
const hex = (text: string | Uint8Array, secret = HOOK_SECRET) =>
  createHmac('sha256', secret).update(text).digest('hex');
const github = (text: string | Uint8Array) => ({ 'X-Hub-Signature-256': `sha256=${hex(text)}` });
/** As a header carries UTF-8. */
const TOKEN = Buffer.from(HOOK_SECRET).toString('latin1');

test('a push is told in the forms of GitHub, Gitea and GitLab, with whatever body', async () => {
  const { host, call } = caller();
  for (const headers of [
    github(body),
    { 'X-Gitea-Signature': hex(body).toUpperCase() },
    { 'X-Gitlab-Token': TOKEN },
    { ...github(body), 'X-Gitea-Signature': hex('another') },
    // GitHub's default.
    { ...github(body), 'Content-Type': 'application/x-www-form-urlencoded' },
  ]) {
    const answer = await call('POST', PATH, { body, headers });
    assert.equal(answer.status, 202, JSON.stringify(headers));
    assert.deepEqual(answer.json, { message: 'the remote is looked at' });
  }
  const bytes = Uint8Array.of(0xff, 0x00, 0xfe);
  assert.equal((await call('POST', PATH, { body: bytes, headers: github(bytes) })).status, 202);
  assert.equal((await call('POST', PATH, { headers: github('') })).status, 202);
  assert.equal(host.calls.length, 7);
});

test('who does not prove to know the secret is answered 401 without detail, and nothing happens', async () => {
  const { host, call } = caller();
  for (const headers of [
    {},
    github(`${body} `),
    { 'X-Hub-Signature-256': `sha256=${hex(body, 'another secret of a test')}` },
    { 'X-Hub-Signature-256': hex(body) },
    { 'X-Hub-Signature-256': `sha256=${hex(body)}00` },
    { 'X-Hub-Signature-256': 'sha256=' },
    { 'X-Hub-Signature': `sha1=${createHmac('sha1', HOOK_SECRET).update(body).digest('hex')}` },
    { 'X-Gitea-Signature': `sha256=${hex(body)}` },
    { 'X-Gitlab-Token': '' },
    { 'X-Gitlab-Token': TOKEN.slice(1) },
    { 'X-Gitlab-Token': `${TOKEN}, ${TOKEN}` },
    { Authorization: `Bearer ${TOKEN}` },
  ]) {
    const answer = await call('POST', PATH, { body, headers: headers as Record<string, string> });
    assert.deepEqual(answer.json, { error: 'Unauthorized', code: 401, message: 'not authorized' });
  }
  assert.deepEqual(host.calls, []);
  assert.deepEqual(host.logged, []);
});

test('where no remote is followed that is said, to who knows the secret', async () => {
  const { host, call } = caller();
  host.follows = false;
  const answer = await call('POST', PATH, { body, headers: github(body) });
  assert.equal(answer.status, 409);
  assert.match(String(answer.json.hint), /--git-remote/);
  assert.equal((await call('POST', PATH, { body })).status, 401);
});

test('without a secret there is no such route', async () => {
  const { deps } = fakeHost();
  const app = createApi({ ...deps, gitHook: undefined });
  for (const path of [PATH, '/hooks/other']) {
    for (const method of ['POST', 'GET']) {
      const init = { method, headers: github(body), ...(method === 'POST' && { body }) };
      const answer = await app.request(path, init);
      assert.equal(answer.status, 404, `${method} ${path}`);
      assert.match(await answer.text(), new RegExp(`no route ${method} ${path}`));
    }
  }
});

test('a body over the limit is refused, by its length or as it comes', async (t) => {
  const { port, host } = await serve(t, []);
  const large = 25 * 2 ** 20 + 1;
  const head = `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nX-Gitlab-Token: x\r\nConnection: close\r\n`;
  assert.match(await rawAsk(t, port, `${head}Content-Length: ${large}\r\n\r\n`), /^HTTP\/1\.1 413 /);
  const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n${large.toString(16)}\r\n${' '.repeat(large)}\r\n0\r\n\r\n`;
  assert.match(await rawAsk(t, port, chunked), /^HTTP\/1\.1 413 /);
  assert.deepEqual(host.calls, []);
});

test('under any Host the hook is served, and nothing else is', async (t) => {
  const { port } = await serve(t, [fakeView('p1')]);
  const send = (method: string, path: string, headers: Record<string, string> = {}) =>
    ask(port, path, {
      ...{ method, headers: { Host: 'hooks.example', ...github(body), ...headers } },
      ...(method === 'POST' && { body }),
    });
  assert.equal((await send('POST', PATH)).status, 202);
  for (const [method, path] of [
    ['GET', PATH],
    ['POST', `${PATH}/`],
    ['POST', `${PATH}?x=1`],
    ['POST', `/${PATH}`],
    ['POST', '/hooks/../hooks/git'],
    ['POST', '/hooks/git/../../programs/p1/stop'],
    ['POST', '/programs/p1/stop'],
    ['POST', '/programs/p1/proxy/hooks/git'],
    ['GET', '/programs'],
  ] as const)
    assert.equal((await send(method, path)).status, 403, `${method} ${path}`);
  // Pages are kept out as ever; no forge sends these.
  assert.equal((await send('POST', PATH, { Origin: 'https://evil.example' })).status, 403);
  assert.equal((await send('POST', PATH, { 'Sec-Fetch-Site': 'cross-site' })).status, 403);
  const two = `POST ${PATH} HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
  assert.match(await rawAsk(t, port, two), /^HTTP\/1\.1 400 /);
});

test('without a secret a foreign Host is refused there as anywhere', async (t) => {
  const { deps } = fakeHost();
  const bare = { ...deps, gitHook: undefined };
  const { port } = await serve(t, [], { app: createApi(bare), deps: bare });
  const headers = { Host: 'hooks.example', ...github('') };
  assert.equal((await ask(port, PATH, { method: 'POST', headers })).status, 403);
});
