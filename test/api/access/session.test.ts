import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSessions } from '../../../api/access/sessions.ts';
import { fakeView } from '../fake-view.ts';
import { assertDocumented } from '../openapi.ts';
import { ask, serve } from '../socket.ts';
import { bearer, fakeAccess } from './fake-access.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };

async function signedIn(t: Parameters<typeof serve>[0], isSecure = false) {
  const access = fakeAccess('token', isSecure);
  const api = await serve(t, [fakeView('hers', { userId: 'alice' })], { access });
  const { token, stored } = access.make({ role: 'user', userId: 'alice' });
  const send = async (method: string, headers: Record<string, string> = {}, body?: string) => {
    const answer = await ask(api.port, '/session', { method, headers, ...(body !== undefined && { body }) });
    const contentType = answer.headers['content-type'] ?? '';
    assertDocumented(method, '/session', { ...answer, contentType });
    return answer;
  };
  const opened = await send('POST', JSON_TYPE, JSON.stringify({ token }));
  const setCookie = opened.headers['set-cookie']?.[0] ?? '';
  const { key } = JSON.parse(opened.text) as { key: string };
  return { api, access, token, stored, send, opened, setCookie, cookie: setCookie.split(';')[0] ?? '', key };
}

test('a browser trades a token for a cookie that no script reads, and a key beside it', async (t) => {
  const { api, opened, send, setCookie, cookie, key } = await signedIn(t);
  assert.equal(opened.status, 201);
  assert.match(setCookie, /; HttpOnly; SameSite=Strict$/);
  assert.match(setCookie, /; Path=\/; Max-Age=\d+;/);
  const statusOf = async (headers: Record<string, string>) =>
    (await ask(api.port, '/programs/hers', { headers })).status;
  assert.equal(await statusOf({ Cookie: cookie, 'X-Hersh-Session': key }), 200);
  // What other ports of the machine are sent by a browser.
  assert.equal(await statusOf({ Cookie: cookie }), 401);
  assert.equal(await statusOf({ 'X-Hersh-Session': key }), 401);
  assert.equal(await statusOf({ Cookie: cookie, 'X-Hersh-Session': `${key.slice(1)}A` }), 401);
  const who = await send('GET', { Cookie: `a=b; ${cookie}`, 'X-Hersh-Session': key });
  assert.deepEqual(JSON.parse(who.text), { tokens: true, name: 'the-user', role: 'user', user_id: 'alice' });
});

test('a session ends by DELETE, and with its token', async (t) => {
  const one = await signedIn(t);
  const headers = { Cookie: one.cookie, 'X-Hersh-Session': one.key };
  const out = await one.send('DELETE', headers);
  assert.match(out.headers['set-cookie']?.[0] ?? '', /=; Path=\/; Max-Age=0;/);
  assert.equal((await one.send('GET', headers)).status, 401);
  const other = await signedIn(t);
  other.access.revoke(other.stored.id);
  assert.equal((await other.send('GET', { Cookie: other.cookie, 'X-Hersh-Session': other.key })).status, 401);
});

test('over TLS the cookie goes nowhere else; a page of another origin signs nobody in', async (t) => {
  const { api, setCookie, token } = await signedIn(t, true);
  assert.match(setCookie, /; Secure$/);
  const foreign = { ...JSON_TYPE, 'Sec-Fetch-Site': 'same-site' };
  const { status } = await ask(api.port, '/session', {
    method: 'POST',
    headers: foreign,
    body: JSON.stringify({ token }),
  });
  assert.equal(status, 403);
});

test('a token that is none opens nothing, and a body that says something else is told', async (t) => {
  const { send } = await signedIn(t);
  assert.equal((await send('POST', JSON_TYPE, '{"token":"hersh_x"}')).status, 401);
  assert.equal((await send('POST', JSON_TYPE, '{"tokens":"x"}')).status, 400);
});

test('a host without tokens asks nobody', async (t) => {
  const { port } = await serve(t, [fakeView('p1')]);
  const { status, text } = await ask(port, '/session');
  assert.deepEqual([status, JSON.parse(text).tokens, JSON.parse(text).role], [200, false, 'admin']);
  const init = { method: 'POST', headers: JSON_TYPE, body: '{"token":"x"}' };
  assert.equal((await ask(port, '/session', init)).status, 409);
  assert.equal((await ask(port, '/session', { method: 'DELETE' })).status, 200);
  assert.equal((await ask(port, '/programs', { headers: bearer('whatever') })).status, 200);
});

test('sessions end in time, and those of one token do not grow without end', () => {
  const sessions = createSessions();
  const first = sessions.open('a', 0);
  assert.equal(sessions.tokenOf(first.id, first.key, first.endsMs - 1), 'a');
  assert.equal(sessions.tokenOf(first.id, first.key, first.endsMs), undefined);
  const others = Array.from({ length: 500 }, () => sessions.open('a', 0));
  assert.equal(sessions.tokenOf(first.id, first.key, 0), undefined);
  const kept = others.filter(({ id, key }) => sessions.tokenOf(id, key, 0) !== undefined);
  assert.ok(kept.length > 1 && kept.length < 100, `${kept.length}`);
});
