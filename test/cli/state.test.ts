import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { AppError } from '../../schemas/errors.ts';
import { fakeView } from '../api/fake-view.ts';
import { until } from '../api/until.ts';
import { type CallOptions, cli } from './cli.ts';

test('state export writes a file whole, or none, or standard output', async (t) => {
  const { host, run, call, dir } = await cli(t, [fakeView('web')]);
  host.logChunks = [Buffer.from('the '), Buffer.from('tar')];
  const done = await run('state', 'export', 'we', 'out.tar');
  assert.deepEqual([done.code, done.err], [0, 'the /state of web is in out.tar\n']);
  assert.equal(await readFile(join(dir, 'out.tar'), 'utf8'), 'the tar');
  assert.equal((await run('state', 'export', 'web', '-')).out, 'the tar');
  assert.equal((await run('state', 'export', 'gone-1', '-')).out, 'the tar', 'the host knows its trash');
  assert.equal((await run('state', 'export', 'nobody', 'no.tar')).code, 4);
  assert.equal((await call({ columns: 80 }, 'state', 'export', 'web', '-')).code, 2);
  assert.equal((await run('state', 'export', 'web', 'no/folder.tar')).code, 1);
  host.failures.set('state', new AppError('Conflict', 'program web runs', { hint: 'stop it' }));
  const runs = await run('state', 'export', 'web', 'no.tar');
  assert.deepEqual([runs.code, runs.err], [5, 'error: program web runs\nstop it\n']);
  assert.deepEqual(
    (await readdir(dir)).filter((name) => name.includes('no')),
    [],
  );
});

test('two exports to one file at once are two whole files, of which the last stays', async (t) => {
  const { call, dir } = await cli(t, [fakeView('web')]);
  let begun = 0;
  const exported = async (text: string) => {
    const fetch = answering(async function* () {
      yield Buffer.from(text);
      begun++;
      await until(() => begun === 2);
      yield Buffer.from(text);
    });
    const { code, err } = await call({ fetch }, 'state', 'export', 'web', 'out.tar');
    assert.deepEqual([code, err], [0, 'the /state of web is in out.tar\n']);
  };
  await Promise.all([exported('one'), exported('other')]);
  assert.ok(['oneone', 'otherother'].includes(await readFile(join(dir, 'out.tar'), 'utf8')));
  assert.deepEqual(await readdir(dir), ['out.tar']);
});

test('an export that breaks off in the middle leaves nothing, and what was there', async (t) => {
  const { call, dir } = await cli(t, [fakeView('web')]);
  await writeFile(join(dir, 'old.tar'), 'before');
  async function* broken() {
    yield Buffer.alloc(100_000, 'x');
    throw new Error('gone');
  }
  for (const file of ['new.tar', 'old.tar']) {
    const { code, err } = await call({ fetch: answering(broken) }, 'state', 'export', 'web', file);
    assert.deepEqual([code, err.split(':')[1]], [1, ' the host broke off in the middle']);
  }
  assert.deepEqual(await readdir(dir), ['old.tar']);
  assert.equal(await readFile(join(dir, 'old.tar'), 'utf8'), 'before');
});

/** Asks the host; what it says of a /state comes with another body. */
function answering(content: () => AsyncGenerator<Uint8Array>): NonNullable<CallOptions['fetch']> {
  return async (url, init) => {
    const answer = await fetch(url, init);
    if (!String(url).endsWith('/state')) return answer;
    await answer.body?.cancel();
    return new Response(Readable.toWeb(Readable.from(content())) as ReadableStream, answer);
  };
}

test('state import sends a file as it is, and says where the state before is', async (t) => {
  const { host, run, call, dir } = await cli(t, [fakeView('web')]);
  await writeFile(join(dir, 'in.tar'), Buffer.alloc(300_000));
  const done = await run('state', 'import', 'web', 'in.tar');
  assert.deepEqual([done.code, done.out], [0, 'web: state replaced\n']);
  assert.match(done.err, /in the trash for seven days/);
  await call({ input: 'piped' }, 'state', 'import', 'web', '-');
  assert.deepEqual(host.calls, ['state web 300000', 'state web 5']);
  assert.equal((await run('state', 'import', 'we', 'in.tar')).code, 4, 'not by the beginning of a name');
  assert.equal((await run('state', 'import', 'web', 'none.tar')).code, 4);
  assert.match((await run('state', 'import', 'web', '.')).err, /is a folder\ntar -C \. -c \./);
  host.failures.set('state', new AppError('BadRequest', 'the tar can not be a /state: "/x" is absolute'));
  assert.equal((await run('state', 'import', 'web', 'in.tar')).code, 2);
});
