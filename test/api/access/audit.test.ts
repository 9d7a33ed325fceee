import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditLine } from '../../../schemas/audit.ts';
import { fakeView } from '../fake-view.ts';
import { ask, serve } from '../socket.ts';
import { until } from '../until.ts';
import { bearer, fakeAccess } from './fake-access.ts';

test('what was let in to change something is written down, with who and what came of it, and nothing else is', async (t) => {
  const access = fakeAccess();
  const api = await serve(t, [fakeView('alices', { userId: 'alice' }), fakeView('bobs', { userId: 'bob' })], {
    access,
  });
  const lines: AuditLine[] = [];
  api.host.deps.audit = (line) => void lines.push(line);
  const { token, stored } = access.make({ role: 'user', userId: 'alice' });
  const send = (method: string, path: string, json?: object) =>
    ask(api.port, path, {
      method,
      headers: { ...bearer(token), ...(json && { 'Content-Type': 'application/json' }) },
      ...(json && { body: JSON.stringify(json) }),
    });
  await send('GET', '/programs/alices');
  await send('POST', '/programs/bobs/stop');
  await ask(api.port, '/programs/alices/stop', { method: 'POST' });
  await send('POST', '/programs/alices/stop');
  await send('POST', '/programs/alices/rollback', { revision: 'none' });
  const made = await send('POST', '/programs', { user_id: 'alice', dockerfile: 'FROM scratch' });
  await until(() => lines.length === 3);
  const [stop, rollback, create] = lines;
  assert.deepEqual(stop?.token, { id: stored.id, name: 'the-user', role: 'user', user_id: 'alice' });
  assert.deepEqual(
    [stop?.method, stop?.path, stop?.program, stop?.code, stop?.revision, stop?.from],
    ['POST', '/programs/alices/stop', 'alices', 200, 1, '127.0.0.1'],
  );
  assert.deepEqual([rollback?.program, rollback?.code], ['alices', 400]);
  assert.deepEqual([create?.program, create?.code], [JSON.parse(made.text).program_id, 201]);
  assert.ok(!JSON.stringify(lines).includes(token.slice(20)));
});
