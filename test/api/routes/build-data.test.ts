import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Build, type BuildRecord, summaryOf } from '../../../schemas/build-step.ts';
import { caller } from '../call.ts';
import { fakeView } from '../fake-view.ts';

const ID = 'build-0123456789ab';
const STARTED = '2026-11-22T10:00:00.000Z';
const ENDED = '2026-11-22T10:00:09.500Z';
const TRY = `${ID}@${Date.parse(STARTED)}`;

const BUILD: Build = {
  ...{ id: TRY, build_id: ID, started: STARTED, ended: ENDED, outcome: 'Failed', error: 'exit code: 3' },
  ...{ dockerfile_line: null, is_cut: false, is_damaged: false },
  steps: [
    { number: 1, name: 'FROM x', cached: true, started: null, completed: ENDED, error: '', output: [] },
    {
      ...{ number: 2, name: 'RUN make', cached: false, started: STARTED, completed: ENDED },
      ...{ error: 'exit code: 3', output: ['cc', 'failed'] },
    },
  ],
};

const RECORDS: BuildRecord[] = [
  { kind: 'build', build_id: ID, started: STARTED },
  { kind: 'step', number: 1, name: 'RUN make', started: STARTED },
  { kind: 'output', number: 1, text: 'cc ä' },
  { kind: 'end', number: 1, completed: ENDED, cached: false, error: '' },
  { kind: 'done', ended: ENDED, outcome: 'Succeeded', error: '' },
];
const text = (records: readonly BuildRecord[]) => records.map((one) => `${JSON.stringify(one)}\n`).join('');

test('format=json gives a build and its steps, the newest or the one that is named', async () => {
  const { host, call } = caller([fakeView('p1')]);
  host.build = BUILD;
  assert.deepEqual((await call('GET', '/programs/p1/build-log?format=json')).json, {
    program_id: 'p1',
    ...BUILD,
  });
  await call('GET', `/programs/p1/build-log?format=json&build=${TRY}`);
  assert.deepEqual(host.calls, ['build p1 undefined', `build p1 ${TRY}`]);
  const { json } = await call('GET', '/programs/p1/builds');
  assert.deepEqual(json, { builds: [summaryOf(BUILD)] });
  assert.deepEqual([summaryOf(BUILD).steps, summaryOf(BUILD).cached_steps], [2, 1]);
  const within = await call('GET', '/programs/p1/build-log');
  assert.deepEqual(within.json, { program_id: 'p1', build_id: ID, log: 'step 1\n' });
  const plain = await call('GET', '/programs/p1/build-log?format=text');
  assert.deepEqual(
    [plain.headers.get('Content-Type'), plain.text],
    ['text/plain; charset=utf-8', 'step 1\n'],
  );
  for (const query of ['format=yaml', `build=${ID}`, `format=json&follow=true&build=${ID}`])
    assert.equal((await call('GET', `/programs/p1/build-log?${query}`)).status, 400, query);
  assert.equal((await call('GET', '/programs/none/builds')).status, 404);
});

test('follow=true sends its records as events; who comes back gets what came since, and all of another try', async () => {
  const { host, open } = caller([fakeView('p1')]);
  const follow = async (lastId?: string) => {
    const headers = lastId === undefined ? {} : { 'Last-Event-ID': lastId };
    const response = await open('/programs/p1/build-log?format=json&follow=true', headers);
    assert.equal(response.headers.get('Content-Type'), 'text/event-stream');
    return (await response.text()).split('\n\n').slice(1, -1);
  };
  const bytes = Buffer.from(text(RECORDS));
  // Wherever the chunks end.
  host.buildChunks = [bytes.subarray(0, 200), bytes.subarray(200, 201), bytes.subarray(201)];
  const events = await follow();
  assert.deepEqual(
    events.map((one) => /^event: (.*)$/m.exec(one)?.[1]),
    ['build', 'step', 'output', 'end', 'done'],
  );
  assert.equal(events[2], `id: ${TRY}/3\nevent: output\ndata: {"number":1,"text":"cc ä"}`);
  assert.deepEqual(await follow(`${TRY}/3`), events.slice(3));
  assert.deepEqual(await follow('build-ffffffffffff@1/3'), events);
  assert.deepEqual(await follow('what is this'), events);
});

test('a build that began anew in the midst of a record, and what is damaged, break nothing off', async () => {
  const { host, open } = caller([fakeView('p1')]);
  const half = text(RECORDS.slice(0, 3)).slice(0, -8);
  host.buildChunks = [Buffer.from(half), Buffer.from(`${text(RECORDS)}{"kind":"surprise"}\nnull\n`)];
  const response = await open('/programs/p1/build-log?format=json&follow=true');
  const kinds = [...(await response.text()).matchAll(/^event: (.*)$/gm)].map(([, kind]) => kind);
  assert.deepEqual(kinds, ['build', 'step', 'build', 'step', 'output', 'end', 'done']);
});
