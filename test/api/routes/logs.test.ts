import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSince } from '../../../api/routes/since.ts';
import { caller } from '../call.ts';
import { CREATED_AT, fakeView } from '../fake-view.ts';

const euro = Buffer.from('€');

test('text is whole over the seams between chunks, with the defaults', async () => {
  const { host, call } = caller([fakeView('p1')]);
  host.logChunks = [
    Buffer.from('price 1'),
    euro.subarray(0, 1),
    euro.subarray(1),
    Uint8Array.of(0xff),
    Buffer.from('\n'),
  ];
  const { json } = await call('GET', '/programs/p1/logs');
  assert.equal(json.logs, 'price 1€\ufffd\n');
  assert.equal(json.program_id, 'p1');
  assert.equal(json.container_id, 'c0ffee');
  const { tail, sinceNanos, follow, previous } = host.lastLogOptions ?? {};
  assert.deepEqual(
    { tail, sinceNanos, follow, previous },
    { tail: 200, sinceNanos: 0n, follow: false, previous: false },
  );
});

test('tail, since and previous', async () => {
  const { host, call } = caller([fakeView('p1')]);
  for (const [query, tail] of [
    ['tail=5', 5],
    ['tail=0', 0],
    ['tail=all', 'all'],
    ['tail=', 200],
    ['tail=99999999999999999999', 999_999_999],
    // Whoever says from where on does not want less.
    ['since=1', 'all'],
    ['since=1&tail=5', 5],
  ] as const) {
    assert.equal((await call('GET', `/programs/p1/logs?${query}`)).status, 200);
    assert.equal(host.lastLogOptions?.tail, tail);
  }
  for (const query of [
    'tail=-1',
    'tail=x',
    'tail=1.5',
    'tail=ALL',
    'since=yesterday',
    'since=10x',
    'follow=maybe',
    'follow=true&previous=true',
  ]) {
    assert.equal((await call('GET', `/programs/p1/logs?${query}`)).status, 400, query);
  }
  assert.equal((await call('GET', '/programs/p1/logs?previous=true')).status, 200);
  assert.equal(host.lastLogOptions?.previous, true);
});

test('timestamp is where the next since goes on: behind the last line, however long reading took', async () => {
  const { host, call } = caller([fakeView('p1')]);
  const ask = async (query = ''): Promise<unknown> =>
    (await call('GET', `/programs/p1/logs${query}`)).json.timestamp;
  // Both streams are read side by side: the last line need not be the newest.
  host.logChunks = [Buffer.from('one\n'), Buffer.from('two\n')];
  host.logTimes = ['2026-11-22T09:00:00.123456789Z', '2026-11-22T09:00:00.123456788Z'];
  const next = await ask();
  assert.equal(next, '2026-11-22T09:00:00.123456790Z');
  await ask(`?since=${next}`);
  assert.equal(host.lastLogOptions?.sinceNanos, parseSince('2026-11-22T09:00:00.123456790Z', 0));

  // All parts of a long line have its time: the rest of one that was cut is not passed over.
  host.logChunks = [Buffer.from('half of a li')];
  const now = Date.parse(CREATED_AT);
  host.logTimes = [new Date(now).toISOString().replace('Z', '000001Z')];
  assert.equal(await ask(), '2026-11-22T10:00:00.000000001Z');
  // One that was never ended is not given for ever.
  host.logTimes = ['2026-11-22T09:00:00.000000001Z'];
  assert.equal(await ask(), '2026-11-22T09:00:00.000000002Z');

  host.logChunks = [];
  assert.equal(await ask(`?since=${next}`), next, 'nothing new: the same once more');
  assert.match(`${await ask()}`, /^2026-11-22T09:59:59\./, 'nothing at all: a little before the question');
});

