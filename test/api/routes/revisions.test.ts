import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../schemas/errors.ts';
import { caller } from '../call.ts';
import { fakeView } from '../fake-view.ts';

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

test('POST rollback refuses a field that it does not know, with what was meant, and edits nothing', async () => {
  const { call, host } = caller([fakeView('a')]);
  const unknown: [Record<string, unknown>, string][] = [
    [{ rev: 5 }, 'rev is not a known field; known is revision'],
    [{ revison: 1 }, 'revison is not a known field; did you mean revision?'],
    [{ revision: 1, Revision: 2 }, 'Revision is not a known field; did you mean revision?'],
  ];
  for (const [json, message] of unknown) {
    const answer = await call('POST', '/programs/a/rollback', { json });
    assert.equal(answer.status, 400);
    assert.equal(answer.json.message, message);
    assert.match(String(answer.json.hint), /"revision": 3/);
  }
  const long = await call('POST', '/programs/a/rollback', { json: { ['x'.repeat(10_000)]: 1 } });
  assert.equal(long.status, 400);
  assert.ok(long.text.length < 1_000);
  assert.deepEqual(host.calls, []);
  assert.equal((await call('POST', '/programs/a/rollback', { json: {} })).status, 200);
});

test('unknown programs are 404, and what can not be gone back to is 409', async () => {
  const { call, host } = caller([fakeView('a')]);
  assert.equal((await call('GET', '/programs/b/revisions')).status, 404);
  assert.equal((await call('POST', '/programs/b/rollback')).status, 404);
  host.failures.set('rollBack', new AppError('Conflict', 'no earlier revision was ready'));
  assert.equal((await call('POST', '/programs/a/rollback')).status, 409);
});

test('GET revisions/{n}/files lists what it was built from; null where that is not kept any more', async () => {
  const { call } = caller([fakeView('a')]);
  const { json } = await call('GET', '/programs/a/revisions/1/files');
  assert.deepEqual(json, {
    ...{ program_id: 'a', revision: 1 },
    files: [{ name: 'Dockerfile', mode: '100644', sha256: 'a'.repeat(64) }],
  });
  assert.equal((await call('GET', '/programs/a/revisions/2/files')).json.files, null);
  for (const wrong of ['0', 'x', '1.5'])
    assert.equal((await call('GET', `/programs/a/revisions/${wrong}/files`)).status, 400, wrong);
});
