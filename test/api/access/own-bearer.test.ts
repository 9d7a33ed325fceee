import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ask, proxied } from '../socket.ts';
import { bearer, fakeAccess } from './fake-access.ts';

/** A program of alice that is for nobody without a token, and what her browser sends. */
async function signedIn(t: TestContext) {
  const access = fakeAccess();
  const { api, program } = await proxied(t, (_req, res) => res.end('hello'), { access, userId: 'alice' });
  const { token } = access.make({ role: 'user', userId: 'alice' });
  const opened = await ask(api.port, '/session', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  const { key } = JSON.parse(opened.text) as { key: string };
  const session = { Cookie: opened.headers['set-cookie']?.[0]?.split(';')[0] ?? '', 'X-Hersh-Session': key };
  const statusOf = async (path: string, headers: Record<string, string>) =>
    (await ask(api.port, path, { headers })).status;
  return { api, program, token, session, statusOf };
}

const PATHS = ['/programs/p1/proxy/x', '/programs/p1'];

test('what a program asks for of its clients goes beside the session, and reaches it', async (t) => {
  const { program, session, statusOf } = await signedIn(t);
  const own = bearer('its-own');
  for (const path of PATHS) assert.equal(await statusOf(path, { ...session, ...own }), 200, path);
  const seen = program.seen.at(-1)?.headers;
  assert.deepEqual([seen?.authorization, seen?.['x-hersh-session']], [own.Authorization, undefined]);
});

test('what is meant for a host counts alone, whatever session is beside it', async (t) => {
  const { program, token, session, statusOf } = await signedIn(t);
  for (const path of PATHS) {
    assert.equal(await statusOf(path, { ...session, ...bearer(token) }), 200, path);
    for (const wrong of [`${token.slice(0, -4)}AAAA`, token.toUpperCase()])
      assert.equal(await statusOf(path, { ...session, ...bearer(wrong) }), 401, path);
  }
  assert.deepEqual(
    program.seen.map(({ headers }) => headers.authorization),
    [undefined],
  );
});

test('what is sent to a program is no try to get in here, and on other routes it is', async (t) => {
  const { api, statusOf } = await signedIn(t);
  const [proxy = '', own = ''] = PATHS;
  const answers = async (path: string) => {
    const statuses = new Set<number>();
    for (let i = 0; i < 30; i++) statuses.add(await statusOf(path, bearer('its-own')));
    return [...statuses];
  };
  assert.deepEqual(await answers(proxy), [401]);
  assert.deepEqual(api.host.logged, []);
  assert.deepEqual(await answers(own), [401, 429]);
});
