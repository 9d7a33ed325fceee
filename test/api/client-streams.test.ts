import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '../../api/client.ts';
import type { LogLine, LogRun } from '../../schemas/log-line.ts';
import { fakeView } from './fake-view.ts';
import { serve } from './socket.ts';

const LINE: LogLine = {
  id: 'c0ffee012345.1795341600000000001.o.0',
  time: '2026-11-22T10:00:00.000000001Z',
  ...{ stream: 'stdout', run: 'c0ffee012345@1795341599000', text: 'price 1', cut_bytes: 0 },
};
const RUN: LogRun = {
  ...{ id: 'c0ffee012345@1795341599000', container_id: 'c0ffee0123456789', revision: 2 },
  ...{ started: '2026-11-22T09:59:59.000Z', finished: null, exit_code: null, exit: '', kept: null },
};

test('a log is asked for in pages, and as text', async (t) => {
  const { host, port } = await serve(t, [fakeView('p1')]);
  const client = createClient({ base: `http://127.0.0.1:${port}` });
  host.logPage.lines = [LINE];
  assert.deepEqual((await client.logs('p1')).lines, [LINE]);
  assert.equal(host.lastLogPage?.tail, 200);
  await client.logs('p1', { tail: 'all', since: '1795341600000000001' });
  assert.deepEqual([host.lastLogPage?.tail, host.lastLogPage?.sinceNanos], [10_000, 1795341600000000001n]);
  await client.logs('p1', { tail: 0, before: LINE.id });
  assert.deepEqual([host.lastLogPage?.tail, host.lastLogPage?.before?.line?.time], [0, LINE.time]);
  host.logChunks = [Buffer.from('a\n'), Buffer.from('b\n')];
  host.logTimes = [LINE.time, LINE.time];
  assert.equal(await client.logText('p1', false), 'a\nb\n');
  assert.equal(await client.logText('p1', true), `${LINE.time} a\n${LINE.time} b\n`);
});

test('lines are followed behind the last one, and each thing that comes is heard', async (t) => {
  const { host, port } = await serve(t, [fakeView('p1')]);
  const client = createClient({ base: `http://127.0.0.1:${port}` });
  host.logMessages = [
    { event: 'run', data: RUN },
    { event: 'gap', data: { message: 'gone' } },
    { event: 'line', data: LINE },
    { event: 'end', data: { message: 'over' } },
  ];
  const got: unknown[] = [];
  let heard = 0;
  const { signal } = new AbortController();
  for await (const message of client.followLogs('p1', LINE.id, signal, () => heard++)) got.push(message);
  assert.deepEqual(got, host.logMessages);
  assert.equal(host.lastLogPage?.after?.line?.time, LINE.time);
  assert.ok(heard > 0);
  for await (const _ of client.followLogs('p1', undefined, signal));
  assert.equal(host.lastLogPage?.after, undefined);
  await assert.rejects(client.followLogs('none', undefined, signal).next(), { status: 404 });
});

test('a build is followed by its records, and goes on behind the last one', async (t) => {
  const { host, port } = await serve(t, [fakeView('p1')]);
  const client = createClient({ base: `http://127.0.0.1:${port}` });
  const records = [
    { kind: 'build', build_id: 'build-0123456789ab', started: '2026-11-22T10:00:00.000Z' },
    { kind: 'step', number: 1, name: 'FROM x', started: null },
    { kind: 'done', ended: '2026-11-22T10:00:01.000Z', outcome: 'Succeeded', error: '' },
  ];
  host.buildChunks = [Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''))];
  const read = async (lastId: string) => {
    const got: { id: string; record: unknown }[] = [];
    for await (const one of client.followBuild('p1', lastId, new AbortController().signal)) got.push(one);
    return got;
  };
  const all = await read('');
  assert.deepEqual(
    all.map(({ record }) => record),
    records,
  );
  assert.deepEqual(
    (await read(all[1]?.id ?? '')).map(({ record }) => record),
    records.slice(2),
  );
});