test('timestamps=true puts the time of each line before it, and none into the middle of a long one', async () => {
  const { host, call, open } = caller([fakeView('p1')]);
  const time = '2026-11-22T09:00:00.123456789Z';
  host.logChunks = ['one\n', 'long ', 'line\n', 'three\n'].map((text) => Buffer.from(text));
  host.logTimes = [time, time, time, time];
  const wanted = `${time} one\n${time} long line\n${time} three\n`;
  assert.equal((await call('GET', '/programs/p1/logs?timestamps=true')).json.logs, wanted);
  const response = await open('/programs/p1/logs?timestamps=true&follow=true');
  const reader = response.body?.getReader();
  let text = '';
  while (text.length < wanted.length) text += Buffer.from((await reader?.read())?.value ?? []).toString();
  assert.equal(text, wanted);
  await reader?.cancel();
});

test('format=text gives what was printed and nothing else, byte for byte, and ends', async () => {
  const { host, call, open } = caller([fakeView('p1')]);
  host.logChunks = [Buffer.from('price 1'), euro, Uint8Array.of(0xff), Buffer.from('\n')];
  const response = await open('/programs/p1/logs?format=text&tail=5');
  assert.equal(response.headers.get('Content-Type'), 'text/plain; charset=utf-8');
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), Buffer.concat(host.logChunks));
  assert.deepEqual([host.lastLogOptions?.tail, host.lastLogOptions?.follow], [5, false]);
  const asked = host.signals.length;
  assert.equal((await call('HEAD', '/programs/p1/logs?format=text')).status, 200);
  assert.equal(host.signals.length, asked, 'no log is opened that nobody reads');
  assert.equal((await call('GET', '/programs/none/logs?format=text')).status, 404);
  assert.equal((await call('GET', '/programs/p1/logs?format=plain')).status, 400);
});

test('since: times, numbers of any form, and durations', () => {
  const now = Date.parse('2026-11-22T10:00:00Z');
  const nowNanos = BigInt(now) * 1_000_000n;
  const second = 1_000_000_000n;
  const rows: [string | undefined, bigint][] = [
    [undefined, 0n],
    ['', 0n],
    ['0', 0n],
    ['1795341600', 1795341600n * second],
    ['1795341600.5', 1795341600_500_000_000n],
    ['1795341600.', 1795341600n * second],
    ['1795341600.123456789123', 1795341600_123_456_789n],
    // Date.now(), and what else a language prints of a time.
    ['1795341600250', 1795341600_250_000_000n],
    ['1795341600250.125', 1795341600_250_125_000n],
    ['1795341600250125', 1795341600_250_125_000n],
    ['1795341600250125999', 1795341600_250_125_999n],
    ['1.7953416e9', 1795341600n * second],
    ['1.79534160025E+12', 1795341600_250_000_000n],
    ['2026-11-22T10:00:00Z', nowNanos],
    ['2026-11-22t10:00:00z', nowNanos],
    ['2026-11-22T10:00:00.250Z', nowNanos + second / 4n],
    ['2026-11-22T10:00:00.123456789Z', nowNanos + 123_456_789n],
    ['2026-11-22T11:00:00+01:00', nowNanos],
    ['2026-11-22T10:00:00', nowNanos],
    ['2026-11-22T10:00', nowNanos],
    ['2026-11-22', nowNanos - 36_000n * second],
    ['10m', nowNanos - 600n * second],
    ['1h30m', nowNanos - 5400n * second],
    ['1.5s', nowNanos - (3n * second) / 2n],
    ['2d', nowNanos - 172_800n * second],
  ];
  for (const [value, want] of rows) assert.equal(parseSince(value, now), want, String(value));
  for (const bad of [
    '-5',
    'm',
    '10 m',
    '1e-9',
    '0x10',
    '1_000',
    '2026-13-01T00:00:00Z',
    '2026-02-30',
    '2026-11-22T10:00:00 01:00',
    'now',
  ]) {
    assert.throws(() => parseSince(bad, now), { reason: 'BadRequest' }, bad);
  }
});
