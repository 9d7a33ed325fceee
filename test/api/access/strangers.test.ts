import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeView } from '../fake-view.ts';
import { assertDocumented } from '../openapi.ts';
import { ask, serve } from '../socket.ts';
import { bearer, fakeAccess } from './fake-access.ts';

/** Node's client gives a `GET` no length by itself. */
const typed = (body: string) => ({ 'Content-Type': 'application/json', 'Content-Length': `${body.length}` });
const OPEN = ['POST /session', 'DELETE /session', 'GET /healthz', 'GET /openapi.json', 'GET /docs'];
const bodyOf = (bytes: number) => JSON.stringify({ token: 'x'.repeat(bytes - '{"token":""}'.length) });

test('bodies of those whom nobody knows take no place of others', async (t) => {
  const access = fakeAccess();
  const bytes = 200;
  const { port } = await serve(t, [fakeView('p1')], { access, bodiesBytesMax: bytes / 2 });
  const { token } = access.make({ role: 'admin' });
  const send = async (route: string, headers = {}) => {
    const [method = '', path = ''] = route.split(' ');
    const body = bodyOf(bytes);
    return (await ask(port, path, { method, headers: { ...typed(body), ...headers }, body })).status;
  };
  for (const route of OPEN) assert.notEqual(await send(route), 503, route);
  assert.equal(await send('POST /validate', bearer(token)), 503, 'there is a limit for those who are known');
});

test('a body of somebody whom nobody knows is small, whatever the route', async (t) => {
  const access = fakeAccess();
  const { port } = await serve(t, [fakeView('p1')], { access });
  for (const route of OPEN) {
    const [method = '', path = ''] = route.split(' ');
    const answerTo = async (bytes: number) => {
      const body = bodyOf(bytes);
      const answer = await ask(port, path, { method, headers: typed(body), body });
      assertDocumented(method, path, { ...answer, contentType: answer.headers['content-type'] ?? '' });
      return answer.status;
    };
    assert.equal(await answerTo(4_097), 413, route);
    assert.notEqual(await answerTo(4_096), 413, route);
  }
  const { token } = access.make({ role: 'admin' });
  const body = bodyOf(5_000);
  const headers = { ...typed(body), ...bearer(token) };
  const known = await ask(port, '/programs', { method: 'POST', headers, body });
  assert.notEqual(known.status, 413);
});
