import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeView } from '../api/fake-view.ts';
import { cli } from './cli.ts';

test('completion knows commands, options, what these take, and names from the host', async (t) => {
  const { call, run, port } = await cli(t, [fakeView('web'), fakeView('worker'), fakeView('other')]);
  const offered = async (...words: string[]) => {
    const { code, out } = await run('complete', '--', ...words);
    assert.equal(code, 0);
    return out
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith(':'))
      .map((line) => line.split('\t')[0]);
  };
  assert.deepEqual(await offered('re'), ['restart', 'resume']);
  assert.deepEqual(await offered('get', ''), ['web', 'worker', 'other']);
  assert.deepEqual(await offered('logs', 'w'), ['web', 'worker']);
  assert.deepEqual(await offered('stop', 'web', 'o'), ['other']);
  assert.deepEqual(await offered('get', '-o', 'j'), ['json']);
  assert.deepEqual(await offered('wait', 'web', '--for', ''), ['Ready', 'Stopped', 'Deleted']);
  assert.ok((await offered('deploy', '--')).includes('--name'));
  const away = { env: { HERSH_SERVER: 'http://127.0.0.1:59999' } };
  const server = `http://127.0.0.1:${port}`;
  assert.match((await call(away, 'complete', '--', '-s', server, 'logs', 'ot')).out, /^other/);
  const none = await call(away, 'complete', '--', 'logs', '');
  assert.deepEqual([none.code, none.err], [0, ''], 'a host that is away is not told behind a key');
});

test('each shell gets its script', async (t) => {
  const { run } = await cli(t);
  for (const shell of ['bash', 'zsh', 'fish'])
    assert.match((await run('completion', shell)).out, /hershctl.* complete --/, shell);
  const other = await run('completion', 'tcsh');
  assert.deepEqual([other.code, other.err.split('\n')[1]], [2, 'One of bash, zsh, fish.']);
});
