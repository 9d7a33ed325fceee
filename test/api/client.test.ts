import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, createClient, type FeedMessage } from '../../api/client.ts';
import { serverSentEvents } from '../../api/server-sent-events.ts';
import { AppError } from '../../schemas/errors.ts';
import { CREATED_AT, fakeView } from './fake-view.ts';
import { serve } from './socket.ts';

const isRefused = (status: number, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ApiError, String(error));
  assert.equal(error.status, status);
  assert.match(error.message, words);
  return true;
};

test('each call of the client is a route of the API, and gives what that answers', async (t) => {
  const { host, port } = await serve(t, [
    fakeView('p1', { userId: 'ann' }),
    fakeView('p2', { state: 'Stopped' }),
  ]);
  const client = createClient({ base: `http://127.0.0.1:${port}` });
  const names = async (filter?: object) =>
    (await client.programs(filter)).map(({ program_id }) => program_id);
  assert.deepEqual(await names(), ['p1', 'p2']);
  assert.deepEqual(await names({ state: 'Stopped' }), ['p2']);
  assert.equal((await client.program('p1')).state, 'Ready');
  const files = { dockerfile: 'FROM scratch\n', src_files: { 'a.txt': 'x' } };
  const created = await client.create({ user_id: 'ann', ...files });
  assert.equal(created.state, 'Created');
  assert.equal((await client.putSources('p1', files)).changed, true);
  assert.equal((await client.wish('p1', 'stop')).message, 'program stop initiated');
  assert.equal((await client.wish('p1', 'restart')).state, 'Ready');
  assert.equal((await client.pull('p1')).changed, true);
  assert.equal(typeof (await client.rollBack('p1', 1)).revision, 'number');
  assert.equal(typeof (await client.rollBack('p1')).revision, 'number');
  assert.ok((await client.revisions('p1')).length > 0);
  assert.equal((await client.source('p1')).Dockerfile, 'FROM scratch\n');
  assert.deepEqual([await client.events('p1'), await client.events()], [[], []]);
  assert.equal((await client.host()).name, 'machine');
  assert.equal((await client.usage('p1')).program_id, 'p1');
  assert.ok((await client.usage('p1', '1h')).series !== undefined);
  assert.equal((await client.sandbox('p1')).sandbox_id, null);
  assert.ok((await client.usages()).every(({ series }) => series !== undefined));
  const [newest] = await client.builds('p1');
  assert.equal((await client.build('p1')).build_id, newest?.build_id);
  assert.equal((await client.build('p1', newest?.id)).id, newest?.id);
  assert.deepEqual(await client.prune('strays'), ['gone-1', 'gone-2']);
  assert.deepEqual(await client.validate('kind: Program\nname: a\n'), {
    valid: true,
    name: 'a',
    problems: [],
  });
  await client.remove('p2');
  assert.deepEqual(host.calls.filter((call) => /^(sources|remove|prune)/.test(call)).length, 3);
});

test('a manifest is read and written with its tag, and never over what somebody else wrote', async (t) => {
  const { port } = await serve(t, [fakeView('p1')]);
  const client = createClient({ base: `http://127.0.0.1:${port}` });
  const { etag, created } = await client.putManifest('p1', 'one: 1\n');
  assert.equal(created, true);
  assert.deepEqual(await client.manifest('p1'), { text: 'one: 1\n', etag });
  assert.equal((await client.dryRun('p1', 'two: 2\n')).changed, true);
  const second = await client.putManifest('p1', 'two: 2\n', etag);
  assert.equal(second.created, false);
  await assert.rejects(client.putManifest('p1', 'three: 3\n', etag), isRefused(412, /changed since/));
  await assert.rejects(client.putManifest('p1', 'three: 3\n'), isRefused(412, /If-Match is required/));
});

test('refusals come in the words of the host, with hint and details', async (t) => {
  const { host, port } = await serve(t, [fakeView('p1')]);
  const client = createClient({ base: `http://127.0.0.1:${port}` });
  await assert.rejects(client.program('a b/c'), isRefused(404, /no program/));
  const details = [{ path: 'spec', message: 'no', line: 3 }];
  host.failures.set(
    'putManifest',
    new AppError('InvalidManifest', 'it is wrong', { hint: 'mend it', details }),
  );
  const error: unknown = await client.putManifest('p9', 'x').catch((refused: unknown) => refused);
  assert.ok(error instanceof ApiError);
  assert.deepEqual([error.status, error.hint, error.details], [400, 'mend it', details]);
});

test('a host that does not answer, and an answer of somebody else, are told as that', async () => {
  const away = createClient({ base: '', fetch: async () => Promise.reject(new TypeError('fetch failed')) });
  await assert.rejects(away.host(), isRefused(0, /does not answer/));
  const other = createClient({
    base: '',
    fetch: async () => new Response('<h1>Bad gateway</h1>', { status: 502 }),
  });
  await assert.rejects(other.host(), isRefused(502, /Bad gateway/));
});

test('the feed goes on behind the last message that was read, and ends with the signal', async (t) => {
  const { host, port } = await serve(t, [fakeView('p1')]);
  const client = createClient({ base: `http://127.0.0.1:${port}` });
  const read = async (lastId: string, until: (message: FeedMessage) => boolean, act = () => {}) => {
    const stop = new AbortController();
    const got: FeedMessage[] = [];
    for await (const message of client.follow(lastId, stop.signal)) {
      got.push(message);
      if (message.type === 'synced') act();
      if (until(message)) break;
    }
    stop.abort();
    return got;
  };
  const happen = (reason: string) =>
    host.emit('p1', { time: CREATED_AT, type: 'Normal', reason, message: '', state: 'Ready', revision: 1 });
  const first = await read(
    '',
    ({ type }) => type === 'event',
    () => happen('One'),
  );
  assert.deepEqual(
    first.map(({ type, id }) => [type, id !== '']),
    [
      ['snapshot', false],
      ['program', false],
      ['synced', true],
      ['event', true],
    ],
  );
  happen('Two');
  const second = await read(first.at(-1)?.id ?? '', ({ type }) => type === 'event');
  assert.deepEqual(
    second.map(({ data }) => ('reason' in data ? data.reason : '')),
    ['Two'],
  );
  const stop = new AbortController();
  const idle = client.follow(second.at(-1)?.id ?? '', stop.signal).next();
  stop.abort();
  await assert.rejects(idle, { name: 'AbortError' });
});

test('server-sent events are read as the standard says, wherever the bytes are cut', async () => {
  const text =
    ': hi\n\nid: 1\nevent: a\ndata: x\ndata: ä\r\n\r\ndata\n\nid\nevent: b\rdata:  y\r\r' + 'data: lost';
  const wanted = [
    { id: '1', type: 'a', data: 'x\nä' },
    { id: '1', type: 'message', data: '' },
    { id: '', type: 'b', data: ' y' },
  ];
  const bytes = Buffer.from(text);
  for (const size of [1, 2, 3, 7, bytes.length]) {
    const got: unknown[] = [];
    const cut = (async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    })();
    for await (const event of serverSentEvents(cut)) got.push(event);
    assert.deepEqual(got, wanted, `in pieces of ${size}`);
  }
});
