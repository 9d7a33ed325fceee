import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { RING_FILE_BYTES } from '../../../registry/records/usage-ring.ts';
import { openUsageStore } from '../../../registry/records/usage-store.ts';
import { tempFolder } from '../folder.ts';

const STEP = 15_000;
const NOW = Date.UTC(2026, 0, 1);
const half = { cpu: 0.5, memoryBytes: 2 ** 20 };

async function stage(t: TestContext) {
  const folder = await tempFolder(t);
  const warnings: string[] = [];
  const errors: unknown[] = [];
  const open = () =>
    openUsageStore(
      folder,
      (_fields, message) => void warnings.push(message),
      (error) => void errors.push(error),
    );
  /** One that has a sample of that time, written. */
  const written = async (name: string, atMs = NOW) => {
    const store = open();
    await store.load([name]);
    store.put(name, atMs, half);
    await store.writeAll(atMs);
    return store;
  };
  return { folder, warnings, errors, open, written, file: (name: string) => join(folder, `${name}.ring`) };
}

const known = (list: (number | null)[]) => list.filter((one) => one !== null);

test('figures are kept over a restart, hour and week, in a file whose size never changes', async (t) => {
  const { open, written, file, warnings, errors } = await stage(t);
  await written('p');
  assert.equal((await stat(file('p'))).size, RING_FILE_BYTES);
  assert.equal((await stat(file('p'))).mode & 0o777, 0o600);
  const next = open();
  await next.load(['p', 'other']);
  assert.deepEqual(known(next.hour('p', NOW + STEP).cpu), [0.5]);
  for (let step = 1; step < 600; step++) next.put('p', NOW + step * STEP, { ...half, cpu: 1 });
  const end = NOW + 599 * STEP;
  await next.writeAll(end);
  assert.equal((await stat(file('p'))).size, RING_FILE_BYTES);
  const last = open();
  await last.load(['p']);
  assert.deepEqual(known(last.hour('p', end).cpu).length, 240);
  const week = known((await last.week('p', end)).cpu);
  // What was put and not written within the hour is gone from it: only 12 of the 29 steps between.
  assert.deepEqual([week[0], week.at(-1), week.length], [0.5, 1, 1 + 12]);
  assert.deepEqual([warnings, errors], [[], []]);
  assert.deepEqual(known((await last.week('nobody', end)).cpu), []);
});

test('each is written within five minutes, and not all at once', async (t) => {
  const { folder, open } = await stage(t);
  const store = open();
  const names = Array.from({ length: 60 }, (_, index) => `p${index}`);
  await store.load(names);
  const counts: number[] = [];
  for (let step = 0; step < 20; step++) {
    for (const name of names) store.put(name, NOW + step * STEP, half);
    await store.writeDue(NOW + step * STEP);
    counts.push((await readdir(folder)).length);
  }
  assert.equal(counts.at(-1), 60);
  assert.ok((counts[0] ?? 60) < 30, `${counts}`);
});

for (const [what, damage] of [
  ['is cut short', (path: string) => truncate(path, 5_000)],
  ['is empty', (path: string) => truncate(path, 0)],
  ['is longer', (path: string) => truncate(path, RING_FILE_BYTES + 1)],
  ['is something else', (path: string) => writeFile(path, Buffer.alloc(RING_FILE_BYTES, 'x'))],
] as const) {
  test(`a file that ${what} begins anew with one warning, at a start and under way`, async (t) => {
    const { open, written, file, warnings, errors } = await stage(t);
    const store = await written('p');
    await damage(file('p'));
    const next = open();
    await next.load(['p']);
    assert.match(
      warnings.join(),
      /^data\/usage\/p\.ring is damaged or half written: its figures begin anew$/,
    );
    assert.deepEqual(known(next.hour('p', NOW).cpu), []);
    await next.writeAll(NOW);
    assert.equal((await stat(file('p'))).size, RING_FILE_BYTES);
    await open().load(['p']);
    assert.equal(warnings.length, 1, 'it is whole again');

    await damage(file('p'));
    assert.deepEqual(known((await store.week('p', NOW)).cpu), [0.5], 'what is in memory is not lost');
    store.put('p', NOW + STEP, half);
    await store.writeAll(NOW + STEP);
    assert.deepEqual(known((await store.week('p', NOW + STEP)).cpu), [0.5]);
    assert.deepEqual([warnings.length, errors.length], [2, 0]);
  });
}

