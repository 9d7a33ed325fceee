import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { AppError } from '../../schemas/errors.ts';
import { fakeView } from '../api/fake-view.ts';
import { cli } from './cli.ts';

const manifest = (name: string, more = '') =>
  `apiVersion: hersh.dev/v1\nkind: Program\nmetadata:\n  name: ${name}\nspec:\n  userId: me\n  image: busybox\n${more}`;

async function write(dir: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), text);
  }
}

test('validate says file, line and column, offline', async (t) => {
  const { dir, call, run } = await cli(t);
  await write(dir, {
    'a.yaml': manifest('web'),
    'b.yaml': manifest('web', '  publishPort: many\n  envv: {}\n'),
    'programs/c.yaml': manifest('other'),
    'd.yaml': 'a: [',
    'runc.yaml': manifest('web', '  runtime: runc\n'),
  });
  const away = { env: { HERSH_SERVER: 'http://127.0.0.1:59999' } };
  assert.deepEqual(await call(away, 'validate', 'a.yaml'), { code: 0, out: '', err: 'it is valid\n' });
  assert.deepEqual(await run('validate', '-q', 'a.yaml'), { code: 0, out: '', err: '' });
  const bad = await run('validate', 'b.yaml', 'a.yaml', 'd.yaml');
  assert.equal(bad.code, 1);
  assert.match(
    bad.out,
    /^b.yaml:8:16: spec.publishPort must be an integer\nb.yaml:9:3: .*did you mean env\?\nd.yaml:1:/,
  );
  const named = await run('validate', 'programs');
  assert.match(named.out, /^programs\/c.yaml:4:9: .*the file is called c.yaml/);
  const input = await call({ input: manifest('x', '  nope: 1\n') }, 'validate', '-');
  assert.match(input.out, /^-:8:3: /);
  assert.equal((await run('validate', 'runc.yaml')).code, 0);
  assert.match((await run('validate', '--runtime', 'runsc', 'runc.yaml')).out, /runsc/);
  assert.equal((await run('validate', 'nowhere.yaml')).code, 4);
  assert.equal((await run('validate')).code, 2);
});

test('apply creates, replaces and leaves alone; nothing is done where one is not valid', async (t) => {
  const { host, dir, call, run } = await cli(t, [fakeView('web')]);
  host.manifests.set('web', manifest('web'));
  await write(dir, {
    'all/web.yaml': manifest('web', '  env: {A: b}\n'),
    'all/new.yml': manifest('new'),
    'all/.hidden.yaml': 'x',
    'bad/one.yaml': manifest('one'),
    'bad/two.yaml': manifest('two', '  nope: 1\n'),
  });
  const bad = await run('apply', '-f', 'bad');
  assert.equal(bad.code, 1);
  assert.match(bad.err, /two.yaml:8:3: .*\nNothing was done/);
  assert.ok(!host.manifests.has('one'));
  assert.deepEqual(await run('apply', '-f', 'all'), {
    code: 0,
    out: 'new: created\nweb: configured\n',
    err: '',
  });
  assert.match(host.manifests.get('web') ?? '', /A: b/);
  assert.equal((await run('apply', '-f', 'all/web.yaml')).out, 'web: unchanged\n');
  assert.equal((await call({ input: manifest('in') }, 'apply', '-f', '-')).out, 'in: created\n');
  assert.match((await run('apply', '-f', 'all', '-f', 'all/web.yaml')).err, /a second manifest of web/);
  assert.equal((await run('apply')).code, 2);
  host.failures.set('putManifest', new AppError('Conflict', 'a remote is followed'));
  const refused = await call({ input: manifest('x') }, 'apply', '-f', '-');
  assert.deepEqual([refused.code, refused.err], [5, 'error: x: a remote is followed\n']);
});

test('apply --dry-run and diff say what would be changed and done', async (t) => {
  const { host, dir, run } = await cli(t, [fakeView('web')]);
  host.manifests.set('web', manifest('web'));
  await write(dir, {
    'web.yaml': manifest('web', '  env: {KEY: b}\n'),
    'same.yaml': manifest('web'),
    'bad.yaml': 'x',
  });
  const words = 'web:\n  - spec.env.KEY: a\n  + spec.env.KEY: b\n  would replace the container\n';
  assert.deepEqual(await run('apply', '--dry-run', '-f', 'web.yaml'), { code: 0, out: words, err: '' });
  assert.deepEqual(await run('diff', '-f', 'web.yaml'), { code: 1, out: words, err: '' });
  assert.deepEqual(await run('diff', '-f', 'same.yaml'), { code: 0, out: '', err: '' });
  assert.equal((await run('diff', '-f', 'bad.yaml')).code, 2);
  assert.equal((await run('diff', '-f', 'web.yaml', '--server', 'http://127.0.0.1:59999')).code, 3);
  assert.equal(host.manifests.get('web'), manifest('web'));
});
