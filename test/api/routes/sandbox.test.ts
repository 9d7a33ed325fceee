import assert from 'node:assert/strict';
import { it } from 'node:test';
import { caller } from '../call.ts';
import { fakeView } from '../fake-view.ts';

it('GET /programs/{id}/sandbox tells what holds its network, or that nothing does', async () => {
  const { call, host } = caller([fakeView('a'), fakeView('b')]);
  const createdAtMs = Date.parse('2026-11-29T10:00:00Z');
  host.sandboxes.set('a', { id: '0123', createdAtMs, address: '172.18.0.2' });
  assert.deepEqual((await call('GET', '/programs/a/sandbox')).json, {
    ...{ program_id: 'a', sandbox_id: '0123', address: '172.18.0.2' },
    created_at: '2026-11-29T10:00:00.000Z',
  });
  const none = { sandbox_id: null, created_at: null, address: null };
  assert.deepEqual((await call('GET', '/programs/b/sandbox')).json, { program_id: 'b', ...none });
  assert.equal((await call('GET', '/programs/c/sandbox')).status, 404);
});
