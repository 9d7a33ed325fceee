import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApi } from '../../../api/app.ts';
import { fakeView } from '../fake-view.ts';
import { fakeHost } from '../fakes.ts';
import { assertDocumented } from '../openapi.ts';

test('pauses, their notes and states are as the description says', async () => {
  const host = fakeHost([fakeView('p1'), fakeView('p2')]);
  const app = createApi(host.deps);
  const ask = async (method: string, path: string, body?: string, type = 'application/json') => {
    const headers: Record<string, string> =
      body === undefined ? {} : { 'Content-Type': type, 'Content-Length': String(body.length) };
    const answer = await app.request(path, { method, headers, ...(body !== undefined && { body }) });
    const text = await answer.text();
    const contentType = answer.headers.get('Content-Type') ?? '';
    assertDocumented(method, path, { status: answer.status, contentType, text });
    return { status: answer.status, body: contentType.includes('json') ? JSON.parse(text) : text };
  };
  const paused = await ask('POST', '/programs/p1/pause', '{"by":"ann","why":"its heap"}');
  assert.deepEqual(
    [paused.status, paused.body.message, paused.body.paused.of],
    [200, 'program paused', 'program'],
  );
  const stop = await ask('POST', '/programs/p1/stop');
  assert.match(stop.body.note, /done after POST \/programs\/p1\/resume/);
  assert.equal(stop.body.state, 'Ready', 'nothing stops yet');
  assert.equal((await ask('POST', '/programs/p1/pull')).status, 409);
  assert.equal((await ask('POST', '/host/pause')).body.message, 'host paused');
  assert.match((await ask('DELETE', '/programs/p2')).body.note, /the host is paused/);
  assert.deepEqual((await ask('POST', '/host/resume')).body.programs, ['p1']);
  assert.equal((await ask('POST', '/programs/p1/resume')).body.paused, null);
  assert.equal((await ask('POST', '/programs/none/resume')).status, 404);
  assert.equal((await ask('POST', '/programs/p1/pause', '{"who":"ann"}')).status, 400);
  assert.equal((await ask('POST', '/programs/p1/pause', '{"by":"a\\nb"}')).status, 400);

  assert.equal((await ask('GET', '/programs/p1/state')).status, 200);
  assert.equal((await ask('GET', '/programs/nobody/state')).status, 404);
  assert.equal(
    (await ask('PUT', '/programs/p1/state', 'a tar', 'application/x-tar')).body.message,
    'state replaced',
  );
  assert.equal((await ask('PUT', '/programs/p1/state', '{}')).status, 415);
});
