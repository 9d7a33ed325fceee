import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../schemas/errors.ts';
import { PROGRAM_STATES } from '../../../schemas/program.ts';
import { caller } from '../call.ts';
import { fakeView, type ViewOptions } from '../fake-view.ts';

interface Row {
  verb: 'start' | 'stop' | 'restart';
  view: ViewOptions;
  status: number;
  state?: string;
  message: string | RegExp;
  /** Fields edited; a value of `new` is any time. */
  edit?: Record<string, string>;
}

const stopped = { desiredState: 'Stopped' } as const;
const rows: Row[] = [
  {
    verb: 'start',
    view: { ...stopped, state: 'Created' },
    status: 200,
    state: 'Created',
    message: 'program start initiated',
    edit: { desiredState: 'Running' },
  },
  {
    verb: 'start',
    view: { ...stopped, state: 'Stopped' },
    status: 200,
    state: 'Stopped',
    message: 'program start initiated',
    edit: { desiredState: 'Running' },
  },
  {
    verb: 'start',
    view: { ...stopped, state: 'Stopping' },
    status: 200,
    state: 'Stopping',
    message: 'program start initiated',
    edit: { desiredState: 'Running' },
  },
  {
    verb: 'start',
    view: { state: 'Error' },
    status: 200,
    state: 'Error',
    message: 'program start initiated',
    edit: { desiredState: 'Running', restartedAt: 'new' },
  },
  {
    verb: 'start',
    view: { ...stopped, state: 'Error' },
    status: 200,
    state: 'Error',
    message: 'program start initiated',
    edit: { desiredState: 'Running', restartedAt: 'new' },
  },
  {
    verb: 'start',
    view: { state: 'Stopped', finished: true },
    status: 200,
    state: 'Stopped',
    message: 'program start initiated',
    edit: { desiredState: 'Running', restartedAt: 'new' },
  },
  {
    verb: 'start',
    view: { state: 'Ready' },
    status: 409,
    message: 'program is already started; its state is Ready',
  },
  {
    verb: 'start',
    view: { state: 'Building' },
    status: 409,
    message: 'program is already started; its state is Building',
  },
  {
    verb: 'stop',
    view: { state: 'Ready' },
    status: 200,
    state: 'Stopping',
    message: 'program stop initiated',
    edit: { desiredState: 'Stopped' },
  },
  {
    verb: 'stop',
    view: { state: 'Building' },
    status: 200,
    state: 'Stopping',
    message: 'program stop initiated',
    edit: { desiredState: 'Stopped' },
  },
  {
    verb: 'stop',
    view: { state: 'Error' },
    status: 200,
    state: 'Stopping',
    message: 'program stop initiated',
    edit: { desiredState: 'Stopped' },
  },
  {
    verb: 'stop',
    view: { ...stopped, state: 'Stopping' },
    status: 200,
    state: 'Stopping',
    message: 'program stop initiated',
  },
  {
    verb: 'stop',
    view: { ...stopped, state: 'Created' },
    status: 200,
    state: 'Created',
    message: 'program is not running',
  },
  {
    verb: 'stop',
    view: { ...stopped, state: 'Stopped' },
    status: 200,
    state: 'Stopped',
    message: 'program is not running',
  },
  {
    verb: 'stop',
    view: { state: 'Stopped', finished: true },
    status: 200,
    state: 'Stopped',
    message: 'program is not running',
  },
  // A start that the controller has not picked up yet.
  {
    verb: 'stop',
    view: { state: 'Created' },
    status: 200,
    state: 'Stopping',
    message: 'program stop initiated',
    edit: { desiredState: 'Stopped' },
  },
  {
    verb: 'stop',
    view: { state: 'Stopped' },
    status: 200,
    state: 'Stopping',
    message: 'program stop initiated',
    edit: { desiredState: 'Stopped' },
  },
  {
    verb: 'restart',
    view: { state: 'Ready' },
    status: 200,
    state: 'Ready',
    message: 'program restart initiated',
    edit: { restartedAt: 'new' },
  },
  {
    verb: 'restart',
    view: { state: 'Running' },
    status: 200,
    state: 'Running',
    message: 'program restart initiated',
    edit: { restartedAt: 'new' },
  },
  { verb: 'restart', view: { ...stopped, state: 'Ready' }, status: 404, message: 'program not running' },
  ...PROGRAM_STATES.filter((state) => state !== 'Running' && state !== 'Ready').map(
    (state): Row => ({ verb: 'restart', view: { state }, status: 404, message: 'program not running' }),
  ),
];

