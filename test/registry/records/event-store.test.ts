import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEventStore } from '../../../registry/records/event-store.ts';
import type { ProgramEvent } from '../../../schemas/program.ts';
import { smallDisk } from '../disk.ts';
import { tempFolder } from '../folder.ts';

const event = (message: string): ProgramEvent => ({
  time: '2026-01-01T00:00:00.000Z',
  type: 'Normal',
  reason: 'Test',
  message,
  state: 'Ready',
  revision: 1,
});
const fail = (error: unknown) => assert.fail(String(error));
const messages = (events: ProgramEvent[]) => events.map(({ message }) => message);

test('events are kept in order, also over a restart, and each program has its own', async (t) => {
  const folder = await tempFolder(t);
  const store = openEventStore(folder, fail);
  await Promise.all(Array.from({ length: 100 }, (_, index) => store.append('p', event(String(index)))));
  await store.append('q', event('other'));
  const want = Array.from({ length: 100 }, (_, index) => String(index));
  assert.deepEqual(messages(await store.list('p')), want);
  const again = openEventStore(folder, fail);
  await again.append('p', event('100'));
  assert.deepEqual(messages(await again.list('p')), [...want, '100']);
  assert.deepEqual(messages(await again.list('q')), ['other']);
  assert.deepEqual(await again.list('nobody'), []);
});

test('what a host that was killed told last is not told twice by the next', async (t) => {
  const folder = await tempFolder(t);
  const first = openEventStore(folder, fail);
  for (const message of ['a', 'b']) await first.append('p', event(message));
  const next = openEventStore(folder, fail);
  for (const message of ['b', 'b', 'c']) {
    await next.append('p', { ...event(message), time: '2026-01-01T00:00:09.000Z' });
  }
  assert.deepEqual(messages(await next.list('p')), ['a', 'b', 'b', 'c']);
});

test('a list sees what was appended before it was asked for', async (t) => {
  const store = openEventStore(await tempFolder(t), fail);
  void store.append('p', event('a'));
  void store.append('p', event('b'));
  assert.deepEqual(messages(await store.list('p')), ['a', 'b']);
});

test('a line that was torn is left out, and the next one is not glued to it', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'p.ndjson');
  await openEventStore(folder, fail).append('p', event('whole'));
  await appendFile(path, '{"time":"2026-01-01T00:00:00.000Z","reason":"T');
  const store = openEventStore(folder, fail);
  assert.deepEqual(messages(await store.list('p')), ['whole']);
  await store.append('p', event('next'));
  assert.deepEqual(messages(await store.list('p')), ['whole', 'next']);
});

test('lines that are no events are left out', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(
    join(folder, 'p.ndjson'),
    `null\n[]\n"x"\n7\n\0\0\0\n${JSON.stringify(event('fine'))}\n\n{}\n`,
  );
  assert.deepEqual(messages(await openEventStore(folder, fail).list('p')), ['fine']);
});

test('the file is cut at 2,000 and keeps the last 1,000 and more', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'p.ndjson');
  const lines = Array.from({ length: 1998 }, (_, index) => `${JSON.stringify(event(String(index)))}\n`);
  await writeFile(path, lines.join(''));
  const store = openEventStore(folder, fail);
  await store.append('p', event('1998'));
  assert.equal((await store.list('p')).length, 1999);
  await store.append('p', event('1999'));
  await store.append('p', event('2000'));
  const kept = messages(await store.list('p'));
  assert.deepEqual(
    kept,
    Array.from({ length: 1001 }, (_, index) => String(1000 + index)),
  );
  assert.deepEqual(await readdir(folder), ['p.ndjson'], 'no temporary file is left');
  assert.equal((await readFile(path, 'utf8')).split('\n').length, 1002);
});

test('followers hear every event in order until they stop; one that throws harms nobody', async (t) => {
  const errors: unknown[] = [];
  const store = openEventStore(await tempFolder(t), (error) => errors.push(error));
  const heard: string[] = [];
  const stopBad = store.subscribe('p', () => {
    throw new Error('mine');
  });
  const stop = store.subscribe('p', ({ message }) => heard.push(message));
  await store.append('p', event('a'));
  await store.append('q', event('other'));
  stopBad();
  await store.append('p', event('b'));
  stop();
  stop();
  await store.append('p', event('c'));
  assert.deepEqual(heard, ['a', 'b']);
  assert.equal(errors.length, 1);
  assert.deepEqual(messages(await store.list('p')), ['a', 'b', 'c']);
});

test('removal forgets everything before it and nothing after it', async (t) => {
  const folder = await tempFolder(t);
  const store = openEventStore(folder, fail);
  void store.append('p', event('a'));
  void store.remove('p');
  await store.append('p', event('b'));
  assert.deepEqual(messages(await store.list('p')), ['b']);
  await store.remove('p');
  await store.remove('p');
  assert.deepEqual(await readdir(folder), []);
});

test('what can not be written is told of and still heard', async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'p.ndjson'));
  const errors: unknown[] = [];
  const store = openEventStore(folder, (error) => errors.push(error));
  const heard: string[] = [];
  store.subscribe('p', ({ message }) => heard.push(message));
  await store.append('p', event('a'));
  assert.deepEqual(heard, ['a']);
  assert.equal(errors.length, 1);
});

