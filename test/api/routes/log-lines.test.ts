import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../schemas/errors.ts';
import type { LogLine, LogMessage, LogRun } from '../../../schemas/log-line.ts';
import { caller } from '../call.ts';
import { fakeView } from '../fake-view.ts';
import { assertMatches } from '../openapi.ts';

const LINE: LogLine = {
  id: 'c0ffee012345.1795341600000000001.o.0',
  time: '2026-11-22T10:00:00.000000001Z',
  ...{ stream: 'stdout', run: 'c0ffee012345@1795341599000', text: 'price 1', cut_bytes: 0 },
};
const RUN: LogRun = {
  id: 'c0ffee012345@1795341599000',
  container_id: 'c0ffee0123456789',
  revision: 2,
  started: '2026-11-22T09:59:59.000Z',
  ...{ finished: null, exit_code: null, exit: '', kept: null },
};

test('format=json gives a page, as it is documented', async () => {
  const { host, call } = caller([fakeView('p1')]);
  host.logPage.lines = [LINE, { ...LINE, stream: null, run: null }];
  host.logPage.runs = [
    RUN,
    { ...RUN, finished: RUN.started, exit_code: 3, exit: 'exit code 3', kept: 'a\nb' },
  ];
  const { json, status } = await call('GET', '/programs/p1/logs?format=json');
  assert.equal(status, 200);
  assert.deepEqual(json, {
    ...{ program_id: 'p1', container_id: 'c0ffee', lines: host.logPage.lines, runs: host.logPage.runs },
    ...{ more: false, gap: false, before: null, after: 'c0ffee', note: '' },
  });
  const { tail, before, after, sinceNanos } = host.lastLogPage ?? {};
  assert.deepEqual(
    { tail, before, after, sinceNanos },
    { tail: 200, before: undefined, after: undefined, sinceNanos: 0n },
  );
});

test('tail, since, before and after of a page', async () => {
  const { host, call } = caller([fakeView('p1')]);
  const cursor = {
    container: 'c0ffee012345',
    line: { time: LINE.time, stream: 'stdout', index: 0 },
  };
  for (const [query, wanted] of [
    ['tail=5', { tail: 5 }],
    ['tail=0', { tail: 0 }],
    ['tail=all', { tail: 10_000 }],
    ['tail=999999', { tail: 10_000 }],
    ['since=1', { tail: 10_000, sinceNanos: 1_000_000_000n }],
    [`before=${LINE.id}`, { tail: 200, before: cursor }],
    [`after=${LINE.id}`, { tail: 10_000, after: cursor }],
    ['after=none', { after: { container: 'none' } }],
    ['timestamps=false&previous=0&follow=false', { tail: 200 }],
  ] as const) {
    assert.equal((await call('GET', `/programs/p1/logs?format=json&${query}`)).status, 200, query);
    const asked: Record<string, unknown> = { ...host.lastLogPage };
    for (const [key, value] of Object.entries(wanted))
      assert.deepEqual(asked[key], value, `${query}: ${key}`);
  }
  for (const query of [
    'format=xml',
    'format=json&tail=x',
    'format=json&since=yesterday',
    'format=json&before=x.y',
    `format=json&after=${LINE.id}z`,
    `format=json&before=${LINE.id}&after=none`,
    `format=json&before=${LINE.id}&follow=true`,
    'format=json&previous=true',
    'format=json&timestamps=true',
    `before=${LINE.id}`,
    `format=text&after=${LINE.id}`,
  ]) {
    assert.equal((await call('GET', `/programs/p1/logs?${query}`)).status, 400, query);
  }
  assert.equal((await call('GET', '/programs/none/logs?format=json')).status, 404);
});

test('follow=true sends lines as events with their ids, runs, gaps and the end', async () => {
  const { host, open } = caller([fakeView('p1')]);
  host.logMessages = [
    { event: 'run', data: RUN },
    { event: 'gap', data: { message: 'gone' } },
    { event: 'line', data: LINE },
    { event: 'end', data: { message: 'over' } },
  ];
  const response = await open('/programs/p1/logs?format=json&follow=true&tail=3');
  assert.equal(response.headers.get('Content-Type'), 'text/event-stream');
  assert.equal(
    await response.text(),
    [
      ': following\n\n',
      `event: run\ndata: ${JSON.stringify(RUN)}\n\n`,
      'event: gap\ndata: {"message":"gone"}\n\n',
      `id: ${LINE.id}\nevent: line\ndata: ${JSON.stringify(LINE)}\n\n`,
      'event: end\ndata: {"message":"over"}\n\n',
    ].join(''),
  );
  assert.deepEqual([host.lastLogPage?.tail, host.lastLogPage?.after], [3, undefined]);
  for (const [name, data] of [
    ['LogRun', RUN],
    ['LogLine', LINE],
  ] as const)
    assertMatches(`#/components/schemas/${name}`, JSON.stringify(data), name);
});

test('who comes back goes on behind the last line, whatever it asked for first', async () => {
  const { host, open } = caller([fakeView('p1')]);
  const headers = { 'Last-Event-ID': LINE.id };
  await (await open('/programs/p1/logs?format=json&follow=true&tail=3&after=none', headers)).text();
  assert.equal(host.lastLogPage?.after?.line?.time, LINE.time);
  assert.equal(
    (await open('/programs/p1/logs?format=json&follow=true', { 'Last-Event-ID': '?' })).status,
    400,
  );
});

test('a follower is kept from looking idle, and let go with its client', async () => {
  const { host, open } = caller([fakeView('p1')], { heartbeatMs: 1 });
  const stays: AsyncIterable<LogMessage> = {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
  };
  host.deps.followLines = async (_name, { signal }) => {
    host.signals.push(signal);
    return stays;
  };
  const reader = (await open('/programs/p1/logs?format=json&follow=true')).body?.getReader();
  for (const wanted of [': following\n\n', ': still here\n\n', ': still here\n\n'])
    assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), wanted);
  await reader?.cancel();
  assert.equal(host.signals[0]?.aborted, true);
});

test('an engine that is away is an answer, of a follower too', async () => {
  const { host, call, open } = caller([fakeView('p1')]);
  const away = async () => {
    throw new AppError('EngineUnavailable', 'no answer');
  };
  Object.assign(host.deps, { logPage: away, followLines: away });
  assert.equal((await call('GET', '/programs/p1/logs?format=json')).status, 503);
  assert.equal((await open('/programs/p1/logs?format=json&follow=true')).status, 503);
});
