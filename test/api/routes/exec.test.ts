import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { NDJSON } from '../../../schemas/exec.ts';
import { fakeView } from '../fake-view.ts';
import { assertDocumented, assertMatches } from '../openapi.ts';
import { serve } from '../socket.ts';
import { until } from '../until.ts';

const PATH = '/programs/web/exec';

async function post(port: number, body: string, type = 'application/json', headers = {}) {
  const answer = await fetch(`http://127.0.0.1:${port}${PATH}`, {
    ...{ method: 'POST', body, headers: { 'Content-Type': type, ...headers } },
  });
  const text = await answer.text();
  const seen = { status: answer.status, contentType: answer.headers.get('Content-Type') ?? '', text };
  assertDocumented('POST', PATH, seen);
  const lines = text.split('\n').filter((line) => line !== '');
  if (seen.status === 200)
    for (const line of lines) assertMatches('#/components/schemas/ExecFrame', line, 'a frame');
  return { ...seen, frames: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

const inLines = (...values: unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');
const base64 = (text: string) => Buffer.from(text).toString('base64');

test('a command answers with frames: where it runs, what it writes, how it ended', async (t) => {
  const { host, port } = await serve(t, [fakeView('web')]);
  host.execPieces = [{ stream: 'stderr', bytes: Uint8Array.of(0xff, 0) }];
  const { frames } = await post(port, '{"command":["end","7"]}');
  assert.deepEqual(frames, [
    { container_id: 'c0ffee' },
    { stream: 'stderr', data: '/wA=' },
    { exit_code: 7 },
  ]);
  host.execPieces = [];
  const sent = inLines({ command: ['cat'] }, { data: base64('one\n') }, { data: base64('two') });
  assert.deepEqual((await post(port, sent, NDJSON)).frames, [
    { container_id: 'c0ffee' },
    { stream: 'stdout', data: base64('one\n') },
    { stream: 'stdout', data: base64('two') },
    { exit_code: 0 },
  ]);
});

test('what is no command is refused before anything is run', async (t) => {
  const { host, port } = await serve(t, [fakeView('web')]);
  const wrong = ['', '{}', '[]', '{', '{"command":"ls"}', '{"command":[]}', '{"command":[""]}'];
  wrong.push('{"command":["ls",1]}', '{"command":["a\\u0000b"]}', '{"command":["ls"],"user":"root"}');
  wrong.push(JSON.stringify({ command: ['echo', 'x'.repeat(64 * 1024)] }));
  for (const body of wrong) {
    assert.equal((await post(port, body)).status, 400, body.slice(0, 40));
    assert.equal((await post(port, body, NDJSON)).status, 400, body.slice(0, 40));
  }
  assert.equal((await post(port, '{"command":["ls"]}', 'text/plain')).status, 415);
  assert.equal((await post(port, 'x'.repeat(600 * 1024), NDJSON)).status, 413);
  assert.equal((await post(port, '{"command":["ls"]}', NDJSON, { Origin: 'http://elsewhere' })).status, 403);
  assert.deepEqual(host.calls, []);
});

test('standard input that is no such lines ends it, with the reason', async (t) => {
  const { host, port } = await serve(t, [fakeView('web')]);
  const { frames } = await post(port, inLines({ command: ['cat'] }, { data: 'no base64' }), NDJSON);
  assert.match(JSON.stringify(frames.at(-1)), /"error":\{"message":"standard input can not be read: /);
  assert.equal(host.signals[0]?.aborted, true);
});

test('a command that is silent has signs of life, takes what comes late, and ends with its client', async (t) => {
  const { host, port } = await serve(t, [fakeView('web')], { heartbeatMs: 5 });
  const headers = { 'Content-Type': NDJSON };
  const req = request({ port, host: '127.0.0.1', path: PATH, method: 'POST', headers });
  let text = '';
  req.on('error', () => {});
  req.on('response', (res) =>
    res
      .setEncoding('utf8')
      .on('data', (part) => (text += part))
      .on('error', () => {}),
  );
  req.write(inLines({ command: ['cat'] }));
  await until(() => text.includes('}\n\n\n'));
  req.write(inLines({ data: base64('late') }));
  await until(() => text.includes(base64('late')));
  assert.equal(host.signals[0]?.aborted, false);
  req.destroy();
  await until(() => host.signals[0]?.aborted === true);
});
