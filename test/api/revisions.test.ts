import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../schemas/errors.ts';
import { caller } from './call.ts';
import { fakeView } from './fakes.ts';

test('GET revisions lists what is kept, oldest first', async () => {
  const { call } = caller([fakeView('a')]);
  const answer = await call('GET', '/programs/a/revisions');
  assert.equal(answer.status, 200);
  const revisions = answer.json.revisions as { revision: number; current: boolean }[];
  assert.deepEqual(
    revisions.map(({ revision, current }) => [revision, current]),
    [
      [1, false],
      [2, true],
    ],
  );
});

test('POST rollback without a body goes to the previous good one, with a number to that', async () => {
  const { call, host } = caller([fakeView('a')]);
  const first = await call('POST', '/programs/a/rollback');
  assert.deepEqual([first.status, first.json.message], [200, 'program rollback initiated']);
  const second = await call('POST', '/programs/a/rollback', { json: { revision: 7 } });
  assert.deepEqual([second.status, second.json.revision], [200, 7]);
  assert.deepEqual(host.calls, ['rollBack a 1', 'rollBack a 7']);
});

test('POST rollback refuses what is no number, and edits nothing', async () => {
  const { call, host } = caller([fakeView('a')]);
  for (const body of ['{"revision": "2"}', '{"revision": 0}', '{"revision": 1.5}', '[]', '{', 'null']) {
    const answer = await call('POST', '/programs/a/rollback', {
      body,
      headers: { 'Content-Type': 'application/json' },
    });
    assert.equal(answer.status, 400, body);
  }
  assert.deepEqual(host.calls, []);
});

test('unknown programs are 404, and what can not be gone back to is 409', async () => {
  const { call, host } = caller([fakeView('a')]);
  assert.equal((await call('GET', '/programs/b/revisions')).status, 404);
  assert.equal((await call('POST', '/programs/b/rollback')).status, 404);
  host.failures.set('rollBack', new AppError('Conflict', 'no earlier revision was ready'));
  assert.equal((await call('POST', '/programs/a/rollback')).status, 409);
});