test('a file that is taken away is made again with what is known', async (t) => {
  const { folder, written, file, warnings, errors } = await stage(t);
  const store = await written('p');
  await rm(folder, { recursive: true });
  store.put('p', NOW + STEP, half);
  await store.writeAll(NOW + STEP);
  assert.equal(errors.length, 1, 'there is no folder');
  await store.writeAll(NOW + STEP);
  assert.equal(errors.length, 1, 'it is told once');
  await mkdir(folder);
  await store.writeAll(NOW + STEP);
  assert.equal((await stat(file('p'))).size, RING_FILE_BYTES);
  assert.deepEqual([warnings, errors.length], [[], 1]);
});

test('a link in its place is not written through, and a folder there harms nobody', async (t) => {
  const { folder, open, written, file, errors } = await stage(t);
  const store = await written('p');
  await rm(file('p'));
  await writeFile(join(folder, 'target'), 'of others');
  await symlink('target', file('p'));
  await mkdir(file('q'));
  await store.load(['q']);
  for (const name of ['p', 'q']) store.put(name, NOW + STEP, half);
  await store.writeAll(NOW + STEP);
  assert.equal(await readFile(join(folder, 'target'), 'utf8'), 'of others');
  assert.equal(errors.length, 1);
  const next = open();
  await next.load(['p']);
  assert.deepEqual(known(next.hour('p', NOW + STEP).cpu), [0.5, 0.5]);
  await assert.rejects(next.week('q', NOW), /data\/usage\/q\.ring can not be read/);
});

test('what is removed is gone, and a sample that comes after it is kept by nobody', async (t) => {
  const { folder, written } = await stage(t);
  const store = await written('p');
  await store.remove('p');
  store.put('p', NOW, half);
  await store.writeAll(NOW);
  assert.deepEqual(await readdir(folder), []);
  await store.remove('p');
});

test('what is released is written, and read again when it comes back', async (t) => {
  const { open } = await stage(t);
  const store = open();
  await store.load(['p']);
  store.put('p', NOW, half);
  await store.release('p', NOW);
  assert.deepEqual([store.names(), known(store.hour('p', NOW).cpu)], [[], []]);
  await store.load(['p']);
  assert.deepEqual(known(store.hour('p', NOW).cpu), [0.5]);
});

test('what was written in the last hour is told apart from what was not', async (t) => {
  const { open, written, file } = await stage(t);
  for (const name of ['new', 'old']) await written(name);
  const day = 24 * 60 * 60;
  await utimes(file('old'), NOW / 1000 - day, NOW / 1000 - day);
  const store = open();
  assert.deepEqual(await store.recent(NOW), ['new']);
  await store.load(['new']);
  assert.equal(store.hasHour('new', NOW), true);
  assert.equal(store.hasHour('new', NOW + day * 1000), false);
  await rm(dirname(file('new')), { recursive: true });
  assert.deepEqual(await store.recent(NOW), []);
});

test('a host that comes within the same step takes no rate away from the one before', async (t) => {
  const { open, written } = await stage(t);
  await written('p');
  const next = open();
  await next.load(['p']);
  next.put('p', NOW + STEP / 2, { cpu: null, memoryBytes: 2 ** 21 });
  const hour = next.hour('p', NOW + STEP / 2);
  assert.deepEqual([known(hour.cpu), known(hour.memoryBytes)], [[0.5], [2 ** 21]]);
  assert.deepEqual(known((await next.week('p', NOW + STEP / 2)).cpu), [0.5]);
});
