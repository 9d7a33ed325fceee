import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownVersion } from '../../api/cli/commands/version.ts';
import type { ProgramEvent } from '../../schemas/program.ts';
import { CREATED_AT, fakeView } from '../api/fake-view.ts';
import { assertMatches } from '../api/openapi.ts';
import { cli } from './cli.ts';

const event = (reason: string, more: Partial<ProgramEvent> = {}): ProgramEvent => ({
  ...{ time: CREATED_AT, type: 'Normal', reason, message: `${reason} it is`, state: 'Ready', revision: 1 },
  ...more,
});

test('describe says state, reason in words, figures, conditions, revisions and the last events', async (t) => {
  const view = fakeView('web', {
    state: 'Error',
    status: {
      ...{ reason: 'CrashLoopBackOff', errorMsg: 'exited 5 times\nlast line', restartCount: 5 },
      lastExit: {
        ...{ exitCode: 3, oomKilled: false, signal: '', finishedAt: CREATED_AT, run: '' },
        logTail: 'boom\u001b[31m\nagain',
      },
    },
    details: { restartsInHour: 2, wantedRevision: 2 },
  });
  const { host, run } = await cli(t, [view]);
  for (let n = 0; n < 12; n++) host.emit('web', event(`E${n}`));
  const limit = { cpuLimit: 0.5, memoryLimitBytes: 2 ** 28 };
  host.figures.set('web', { ...limit, sampledAtMs: 1, cpu: 0.125, memoryBytes: 2 ** 27, reason: '' });
  const own = (await run('describe', 'we')).out;
  assert.doesNotMatch(own, /sandbox/i);
  const createdAtMs = Date.parse(CREATED_AT);
  host.sandboxes.set('web', { id: 'c0ffee'.repeat(10), createdAtMs, address: '172.18.0.2' });
  const { code, out } = await run('describe', 'we');
  assert.equal(code, 0);
  for (const line of [
    /^Name: {7}web$/m,
    /^State: {6}Error$/m,
    /^Reason: {5}CrashLoopBackOff\n {12}The program keeps exiting;.*\n {12}exited 5 times\n {12}last line$/m,
    /^Revision: {3}1→2$/m,
    /^Sandbox: {4}c0ffeec0ffee since \S+ \(60m ago\), at 172\.18\.0\.2$/m,
    /^Restarts: {3}5, 2 of them in the last hour$/m,
    /^Limits: {5}256Mi of memory, 0.5 CPUs, 256 processes$/m,
    /^Usage: {6}13% of a CPU, 128Mi \(50% of its limit\)$/m,
    /^Last exit: {2}exit code 3, 60m ago$/m,
    /^Its last lines:\n {2}boom\n {2}again$/m,
    /^Conditions:\n {2}TYPE +STATUS/m,
    /^ {2}2 \* +60m +Ready +my-user/m,
    /^ {2}60m +Normal +E11 +- +E11 it is$/m,
  ])
    assert.match(out, line);
  assert.ok(!out.includes('E1 '), 'the last ten events');
  assert.equal((await run('describe', 'nobody')).code, 4);
});

test('events, of all and of one, and on with -f', async (t) => {
  const { host, run, start } = await cli(t, [fakeView('web'), fakeView('worker')]);
  assert.deepEqual(await run('events'), { code: 0, out: '', err: 'nothing happened yet\n' });
  host.emit('web', event('BuildFailed', { type: 'Warning', author: 'ann' }));
  host.emit('worker', event('Ready'));
  const all = await run('events');
  assert.match(all.out, /^AGE +PROGRAM +TYPE +REASON +BY +MESSAGE\n60m +web +Warning +BuildFailed +ann/);
  assertMatches('#/components/schemas/NamedEvents', (await run('events', '-o', 'json')).out, 'events');
  assertMatches('#/components/schemas/Events', (await run('events', 'web', '-o', 'json')).out, 'events web');
  assert.match((await run('events', '--tail', '1')).out, /^AGE.*\n60m +worker.*\n$/);

  const follow = start({}, 'events', '-f', '--tail', '1');
  await follow.shows('Ready it is');
  host.emit('web', event('Stopped'));
  await follow.shows('Stopped it is');
  follow.interrupt();
  const { code, out } = await follow.ended;
  assert.equal(code, 130);
  assert.equal(out.trim().split('\n').length, 3, out);
});

