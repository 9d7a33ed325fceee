import assert from 'node:assert/strict';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type BuildLogs, openBuildLogs } from '../../../registry/records/build-logs.ts';
import { tempFolder, until } from '../folder.ts';

const fail = (error: unknown) => assert.fail(String(error));

/** Follows a log in the background. */
function follow(logs: BuildLogs, id: string, signal = new AbortController().signal) {
  const bytes: Uint8Array[] = [];
  const seen = {
    done: false,
    get text() {
      return Buffer.concat(bytes).toString();
    },
  };
  const end = (async () => {
    for await (const chunk of logs.follow(id, signal)) bytes.push(chunk);
    seen.done = true;
  })();
  return { seen, end };
}

test('a log is kept and read again, for its owner alone', async (t) => {
  const folder = await tempFolder(t);
  const logs = openBuildLogs(folder, fail);
  assert.equal(await logs.read('b'), '');
  const log = logs.start('b');
  assert.equal(logs.isOpen('b'), true);
  log.write('one\n');
  log.write('two\n');
  await log.end();
  await log.end();
  assert.equal(logs.isOpen('b'), false);
  assert.equal(await openBuildLogs(folder, fail).read('b'), 'one\ntwo\n');
  assert.equal((await stat(join(folder, 'b.log'))).mode & 0o777, 0o600);
  log.write('late');
  assert.equal(await logs.read('b'), 'one\ntwo\n');
});

test('a follower gets what there is, what comes, and the end', async (t) => {
  const logs = openBuildLogs(await tempFolder(t), fail);
  const log = logs.start('b');
  log.write('before ');
  const { seen, end } = follow(logs, 'b');
  await until('the first part', () => seen.text === 'before ');
  log.write('after ');
  await until('the second part', () => seen.text === 'before after ');
  assert.equal(seen.done, false);
  log.write('last');
  await log.end();
  await end;
  assert.equal(seen.text, 'before after last');
});

test('many followers of many writes all get every byte once', async (t) => {
  const logs = openBuildLogs(await tempFolder(t), fail);
  const log = logs.start('b');
  const followers = Array.from({ length: 5 }, () => follow(logs, 'b'));
  let want = '';
  for (let index = 0; index < 500; index++) {
    const line = `${index} ${'ä'.repeat(index % 50)}\n`;
    want += line;
    log.write(line);
    if (index % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await log.end();
  await Promise.all(followers.map(({ end }) => end));
  for (const { seen } of followers) assert.equal(seen.text, want);
  assert.equal(await logs.read('b'), want);
});

test('a finished log, or none, ends the following at once', async (t) => {
  const logs = openBuildLogs(await tempFolder(t), fail);
  const log = logs.start('b');
  log.write('x');
  await log.end();
  const { seen, end } = follow(logs, 'b');
  await end;
  assert.equal(seen.text, 'x');
  await follow(logs, 'none').end;
});

test('a follower that goes away is let go', async (t) => {
  const logs = openBuildLogs(await tempFolder(t), fail);
  const log = logs.start('b');
  const controller = new AbortController();
  const { seen, end } = follow(logs, 'b', controller.signal);
  log.write('x');
  await until('the text', () => seen.text === 'x');
  controller.abort();
  await end;
  await follow(logs, 'b', AbortSignal.abort()).end;
  for await (const _ of logs.follow('b', new AbortController().signal)) break;
  await log.end();
});

test('a build that is tried again begins its log anew, also for who follows it', async (t) => {
  const logs = openBuildLogs(await tempFolder(t), fail);
  const first = logs.start('b');
  first.write('first try\n');
  const { seen, end } = follow(logs, 'b');
  await until('the first try', () => seen.text === 'first try\n');
  const ended = first.end();
  const second = logs.start('b');
  await ended;
  second.write('2\n');
  await until('the second try', () => seen.text === 'first try\n2\n');
  await second.end();
  await end;
  assert.equal(await logs.read('b'), '2\n');
});

test('a log that is longer than is kept says so and stops', async (t) => {
  const logs = openBuildLogs(await tempFolder(t), fail);
  const log = logs.start('b');
  const part = 'x'.repeat(2 ** 20);
  for (let index = 0; index < 20; index++) log.write(part);
  await log.end();
  const text = await logs.read('b');
  assert.equal(text.length, 16 * 2 ** 20 + '\n(the log is longer than is kept)\n'.length);
  assert.ok(text.endsWith('x\n(the log is longer than is kept)\n'));
});

test('a log that can not be written costs the log, not the build', async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'b.log'));
  const errors: unknown[] = [];
  const logs = openBuildLogs(folder, (error) => errors.push(error));
  const log = logs.start('b');
  log.write('a');
  await log.end();
  log.write('b');
  await log.end();
  assert.equal(errors.length, 1);
  assert.equal(logs.isOpen('b'), false);
});
