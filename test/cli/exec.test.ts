import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../schemas/errors.ts';
import { fakeView } from '../api/fake-view.ts';
import { program } from '../api/socket.ts';
import { until } from '../api/until.ts';
import { cli } from './cli.ts';

test('exec gives both streams apart, and the exit code of the command', async (t) => {
  const { host, run } = await cli(t, [fakeView('web')]);
  host.execPieces = [
    { stream: 'stdout', bytes: Buffer.from('out\n') },
    { stream: 'stderr', bytes: Buffer.from('err\n') },
  ];
  assert.deepEqual(await run('exec', 'we', '--', 'false', '3', '-x'), {
    code: 3,
    out: 'out\n',
    err: 'err\n',
  });
  assert.deepEqual(host.calls, ['exec web ["false","3","-x"]'], 'no shell, no option of ours behind --');
  host.execPieces = [];
  for (const code of [0, 126, 127, 137])
    assert.deepEqual(await run('exec', 'web', '--', 'end', `${code}`), { code, out: '', err: '' });
});

test('exec passes standard input on only where it is asked to', async (t) => {
  const { call } = await cli(t, [fakeView('web')]);
  const long = 'line\n'.repeat(100_000);
  assert.equal((await call({ input: long }, 'exec', '-i', 'web', '--', 'cat')).out, long);
  assert.deepEqual(await call({ input: 'one\n' }, 'exec', 'web', '--', 'cat'), { code: 0, out: '', err: '' });
  // A command that ends before its input does.
  assert.equal((await call({ columns: 80 }, 'exec', '-i', 'web', '--', 'end', '4')).code, 4);
});

test('what is no end of the command has the codes of hershctl, or the one that is asked for', async (t) => {
  const { host, run } = await cli(t, [fakeView('web')]);
  const hint = 'POST /programs/web/start starts it';
  host.failures.set('exec', new AppError('Conflict', 'program not running', { hint }));
  const refused = await run('exec', 'web', '--', 'ls');
  // The host's hint names a call, the command's a command.
  const err = 'error: program not running\nhershctl start web starts it\n';
  assert.deepEqual(refused, { code: 5, out: '', err });
  const told = await run('exec', '--failure-code', '200', 'web', '--', 'ls');
  assert.deepEqual(told, { ...refused, code: 200 });
  host.failures.clear();
  assert.equal((await run('exec', 'nobody', '--', 'ls')).code, 4);
  assert.equal((await run('exec', '--failure-code=200', 'nobody', '--', 'ls')).code, 200);
  assert.equal((await run('exec', '--failure-code=200', 'web', '--', 'end', '5')).code, 5);
  assert.equal((await run('exec', '--failure-code', '0', 'web', '--', 'ls')).code, 2);
  assert.equal((await run('exec', 'web')).code, 2);
});

test('a host that goes away meanwhile leaves the end unknown, and says so', async (t) => {
  const { call } = await cli(t);
  const own = { 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' };
  const host = await program(t, (req, res) => {
    const isExec = req.method === 'POST';
    res.writeHead(200, { ...own, 'Content-Type': isExec ? 'application/x-ndjson' : 'application/json' });
    if (!isExec) return void res.end(JSON.stringify({ program_id: 'web' }));
    res.write('{"container_id":"c0ffee"}\n\n{"stream":"stdout","data":"b24K"}\n');
    setImmediate(() => req.socket.destroy());
  });
  const env = { HERSH_SERVER: `127.0.0.1:${host.port}` };
  const { code, out, err } = await call({ env }, 'exec', 'web', '--', 'ls');
  assert.deepEqual([code, out], [3, 'on\n']);
  assert.match(err, /^error: the host went away while the command ran in web: how it ended is not known\n/);
});

test('Ctrl-C leaves the command to the host, and says what comes of it', async (t) => {
  const { host, start } = await cli(t, [fakeView('web')]);
  host.execPieces = [{ stream: 'stdout', bytes: Buffer.from('on\n') }];
  const waiting = start({}, 'exec', 'web', '--', 'wait');
  await waiting.shows('on\n');
  waiting.interrupt();
  const { code, err } = await waiting.ended;
  assert.equal(code, 130);
  assert.match(err, /^the command is told to end; in a container without a shell it goes on/);
  await until(() => host.signals[0]?.aborted === true);
});
