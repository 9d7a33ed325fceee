import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { fakeView } from '../api/fake-view.ts';
import { assertMatches } from '../api/openapi.ts';
import { cli } from './cli.ts';

const LONG = 'ann-build-0123456789ab-0a1b2c3d';
const views = () => [
  fakeView('web', { userId: 'ann', port: 19_006 }),
  fakeView('worker', { state: 'Error', status: { reason: 'BuildFailed', restartCount: 3 } }),
  fakeView(LONG, { state: 'Building', userId: 'ann' }),
];

test('get shows all programs, in columns that line up', async (t) => {
  const { run } = await cli(t, views());
  const { code, out, err } = await run('get');
  assert.deepEqual([code, err], [0, '']);
  assert.deepEqual(out.split('\n'), [
    'NAME                              STATE      REASON        RESTARTS   AGE   URL',
    'web                               Ready      -             0          60m   http://localhost:19006',
    'worker                            Error      BuildFailed   3          60m   http://localhost:19005',
    `${LONG}   Building   -             0          60m   http://localhost:19005`,
    '',
  ]);
});

test('a terminal of 40 columns gets what fits, with ids cut in the middle', async (t) => {
  const { call } = await cli(t, views());
  const { out } = await call({ columns: 40, env: { NO_COLOR: '1' } }, 'get');
  for (const line of out.split('\n')) assert.ok([...line].length <= 40, line);
  assert.match(out, /^NAME +STATE +REASON/);
  assert.match(out, /^ann-.*….*c3d +Building/m);
  assert.match(out, /worker +Error +BuildF/);
  const wide = await call({ columns: 40, env: { NO_COLOR: '1' } }, 'get', '-o', 'wide');
  for (const line of wide.out.split('\n')) assert.ok([...line].length <= 40, line);
  assert.match(wide.out, /^NAME +STATE +USER/);
});

test('colours are for terminals that want them', async (t) => {
  const { call, run } = await cli(t, views());
  assert.ok((await call({ columns: 120 }, 'get')).out.includes('\u001b[32mReady\u001b[39m'));
  assert.ok(!(await call({ columns: 120, env: { NO_COLOR: '1' } }, 'get')).out.includes('\u001b'));
  assert.ok(!(await call({ columns: 120 }, 'get', '--no-color')).out.includes('\u001b'));
  assert.ok(!(await run('get')).out.includes('\u001b'));
});

test('what a program or a person wrote moves no cursor', async (t) => {
  const { run } = await cli(t, [fakeView('a', { status: { reason: 'x\u001b[2Jy\nz\u0007' } })]);
  const { out } = await run('get');
  assert.match(out, /xy z/);
  assert.ok(!out.includes('\u001b') && !out.includes('\u0007'));
});

test('-o json is what the API answers, -o yaml the same, -o wide more columns', async (t) => {
  const { run } = await cli(t, views());
  const list = await run('get', '-o', 'json');
  assertMatches('#/components/schemas/ProgramList', list.out, 'get');
  const one = await run('get', 'web', '-o', 'json');
  assertMatches('#/components/schemas/Program', one.out, 'get web');
  assert.deepEqual(parse((await run('get', 'web', '-o', 'yaml')).out), JSON.parse(one.out));
  const two = JSON.parse((await run('get', 'web', 'worker', '-o', 'json')).out);
  assert.equal(two.count, 2);
  assert.match((await run('get', '-o', 'wide')).out, /USER +REVISION +BUILD +CONTAINER/);
  const bad = await run('get', '-o', 'xml');
  assert.deepEqual([bad.code, bad.out], [2, '']);
  assert.match(bad.err, /One of table, wide, json, yaml/);
});

test('filters', async (t) => {
  const { run } = await cli(t, views());
  const names = async (...argv: string[]) =>
    (await run('get', ...argv)).out
      .split('\n')
      .slice(1, -1)
      .map((line) => line.split(' ')[0]);
  assert.deepEqual(await names('--user', 'ann'), ['web', LONG]);
  assert.deepEqual(await names('--state', 'error'), ['worker']);
  assert.deepEqual(await names('web', 'worker', '--state', 'Ready'), ['web']);
  assert.match((await run('get', '--state', 'Redy')).err, /Did you mean Ready/);
  assert.deepEqual(await run('get', '--user', 'nobody'), {
    code: 0,
    out: '',
    err: 'there are no programs\n',
  });
});

test('what only one name begins with is that name; several are told', async (t) => {
  const { run } = await cli(t, views());
  assert.match((await run('get', 'ann')).out, /ann-build/);
  const several = await run('get', 'w');
  assert.equal(several.code, 2);
  assert.equal(several.err, 'error: 2 programs begin with w:\n  web\n  worker\nWrite more of the name.\n');
  const none = await run('get', 'wroker');
  assert.equal(none.code, 4);
  assert.match(none.err, /there is no program "wroker"\nDid you mean worker\?/);
});

test('-w goes on with a row for each change, until Ctrl-C', async (t) => {
  const { host, start } = await cli(t, views());
  const watch = start({}, 'get', '-w', 'web');
  await watch.shows('Ready');
  host.put(fakeView('worker', { state: 'Stopped' }));
  host.put(fakeView('web', { state: 'Stopping', userId: 'ann' }));
  await watch.shows('Stopping');
  await host.deps.programs.remove('web');
  await watch.shows('Deleted');
  watch.interrupt();
  const { code, out } = await watch.ended;
  assert.equal(code, 130);
  const states = out.split('\n').map((line) => line.split(/ +/)[1]);
  assert.deepEqual(states, ['STATE', 'Ready', 'Stopping', 'Deleted', undefined]);
});

test('-w -o json is a line for each; an output that nobody reads ends it quietly', async (t) => {
  const { start } = await cli(t, views());
  const watch = start({}, 'get', '-w', '-o', 'json');
  await watch.shows(LONG);
  watch.closeOutput();
  const { code, out, err } = await watch.ended;
  assert.deepEqual([code, err], [0, '']);
  for (const line of out.trim().split('\n')) assertMatches('#/components/schemas/Program', line, 'get -w');
});
