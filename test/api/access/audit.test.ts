import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditLine } from '../../../schemas/audit.ts';
import { fakeView } from '../fake-view.ts';
import { ask, rawConnection, serve } from '../socket.ts';
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

test('a change that stands behind another answer is written down when its client goes, and once', async (t) => {
  const access = fakeAccess();
  const api = await serve(t, [fakeView('p1')], { access });
  const lines: AuditLine[] = [];
  api.host.deps.audit = (line) => void lines.push(line);
  const { token } = access.make({ role: 'admin' });
  const line = (method: string, path: string) =>
    `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  const client = await rawConnection(t, api.port);
  client.socket.write(`${line('GET', '/events?follow=true')}${line('POST', '/programs/p1/stop')}`);
  await until(() => api.host.calls.length > 0);
  assert.deepEqual(lines, [], 'its answer waits behind the stream');
  client.socket.destroy();
  await until(() => lines.length === 1);
  const other = await rawConnection(t, api.port);
  other.socket.write(`${line('POST', '/programs/p1/stop')}${line('POST', '/programs/p1/stop')}`);
  await until(() => lines.length === 3);
  other.socket.destroy();
  await other.ended;
  await ask(api.port, '/programs/p1/stop', { method: 'POST', headers: bearer(token) });
  await until(() => lines.length >= 4);
  assert.deepEqual(
    lines.map(({ path, code }) => [path, code]),
    [
      ['/programs/p1/stop', 0],
      ['/programs/p1/stop', 200],
      ['/programs/p1/stop', 200],
      ['/programs/p1/stop', 200],
    ],
  );
});
