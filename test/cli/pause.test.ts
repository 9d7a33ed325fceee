import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeView } from '../api/fake-view.ts';
import { cli } from './cli.ts';

const ENV = { USER: 'ann' };

test('pause and resume say what is so, and by whom', async (t) => {
  const { host, call, run } = await cli(t, [fakeView('web'), fakeView('worker')]);
  const paused = await call({ env: ENV }, 'pause', 'web', 'wor', '--why', 'its heap');
  assert.deepEqual([paused.code, paused.out], [0, 'web: program paused\nworker: program paused\n']);
  assert.deepEqual(
    { ...host.deps.pauses.of('web'), since: '' },
    { by: 'ann', why: 'its heap', since: '', of: 'program' },
  );
  assert.equal((await run('pause', 'web')).out, 'web: program is paused already\n');
  const stop = await run('stop', 'web');
  assert.equal(stop.out, 'web: program stop initiated\n');
  assert.match(
    stop.err,
    /^paused by ann since .*: its heap; this is taken down, and done after POST \/programs\/web\/resume/,
  );
  const gone = await run('delete', '--yes', 'web');
  assert.match(gone.err, /done after/);

  const all = await call({ env: ENV }, 'pause');
  assert.deepEqual([all.code, all.out], [0, 'host paused\n']);
  assert.match((await run('resume', 'worker')).out, /program resumed; the host is paused, and it with it/);
  const end = await run('resume');
  assert.deepEqual([end.code, end.out], [0, 'host resumed\n']);
  assert.match(end.err, /Still paused, each by its own name: web/);
  assert.equal((await run('resume')).out, 'host is not paused\n');
  assert.equal((await run('pause', 'nobody')).code, 4);
  assert.equal((await run('pause', 'worker', '--why', 'two\nlines')).code, 2);
});

test('one that was deleted while it was paused is resumed by its whole name', async (t) => {
  const { host, run } = await cli(t, [fakeView('web')]);
  await run('pause', 'web');
  await run('delete', '--yes', 'web');
  host.view = {
    ...host.view,
    warnings: [
      { code: 'Paused', message: 'it is', names: ['web'], confirm: '', since: '2026-11-22T10:00:00.000Z' },
    ],
  };
  assert.equal((await run('resume', 'we')).code, 4);
  assert.equal((await run('resume', 'web')).out, 'web: program resumed\n');
});

test('get and describe show it as long as it lasts', async (t) => {
  const paused = { since: '2026-11-22T10:00:00.000Z', by: 'ann', why: 'its heap', of: 'program' } as const;
  const { run } = await cli(t, [fakeView('web', { details: { paused } })]);
  assert.match((await run('get')).out, /web +Ready +Paused/);
  assert.match(
    (await run('describe', 'web')).out,
    /Paused: +since 2026.* by ann: its heap\n.*"hershctl resume web" ends it/,
  );
});
