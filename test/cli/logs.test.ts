import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CREATED_AT, fakeView } from '../api/fake-view.ts';
import { assertMatches } from '../api/openapi.ts';
import { program } from '../api/socket.ts';
import { cli } from './cli.ts';

const line = (id: string, text: string, cut = 0) => ({
  ...{
    id,
    time: '2026-11-22T10:00:00.000000001Z',
    stream: 'stdout' as const,
    run: null,
    text,
    cut_bytes: cut,
  },
});

test('logs are what the host gives, as it was asked for', async (t) => {
  const { host, run } = await cli(t, [fakeView('web')]);
  host.logChunks = [Buffer.from('one\n'), Buffer.from('two\n')];
  host.logTimes = ['2026-11-22T10:00:00.000000001Z', '2026-11-22T10:00:00.000000002Z'];
  assert.deepEqual(await run('logs', 'we'), { code: 0, out: 'one\ntwo\n', err: '' });
  assert.match((await run('logs', 'web', '--timestamps')).out, /^2026-11-22T10:00:00.000000001Z one\n/);
  await run('logs', 'web', '--previous', '--tail', '7', '--since', '10m');
  assert.deepEqual(
    [host.lastLogOptions?.previous, host.lastLogOptions?.tail, host.lastLogOptions?.sinceNanos !== 0n],
    [true, 7, true],
  );
  assert.equal((await run('logs', 'web', '-f', '-p')).code, 2);
  assert.equal((await run('logs', 'web', '--since', 'long ago')).code, 2);
  assert.equal((await run('logs', 'web', '--tail', 'all')).code, 2);
  assert.equal((await run('logs', 'nobody')).code, 4);
});

test('logs -f ends where the program does', async (t) => {
  const { host, run } = await cli(t, [fakeView('web')]);
  host.logMessages = [
    { event: 'line', data: line('a.1.o.0', 'one') },
    { event: 'gap', data: { message: 'lines are missing' } },
    { event: 'line', data: line('a.2.o.0', 'two', 9) },
    { event: 'end', data: { message: 'the program is stopped' } },
  ];
  const { code, out, err } = await run('logs', 'web', '-f', '--timestamps', '--tail', '5');
  assert.equal(code, 0);
  assert.match(out, /^\S+Z one\n\S+Z two… \(9 bytes more\)\n$/);
  assert.equal(err, '(lines are missing)\n(the program is stopped)\n');
  assert.equal(host.lastLogPage?.tail, 5);
});

test('a host that restarts is waited for and said; what came meanwhile is asked for behind the last line', async (t) => {
  const { start } = await cli(t);
  const asked: (string | undefined)[] = [];
  const own = { 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' };
  const frame = (type: string, id: string, data: object) =>
    `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
  const host = await program(t, (req, res) => {
    if (!req.url?.includes('/logs')) {
      res.writeHead(200, { ...own, 'Content-Type': 'application/json' });
      return void res.end(JSON.stringify({ program_id: 'web' }));
    }
    asked.push(req.headers['last-event-id'] as string | undefined);
    // It starts again, and does not take calls yet.
    if (asked.length === 2) return void req.socket.destroy();
    res.writeHead(200, { ...own, 'Content-Type': 'text/event-stream' });
    if (asked.length === 1) {
      res.write(frame('line', '1', line('1', 'one')));
      setImmediate(() => req.socket.destroy());
    } else res.end(frame('line', '2', line('2', 'two')) + frame('end', '2', { message: 'stopped' }));
  });
  const logs = start({ env: { HERSH_SERVER: `127.0.0.1:${host.port}` } }, 'logs', 'web', '-f');
  const { code, out, err } = await logs.ended;
  assert.deepEqual([code, out], [0, 'one\ntwo\n']);
  assert.deepEqual(asked, [undefined, '1', '1']);
  assert.equal(
    err,
    'the host is away; waiting for it (Ctrl-C ends this command only)\nthe host is back\n(stopped)\n',
  );
});

test('build-log, and on with -f, whose exit code is that of the build', async (t) => {
  const { host, run } = await cli(t, [fakeView('web')]);
  assert.equal((await run('build-log', 'web')).out, 'step 1\n');
  assertMatches('#/components/schemas/Build', (await run('build-log', 'web', '-o', 'json')).out, 'build-log');
  const record = (one: object) => Buffer.from(`${JSON.stringify(one)}\n`);
  host.buildChunks = [
    record({ kind: 'build', build_id: 'build-0123456789ab', started: CREATED_AT }),
    record({ kind: 'step', number: 1, name: '[1/2] FROM x', started: CREATED_AT }),
    record({ kind: 'end', number: 1, completed: CREATED_AT, cached: true, error: '' }),
    record({ kind: 'step', number: 2, name: '[2/2] RUN false', started: CREATED_AT }),
    record({ kind: 'output', number: 2, text: 'no' }),
    record({ kind: 'end', number: 2, completed: CREATED_AT, cached: false, error: 'exit code: 1' }),
    record({ kind: 'done', ended: CREATED_AT, outcome: 'Failed', error: 'it failed' }),
  ];
  const { code, out, err } = await run('build-log', 'web', '-f');
  assert.equal(code, 1);
  assert.equal(out, '#1 [1/2] FROM x\n#1 CACHED\n#2 [2/2] RUN false\n#2 no\n#2 ERROR exit code: 1\n');
  assert.match(err, /Failed: it failed\n$/);
});

test('a build log that has nothing to tell ends: the image was there', async (t) => {
  const { host, run } = await cli(t, [fakeView('web')]);
  host.buildChunks = [];
  assert.deepEqual(await run('build-log', 'web', '-f'), {
    ...{ code: 0, out: '' },
    err: 'nothing is built: the image is there already\n',
  });
});
