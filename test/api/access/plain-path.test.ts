import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditLine } from '../../../schemas/audit.ts';
import { fakeView } from '../fake-view.ts';
import { assertMatches } from '../openapi.ts';
import { ask, proxied, serve } from '../socket.ts';
import { until } from '../until.ts';
import { bearer, fakeAccess } from './fake-access.ts';

const ROUNDABOUT = [
  '/x/../programs/p1/stop',
  '/programs/./p1/stop',
  '/programs/x/%2e%2e/p1/stop',
  '/programs/p1/x/.%2E/stop',
  '/programs\\p1/stop',
];

test('nobody does anything by a path that is read otherwise than it is written', async (t) => {
  const access = fakeAccess();
  const api = await serve(t, [fakeView('p1', { userId: 'alice' })], { access });
  const lines: AuditLine[] = [];
  api.host.deps.audit = (line) => void lines.push(line);
  const tokens = [
    access.make({ role: 'admin' }).token,
    access.make({ role: 'viewer' }).token,
    access.make({ role: 'user', userId: 'alice' }).token,
  ];
  for (const path of ROUNDABOUT) {
    assert.equal((await ask(api.port, path, { method: 'POST' })).status, 401, path);
    for (const token of tokens) {
      const { status, text } = await ask(api.port, path, { method: 'POST', headers: bearer(token) });
      assert.equal(status, 404, path);
      assertMatches('#/components/schemas/Error', text, path);
      assert.match(text, /another form/, path);
    }
  }
  assert.deepEqual(api.host.calls, []);
  const [admin = ''] = tokens;
  const straight = await ask(api.port, '/programs/p1/stop/?', { method: 'POST', headers: bearer(admin) });
  assert.equal(straight.status, 200);
  await until(() => lines.length > 0);
  assert.deepEqual(
    lines.map(({ program }) => program),
    ['p1'],
  );
});

test('a program gets the path as it is written, dots and all', async (t) => {
  const access = fakeAccess();
  const { api, program } = await proxied(t, (_req, res) => res.end(), { access });
  const headers = bearer(access.make({ role: 'admin' }).token);
  const path = '/a/../b/%2e%2e/c';
  assert.equal((await ask(api.port, `/programs/p1/proxy${path}`, { headers })).status, 200);
  assert.equal(program.seen.at(-1)?.url, path);
});
