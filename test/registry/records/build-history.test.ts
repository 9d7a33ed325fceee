import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openBuildHistory } from '../../../registry/records/build-history.ts';
import { timestamp } from '../../../schemas/program.ts';
import { tempFolder } from '../folder.ts';

const ID = 'build-0123456789ab';
const DONE = { ended: timestamp(5_000), outcome: 'Succeeded' as const, error: '' };

async function stage(t: TestContext) {
  const root = await tempFolder(t);
  const [builds, kept] = [join(root, 'builds'), join(root, 'history')];
  await mkdir(builds);
  await mkdir(kept);
  const errors: unknown[] = [];
  const open = () => openBuildHistory(builds, kept, (error) => errors.push(error));
  return { builds, kept, errors, open, history: open() };
}

/** One build of one step, with this output. */
async function build(
  { history }: Awaited<ReturnType<typeof stage>>,
  ms: number,
  output: string,
  names: string[],
) {
  const steps = history.start(ID, timestamp(ms));
  steps.take({ kind: 'step', number: 1, name: 'RUN x', started: timestamp(ms) });
  for (const text of output.split('\n')) steps.take({ kind: 'output', number: 1, text });
  steps.take({ kind: 'end', number: 1, completed: timestamp(ms), cached: false, error: '' });
  await steps.end(DONE, names);
}

test('a build is read while it runs, and when it has ended, by the next host too', async (t) => {
  const host = await stage(t);
  assert.equal((await host.history.newest(ID)).outcome, null);
  const steps = host.history.start(ID, timestamp(1_000));
  steps.take({ kind: 'step', number: 1, name: 'RUN x', started: null });
  let running = await host.history.newest(ID);
  while (running.steps.length === 0) running = await host.history.newest(ID);
  assert.deepEqual([running.outcome, running.id], ['Running', `${ID}@1000`]);
  await steps.end(DONE, ['app']);
  const ended = await host.open().newest(ID);
  assert.deepEqual([ended.outcome, ended.ended], ['Succeeded', timestamp(5_000)]);
  assert.deepEqual(await host.open().list('app'), [ended]);
  const [file = ''] = await readdir(join(host.kept, 'app'));
  assert.equal((await stat(join(host.kept, 'app', file))).mode & 0o777, 0o600);
  assert.deepEqual(host.errors, []);
});

test('one that a killed host left is told as interrupted', async (t) => {
  const host = await stage(t);
  host.history.start(ID, timestamp(1_000)).take({ kind: 'step', number: 1, name: 'RUN x', started: null });
  let cut = await host.open().newest(ID);
  while (cut.steps.length === 0) cut = await host.open().newest(ID);
  assert.deepEqual([cut.outcome, cut.steps.length], ['Interrupted', 1]);
});

test('each try is kept for each program that waited, the newest ten, newest first, and goes with the program', async (t) => {
  const host = await stage(t);
  for (let at = 1; at <= 12; at++) await build(host, at * 1_000, 'x', at === 12 ? ['app', 'other'] : ['app']);
  const ids = (await host.history.list('app')).map(({ id }) => id);
  assert.deepEqual(
    ids,
    Array.from({ length: 10 }, (_, age) => `${ID}@${12_000 - age * 1_000}`),
  );
  assert.equal((await host.history.list('other')).length, 1);
  await host.history.remove('app');
  assert.deepEqual([await host.history.list('app'), await host.history.list('none')], [[], []]);
  assert.equal((await host.history.list('other')).length, 1);
});

test('no more than 1 MiB of output is kept of one, 4 KiB of a line, and 4 MiB of a program', async (t) => {
  const host = await stage(t);
  await build(host, 1_000, 'y'.repeat(5_000), ['app']);
  const [line] = (await host.history.list('app'))[0]?.steps[0]?.output ?? [];
  assert.equal(line, `${'y'.repeat(4_096)}… (cut)`);
  const long = Array.from({ length: 600 }, () => 'z'.repeat(2_000)).join('\n');
  for (let at = 2; at <= 7; at++) await build(host, at * 1_000, long, ['app']);
  const kept = await host.history.list('app');
  assert.ok(kept.length >= 3 && kept.length <= 4, `${kept.length} are kept`);
  assert.deepEqual(
    kept.map(({ id, is_cut }) => [id, is_cut]),
    [7, 6, 5, 4].slice(0, kept.length).map((at) => [`${ID}@${at}000`, true]),
  );
  // What came behind the output is there all the same.
  assert.deepEqual(
    kept.map(({ outcome, steps }) => [outcome, steps[0]?.cached]),
    kept.map(() => ['Succeeded', false]),
  );
});

test('what is damaged, or no file, breaks nothing: what can be read of it is told', async (t) => {
  const host = await stage(t);
  await build(host, 1_000, 'x', ['app']);
  const folder = join(host.kept, 'app');
  const [file = ''] = await readdir(folder);
  await appendFile(join(folder, file), '{"kind":"out');
  await writeFile(join(folder, file.replace('1000', '2000')), 'no record\n');
  await mkdir(join(folder, file.replace('1000', '3000')));
  await writeFile(join(folder, 'notes.txt'), 'people put things anywhere');
  const found = (await host.history.list('app')).map((one) => [one.id, one.outcome, one.is_damaged]);
  assert.deepEqual(found, [
    [`${ID}@3000`, null, true],
    [`${ID}@2000`, null, true],
    [`${ID}@1000`, 'Succeeded', true],
  ]);
});

test('a disk that refuses costs the record, not the build', async (t) => {
  const host = await stage(t);
  await writeFile(join(host.kept, 'app'), 'in the way');
  await build(host, 1_000, 'x', ['app', 'other']);
  assert.equal(host.errors.length, 1);
  assert.equal((await host.history.list('other')).length, 1);
  await mkdir(join(host.builds, 'build-ffffffffffff.ndjson'));
  await host.history.start('build-ffffffffffff', timestamp(1)).end(DONE, []);
  assert.ok(host.errors.length >= 2);
});
