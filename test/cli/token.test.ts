import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fakeAccess } from '../api/access/fake-access.ts';
import { fakeView } from '../api/fake-view.ts';
import { cli } from './cli.ts';

const CREATE = ['token', 'create', '--file', 'tokens.yaml'];

test('a token is made, shown once, listed without itself and revoked', async (t) => {
  const { run, dir } = await cli(t);
  const made = await run(...CREATE, '--name', 'ci', '--role', 'user', '--user', 'alice', '--expires', '90d');
  assert.equal(made.code, 0, made.err);
  const token = made.out.trim();
  assert.match(token, /^hersh_[0-9a-f]{12}_/);
  const file = join(dir, 'tokens.yaml');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.ok(!(await readFile(file, 'utf8')).includes(token.slice(20)));
  const listed = await run('token', 'list', '--file', 'tokens.yaml');
  assert.match(listed.out, /ci\s+user\s+alice\s+2026-11-22\s+2027-02-20T/);
  assert.ok(!listed.out.includes(token.slice(20)));
  assert.equal((await run(...CREATE, '--name', 'ops', '--role', 'admin')).code, 0);
  const gone = await run('token', 'revoke', '--file', 'tokens.yaml', 'ci');
  assert.match(gone.out, /ci is revoked/);
  assert.doesNotMatch((await run('token', 'list', '--file', 'tokens.yaml')).out, /alice/);
  assert.equal((await run('token', 'revoke', '--file', 'tokens.yaml', 'ci')).code, 4);
});

test('what does not fit is refused, and the file stays as it is', async (t) => {
  const { run, call, dir } = await cli(t);
  for (const [words, args] of [
    [/takes --user/, ['--name', 'a', '--role', 'user']],
    [/takes --user/, ['--name', 'a', '--role', 'admin', '--user', 'x']],
    [/Write admin, user, viewer/, ['--name', 'a', '--role', 'root']],
    [/is no time to come/, ['--name', 'a', '--role', 'admin', '--expires', '2020-01-01']],
  ] as const) {
    const { code, err } = await run(...CREATE, ...args);
    assert.notEqual(code, 0);
    assert.match(err, words);
  }
  await assert.rejects(stat(join(dir, 'tokens.yaml')));
  assert.match((await run('token', 'list')).err, /which file\?/);
  await writeFile(join(dir, 'open.yaml'), '', { mode: 0o644 });
  const open = await call({ env: { HERSH_TOKENS: 'open.yaml' } }, 'token', 'list');
  assert.match(open.err, /may be read by others[\s\S]*chmod 600/);
});

test('the token of HERSH_TOKEN or of the context goes with what is asked, and nowhere in the open', async (t) => {
  const access = fakeAccess();
  const { call, run, port, dir } = await cli(t, [fakeView('mine', { userId: 'alice' })], { access });
  const { token } = access.make({ role: 'user', userId: 'alice' });
  assert.match((await run('get')).err, /a token is needed/);
  const env = { HERSH_TOKEN: token };
  assert.match((await call({ env }, 'get')).out, /mine/);
  const box = ['context', 'set', 'box', '--server', `http://127.0.0.1:${port}`, '--token'];
  assert.match((await call({ input: 'no token' }, ...box, '-')).err, /holds no token/);
  assert.equal((await call({ input: `${token}\n` }, ...box, '-')).code, 0);
  assert.match((await run('--context', 'box', 'get')).out, /mine/);
  const config = join(dir, '.config', 'hersh', 'config.yaml');
  assert.equal((await stat(config)).mode & 0o777, 0o600);
  assert.ok(!(await run('context', 'list')).out.includes(token));
  // Another host does not get it.
  await run('context', 'set', 'box', '--server', `http://localhost:${port}`);
  assert.match((await run('--context', 'box', 'get')).err, /a token is needed/);
  const away = await call(
    { env, fetch: () => assert.fail('it was asked') },
    '-s',
    'http://192.0.2.1:9000',
    'get',
  );
  assert.match(away.err, /a token is not sent to/);
});