test('start, stop and restart, by state and wish', async (t) => {
  for (const row of rows) {
    const { state, desiredState = 'Running', finished = false } = row.view;
    await t.test(`${row.verb}: ${state}, wanted ${desiredState}${finished ? ', finished' : ''}`, async () => {
      const { host, call } = caller([fakeView('p1', row.view)]);
      const answer = await call('POST', `/programs/p1/${row.verb}`);
      assert.equal(answer.status, row.status);
      assert.equal(answer.json.message, row.message);
      if (row.status === 200) {
        assert.deepEqual(answer.json, { program_id: 'p1', state: row.state, message: row.message });
      } else {
        assert.equal(typeof answer.json.hint, 'string');
      }
      const edits = host.calls.map((entry) => entry.replace(/"restartedAt":"[^"]+"/, '"restartedAt":"new"'));
      assert.deepEqual(edits, row.edit === undefined ? [] : [`edit p1 ${JSON.stringify(row.edit)}`]);
    });
  }
});

test('restartedAt is new even within the millisecond of the last one', async () => {
  const { host, call } = caller([fakeView('p1')]);
  const frozen = host.deps.now();
  host.deps.now = () => frozen;
  await call('POST', '/programs/p1/restart');
  const first = /restartedAt":"([^"]+)/.exec(host.calls[0] ?? '')?.[1] ?? '';
  host.manifests.set('p1', `spec:\n  restartedAt: "${first}"\n`);
  await call('POST', '/programs/p1/restart');
  const second = /restartedAt":"([^"]+)/.exec(host.calls[1] ?? '')?.[1] ?? '';
  assert.match(second, /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/);
  assert.notEqual(first, second);
});

test('a wish that the manifest can not hold is 409 with the problems', async () => {
  const { host, call } = caller([fakeView('p1', { desiredState: 'Stopped', state: 'Stopped' })]);
  const details = [
    { file: 'programs/p1.yaml', line: 3, column: 5, path: 'spec.env', message: 'spec.env must be an object' },
  ];
  host.failures.set('editSpec', new AppError('Conflict', 'the manifest does not validate', { details }));
  const answer = await call('POST', '/programs/p1/start');
  assert.equal(answer.status, 409);
  assert.deepEqual(answer.json.details, details);
});

test('these routes take no body, and one that is sent must be JSON', async () => {
  const { call } = caller([fakeView('p1')]);
  assert.equal((await call('POST', '/programs/p1/stop', { json: {} })).status, 200);
  assert.equal((await call('POST', '/programs/p1/stop', { body: 'a=b' })).status, 415);
  const headers = { 'Content-Type': 'application/json' };
  assert.equal((await call('POST', '/programs/p1/stop', { body: '{"a":', headers })).status, 400);
});

test('pull makes a new revision of another image alone', async () => {
  const { call, host } = caller([fakeView('p')]);
  const changed = await call('POST', '/programs/p/pull');
  assert.equal(changed.status, 200);
  assert.deepEqual([changed.json.changed, changed.json.image_id], [true, 'sha256:22']);
  assert.match(host.calls.join('\n'), /^pull p\nedit p \{"restartedAt":"[^"]+"\} as pull$/);
  host.pullChanges = false;
  const same = await call('POST', '/programs/p/pull');
  assert.deepEqual([same.json.changed, same.json.message, host.calls.length], [false, 'nothing changed', 3]);
  host.failures.set('pull', new AppError('ImageNotFound', 'x could not be pulled'));
  assert.equal((await call('POST', '/programs/p/pull')).status, 502);
  host.failures.set('pull', new AppError('Busy', 'ten calls wait'));
  assert.equal((await call('POST', '/programs/p/pull')).status, 503);
  assert.equal((await call('POST', '/programs/q/pull')).status, 404);
});
