import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAddress } from '../../api/cli/host/address.ts';
import { fakeView } from '../api/fake-view.ts';
import { program } from '../api/socket.ts';
import { cli } from './cli.ts';

test('a host that is away, another server, and a host of another version are told apart', async (t) => {
  const { run } = await cli(t, [fakeView('web')]);
  const gone = await program(t, () => undefined);
  gone.server.close();
  const away = await run('get', '--server', `127.0.0.1:${gone.port}`);
  assert.equal(away.code, 3);
  assert.match(away.err, /^error: no host answers at 127\.0\.0\.1:\d+: .*ECONNREFUSED/);

  const other = await program(t, (_req, res) => {
    res.writeHead(404, {
      'Content-Type': 'text/plain',
      'X-Content-Type-Options': 'nosniff',
      Server: 'nginx',
    });
    res.end('404 page not found');
  });
  const stranger = await run('get', 'web', '-s', `http://127.0.0.1:${other.port}`);
  assert.equal(stranger.code, 3);
  assert.match(stranger.err, /is no Hersh Host \(it said 404 nginx\)\nLook at --server/);

  const older = await program(t, (req, res) => {
    const message = `no route ${req.method} ${req.url}`;
    const own = { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' };
    res.writeHead(404, { ...own, 'Cache-Control': 'no-store' });
    res.end(JSON.stringify({ error: 'Not Found', code: 404, message }));
  });
  const old = await run('get', '-s', `http://127.0.0.1:${older.port}`);
  assert.equal(old.code, 3);
  assert.match(old.err, /the host is of another version: it has no route GET \/programs/);
});

test('what is typed wrong is told with the usage, and is 2', async (t) => {
  const { run } = await cli(t);
  assert.equal((await run('gte')).code, 2);
  assert.match((await run('gte')).err, /unknown command 'gte'\n\(Did you mean get\?\)/);
  assert.equal((await run('start')).code, 2);
  assert.equal((await run('get', '--nope')).code, 2);
  const help = await run('--help');
  assert.equal(help.code, 0);
  assert.match(help.out, /Exit codes:\n +0 {2}done/);
  assert.deepEqual(await run(), help);
});

test('the host is that of --server, HERSH_SERVER, the context, or 127.0.0.1:9000', async (t) => {
  const { run, call, port, dir } = await cli(t, [fakeView('web')]);
  const unset = { env: { HERSH_SERVER: '' } };
  const server = `http://127.0.0.1:${port}`;
  assert.match((await call(unset, 'context', 'list')).err, /there are no contexts/);
  assert.equal((await call(unset, 'context', 'set', 'here', '--server', server, '--user', 'ann')).code, 0);
  assert.equal((await call(unset, 'context', 'set', 'far', '--server', 'ssh://me@box:2222')).code, 0);
  assert.equal((await call(unset, 'context', 'use', 'here')).code, 0);
  assert.match((await call(unset, 'get')).out, /web/);
  assert.match(
    (await call(unset, 'context', 'list')).out,
    /^\* +here +http.*ann\n +far +ssh:\/\/me@box:2222/m,
  );
  assert.match((await run('get', '--context', 'here')).out, /web/);
  const file = join(dir, '.config', 'hersh', 'config.yaml');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.match(await readFile(file, 'utf8'), /^current: here/);
  const unknown = await run('get', '--context', 'nope');
  assert.deepEqual([unknown.code, unknown.err.split('\n')[1]], [4, 'There are here, far.']);
  assert.equal((await call(unset, 'context', 'delete', 'here')).code, 0);
  assert.match((await call(unset, 'get', '--server', server)).out, /web/);
  assert.equal((await run('context', 'set', 'bad', '--server', 'ftp://x')).code, 2);
  await writeFile(file, 'contexts: [');
  const damaged = await call(unset, 'get');
  assert.equal(damaged.code, 2);
  assert.match(damaged.err, /config\.yaml can not be used/);
});

test('addresses', () => {
  assert.deepEqual(parseAddress('box:9001/'), { kind: 'http', base: 'http://box:9001' });
  const ssh = { kind: 'ssh', destination: 'me@box', port: 2222, apiPort: 9001 };
  assert.deepEqual(parseAddress('ssh://me@box:2222?port=9001'), ssh);
  assert.deepEqual(parseAddress('ssh://box'), { kind: 'ssh', destination: 'box', port: 0, apiPort: 9000 });
  for (const bad of ['', 'ssh://-oProxy@box', 'ssh://me@box/x', 'ssh://a:b@box', 'ftp://x', 'ssh://b?port=0'])
    assert.throws(() => parseAddress(bad), /is no address of a host/, bad);
});