test('events of a time when the disk was full are seen at once, and written when it is not, each once', async (t) => {
  const folder = await smallDisk(t, 64);
  const errors: unknown[] = [];
  const store = openEventStore(folder, (error) => errors.push(error));
  await store.append('p', event('first'));
  await writeFile(join(folder, 'ballast'), Buffer.alloc(64 * 1024)).catch(() => undefined);
  // Some of it fits into the block that is there: a torn line.
  const long = 'x'.repeat(8000);
  await store.append('p', event('short'));
  await store.append('p', event(long));
  await store.append('p', event('short again'));
  assert.ok(errors.length > 0);
  const all = ['first', 'short', long, 'short again'];
  assert.deepEqual(messages(await store.list('p')), all);
  await store.writeLeft();
  assert.deepEqual(messages(await store.list('p')), all);
  await rm(join(folder, 'ballast'));
  await store.writeLeft();
  assert.deepEqual(messages(await openEventStore(folder, fail).list('p')), all);
  await store.append('p', event('last'));
  assert.deepEqual(messages(await store.list('p')), [...all, 'last']);
  assert.deepEqual(messages(await openEventStore(folder, fail).list('p')), [...all, 'last']);
});

test('who hears of all programs hears what is written, and what was written before with the time it had', async (t) => {
  const folder = await tempFolder(t);
  const first = openEventStore(folder, fail);
  await first.append('p', event('a'));
  const next = openEventStore(folder, fail);
  const heard: string[] = [];
  const end = next.subscribeAll((name, { message, time }) =>
    heard.push(`${name} ${message} ${time.slice(17, 19)}`),
  );
  await next.append('p', { ...event('a'), time: '2026-01-01T00:00:09.000Z' });
  await next.append('p', { ...event('a'), time: '2026-01-01T00:00:10.000Z' });
  await next.append('q', event('b'));
  end();
  await next.append('q', event('c'));
  assert.deepEqual(heard, ['p a 00', 'p a 10', 'q b 00']);
});

test('who hears of all programs hears of what can not be written too, once', async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'p.ndjson'));
  const errors: unknown[] = [];
  const store = openEventStore(folder, (error) => errors.push(error));
  const heard: string[] = [];
  store.subscribeAll((name, { message }) => heard.push(`${name} ${message}`));
  await store.append('p', event('a'));
  assert.equal(errors.length, 1);
  await rm(join(folder, 'p.ndjson'), { recursive: true });
  await store.writeLeft();
  assert.deepEqual(messages(await store.list('p')), ['a']);
  assert.deepEqual(heard, ['p a']);
});

test('the news of all programs come in their order, but for what a killed host told already', async (t) => {
  const folder = await tempFolder(t);
  await openEventStore(folder, fail).append('p', event('a'));
  const store = openEventStore(folder, fail);
  const told: string[] = [];
  store.subscribeNew((name, { message }) => told.push(`${name} ${message}`));
  await store.append('p', event('a'));
  assert.deepEqual(told, []);
  await store.append('q', event('first'));
  const writing = [
    store.append('p', event('b')),
    store.append('q', event('c')),
    store.append('p', event('d')),
  ];
  assert.deepEqual(told, ['q first', 'p b', 'q c', 'p d'], 'before they are written');
  await Promise.all(writing);
  assert.equal(told.length, 4);
});

test('what comes while the first is looked up does not overtake it, at any moment of that', async (t) => {
  for (let turns = 0; turns < 60; turns += 3) {
    const folder = await tempFolder(t);
    await openEventStore(folder, fail).append('p', event('before'));
    const store = openEventStore(folder, fail);
    const told: string[] = [];
    store.subscribeNew((_, { message }) => told.push(message));
    const first = store.append('p', event('first'));
    for (let turn = 0; turn < turns && told.length === 0; turn += 1)
      await new Promise((resolve) => setImmediate(resolve));
    const behind = [store.append('p', event('second')), store.append('p', event('third'))];
    await Promise.all([first, ...behind]);
    assert.deepEqual(told, ['first', 'second', 'third'], `after ${turns} turns`);
    await store.append('p', event('fourth'));
    assert.equal(told.length, 4);
  }
});

test('what was kept of all programs since a time, oldest first', async (t) => {
  const folder = await tempFolder(t);
  const store = openEventStore(folder, fail);
  const at = (second: number) => `2026-01-01T00:00:0${second}.000Z`;
  for (const [name, second] of [
    ['p', 1],
    ['q', 2],
    ['p', 3],
    ['gone', 3],
    ['q', 4],
  ] as const)
    await store.append(name, { ...event(`${name}${second}`), time: at(second) });
  const since = async (second: number) =>
    (await store.since(at(second))).map(({ event: { message } }) => message);
  assert.deepEqual((await since(3)).sort(), ['gone3', 'p3', 'q4']);
  assert.equal((await since(3)).at(-1), 'q4');
  assert.deepEqual(await since(0), ['p1', 'q2', ...(await since(3))]);
  assert.deepEqual(await openEventStore(join(folder, 'none'), fail).since(at(0)), []);
});
