import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../schemas/errors.ts';
import { fakeView } from '../api/fake-view.ts';
import { cli } from './cli.ts';

const views = () => [fakeView('web'), fakeView('worker', { state: 'Stopped', desiredState: 'Stopped' })];

test('start, stop, restart and rollback say what the host says', async (t) => {
  const { host, run } = await cli(t, views());
  assert.equal((await run('start', 'work')).out, 'worker: program start initiated\n');
  assert.equal((await run('stop', 'web')).out, 'web: program stop initiated\n');
  assert.equal((await run('restart', 'web')).out, 'web: program restart initiated\n');
  assert.match((await run('rollback', 'web')).out, /^web: .*revision 1 comes back\n$/);
  assert.equal((await run('rollback', 'web', '--to', '2')).code, 0);
  assert.ok(host.calls.includes('rollBack web 2'));
  assert.equal((await run('rollback', 'web', '--to', 'two')).code, 2);
});

test('of several, the others go on where one is refused', async (t) => {
  const { host, run } = await cli(t, views());
  const { code, out, err } = await run('restart', 'worker', 'web');
  assert.equal(code, 5);
  assert.equal(out, 'web: program restart initiated\n');
  assert.match(err, /error: worker: program not running\nits state is Stopped; hershctl start worker /);
  host.calls.length = 0;
  assert.equal((await run('stop', 'web', 'nobody')).code, 4);
  assert.deepEqual(host.calls, [], 'a name that is wrong is told before anything is done');
  host.failures.set('rollBack', new AppError('Conflict', 'nothing would change'));
  assert.equal((await run('rollback', 'web')).code, 5);
});

test('delete asks for the name at a terminal', async (t) => {
  const { host, call } = await cli(t, views());
  const no = await call({ columns: 80, input: 'yes\n' }, 'delete', 'we');
  assert.deepEqual([no.code, no.out], [5, '']);
  assert.match(no.err, /This deletes web. Type its name to go on: web stays/);
  const both = await call({ columns: 80, input: 'web\nworker\n' }, 'delete', 'we', 'wo');
  assert.deepEqual([both.code, both.out], [0, 'web: program deleted\nworker: program deleted\n']);
  assert.deepEqual([...host.views.keys()], []);
});

test('delete without a terminal needs --yes, and whole names', async (t) => {
  const { host, run } = await cli(t, views());
  const asked = await run('delete', 'web');
  assert.equal(asked.code, 2);
  assert.match(asked.err, /--yes/);
  const short = await run('delete', '--yes', 'web', 'work');
  assert.equal(short.code, 4);
  assert.equal(host.views.size, 2);
  assert.equal((await run('delete', '--yes', 'web')).out, 'web: program deleted\n');
  assert.deepEqual([...host.views.keys()], ['worker']);
});

test('Ctrl-C at the question deletes nothing', async (t) => {
  const { host, start } = await cli(t, views());
  const asked = start({ columns: 80 }, 'delete', 'web');
  await asked.shows('Type its name');
  asked.interrupt();
  assert.equal((await asked.ended).code, 130);
  assert.equal(host.views.size, 2);
});