test('history, and what a revision was made of', async (t) => {
  const { run } = await cli(t, [fakeView('web')]);
  assert.match((await run('history', 'web')).out, /^REVISION .*\n1 +60m +Ready .*\n2 \* /);
  assertMatches('#/components/schemas/Revisions', (await run('history', 'web', '-o', 'json')).out, 'history');
  assert.equal((await run('history', 'web', '--spec', '1')).out, 'userId: my-user\nimage: busybox\n');
  const none = await run('history', 'web', '--spec', '7');
  assert.deepEqual([none.code, none.err], [4, 'error: web has no revision 7; kept are 1, 2\n']);
});

test('top shows the busiest first, and says what is not known', async (t) => {
  const { host, run, start } = await cli(t, [fakeView('idle'), fakeView('busy'), fakeView('off')]);
  const limit = { cpuLimit: 1, memoryLimitBytes: 2 ** 30, sampledAtMs: 1, reason: '' };
  host.figures.set('idle', { ...limit, cpu: 0.001, memoryBytes: 2 ** 20 });
  host.figures.set('busy', { ...limit, cpu: 1.5, memoryBytes: 2 ** 30 });
  assert.deepEqual((await run('top')).out.split('\n'), [
    'NAME   CPU    OF     MEMORY   OF    MEMORY%',
    'busy   150%   100%   1Gi      1Gi   100%',
    'idle   0.1%   100%   1Mi      1Gi   0.1%',
    'off    -      -      -        -     -',
    '',
  ]);
  assert.equal((await run('top', 'bus')).out.split('\n').length, 3);
  assertMatches('#/components/schemas/UsageList', (await run('top', '-o', 'json')).out, 'top');
  const watch = start({}, 'top', '-w');
  await watch.shows('busy');
  watch.interrupt();
  assert.equal((await watch.ended).code, 130);
});

test('top -w waits for a host that restarts, and says so', async (t) => {
  const { host, start } = await cli(t, [fakeView('web')]);
  host.figures.set('web', {
    cpu: 0.5,
    memoryBytes: 1,
    cpuLimit: 1,
    memoryLimitBytes: 2,
    sampledAtMs: 1,
    reason: '',
  });
  let looks = 0;
  const away: typeof fetch = async (input, init) => {
    if (String(input).endsWith('/usage')) looks += 1;
    if (looks === 2 || looks === 3) throw new TypeError('fetch failed');
    return fetch(input, init);
  };
  const watch = start({ fetch: away }, 'top', '-w');
  await watch.shows('web');
  watch.passTime();
  await watch.shows('the host is back');
  watch.interrupt();
  const { code, out, err } = await watch.ended;
  assert.deepEqual([code, out.match(/^web /gm)?.length], [130, 2]);
  assert.equal(err, 'the host is away; waiting for it (Ctrl-C ends this command only)\nthe host is back\n');
  const never = start({ fetch: () => Promise.reject(new TypeError('fetch failed')) }, 'top', '-w');
  assert.equal((await never.ended).code, 3);
});

test('version tells both', async (t) => {
  const { run } = await cli(t);
  assert.match(
    (await run('version')).out,
    /^hershctl \d+\.\d+\.\d+\nhost {5}0\.1\.0 \(machine, instance default\)\n$/,
  );
  assert.equal((await run('--version', '--server', 'http://127.0.0.1:59999')).out, `${ownVersion()}\n`);
  const away = await run('version', '--server', 'http://127.0.0.1:59999');
  assert.equal(away.code, 3);
  assert.match(away.out, /^hershctl /);
});
