import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { createHost, type Host, type Program } from './host.ts';
import { until } from './until.ts';

/** Programs that crash, finish, never listen, hang or do not obey; and what is said of each. */

let host: Host;

before(async () => {
  host = await createHost('29590-29619');
  await host.start();
});

after(() => host?.close());

const progressing = ({ conditions }: Program) => conditions.find(({ type }) => type === 'Progressing');
const crash = async (program: Program, code = 3) => {
  // The program is gone before its answer, more often than not.
  await host.direct(program, `/crash?code=${code}`, { method: 'POST' }).catch(() => undefined);
};

describe('a program', { concurrency: 4 }, () => {
  it('that crashes is restarted in the same container, and counted', async () => {
    await host.writeManifest('crashes');
    const before = await host.untilState('crashes', 'Ready');
    await crash(before);
    const after = await host.untilProgram(
      'crashes',
      'runs again',
      (p) => p.restart_count === 1 && p.state === 'Ready',
    );
    assert.deepEqual([after.container_id, after.reason], [before.container_id, '']);
    const restarted = (await host.events('crashes')).filter(({ reason }) => reason === 'Restarted');
    assert.equal(restarted.length, 1);
    await host.docker.getContainer(after.container_id).kill();
    await host.untilProgram('crashes', 'runs again', (p) => p.restart_count === 2 && p.state === 'Ready');
    const { updated_at } = await host.get('crashes');
    await until('probes went on', async () => (await host.direct(after, '/watcher/status')).status === 200);
    assert.equal((await host.get('crashes')).updated_at, updated_at, 'probes that succeed do not move it');
  });

  it('that exits at once never shows Ready; CrashLoopBackOff says how, how often and when next', async () => {
    await host.writeManifest('exits', { env: { EXIT: '5' } });
    const looping = await host.untilProgram('exits', 'is in back-off', (p) => p.state === 'Error');
    assert.equal(looping.reason, 'CrashLoopBackOff');
    const shape =
      /^exited \d+ times in a row \(exit code 5\); started again at \d{4}-\d{2}-\d{2}T[\d:.]+Z\n[\s\S]*exiting as told by EXIT/;
    assert.match(looping.error_msg, shape);
    assert.deepEqual(
      [progressing(looping)?.status, progressing(looping)?.reason],
      ['False', 'CrashLoopBackOff'],
    );
    const states = (await host.events('exits')).map(({ state }) => state);
    assert.ok(!states.includes('Ready'), `${states}`);
    assert.match((await host.call('GET', '/programs/exits/logs')).json.logs, /exiting as told by EXIT/);
    const restart = await host.call('POST', '/programs/exits/restart');
    assert.equal(restart.json.message, 'program not running');
    // A stop cancels the pending restart at once; what was mended starts afresh.
    assert.equal((await host.call('POST', '/programs/exits/stop')).json.state, 'Stopping');
    await host.untilState('exits', 'Stopped');
    await host.writeManifest('exits', {});
    const mended = await host.untilState('exits', 'Ready');
    assert.deepEqual([mended.reason, mended.error_msg], ['', '']);
  });

  it('in back-off is started at once by start', async () => {
    await host.writeManifest('pushed', { env: { EXIT: '6' } });
    // The wait after the fourth exit is 4 s.
    const looping = await host.untilProgram(
      'pushed',
      'waits long',
      (p) => p.state === 'Error' && p.restart_count >= 3,
    );
    const starts = async () =>
      (await host.events('pushed')).filter(({ state }) => state === 'Starting').length;
    const before = await starts();
    const { status, json } = await host.call('POST', '/programs/pushed/start');
    assert.deepEqual([status, json.state], [200, 'Error']);
    await until('it was started', async () => (await starts()) > before);
    assert.ok(
      (await host.get('pushed')).restart_count >= looping.restart_count,
      'the count is of its whole life',
    );
  });

  it('that finishes under Never or OnFailure stays Stopped until start runs it again', async () => {
    await host.writeManifest('never', { restartPolicy: 'Never', env: { EXIT: '4' } });
    await host.writeManifest('on-failure', { restartPolicy: 'OnFailure', env: { EXIT: '0' } });
    await host.writeManifest('failing', { restartPolicy: 'OnFailure', env: { EXIT: '2' } });
    for (const [name, code] of [
      ['never', 4],
      ['on-failure', 0],
    ] as const) {
      const done = await host.untilState(name, 'Stopped');
      assert.deepEqual([done.reason, done.restart_count], ['Completed', 0]);
      assert.match(progressing(done)?.message ?? '', new RegExp(`exit code ${code}`));
      const runs = async () =>
        (await host.events(name)).filter(({ reason }) => reason === 'Completed').length;
      const before = await runs();
      const { status, json } = await host.call('POST', `/programs/${name}/start`);
      assert.deepEqual([status, json.state], [200, 'Stopped']);
      await until(`${name} ran again`, async () => (await runs()) > before);
      assert.equal((await host.untilState(name, 'Stopped')).restart_count, 0);
    }
    await host.untilProgram('failing', 'is restarted', (p) => p.restart_count > 0);
  });

  it('that never listens stays Running, and says so when its time to become ready is over', async () => {
    await host.writeManifest('deaf', { env: { LISTEN: '0' }, progressDeadlineSeconds: 1 });
    const early = await host.untilState('deaf', 'Running');
    assert.ok(['', 'ProgressDeadlineExceeded'].includes(early.reason));
    const late = await host.untilProgram('deaf', 'is late', (p) => p.reason === 'ProgressDeadlineExceeded');
    assert.deepEqual([late.state, late.restart_count], ['Running', 0]);
    assert.match(
      late.error_msg,
      /^not ready within 1 s: GET \/watcher\/status: the connection was closed without an answer/,
    );
    assert.equal(progressing(late)?.reason, 'ProgressDeadlineExceeded');
    const proxied = await host.call('GET', '/programs/deaf/proxy/watcher/status');
    assert.equal(proxied.status, 502);
    // A restart is for programs that run, and this one does.
    assert.equal((await host.call('POST', '/programs/deaf/restart')).status, 200);
  });

  it('that answers anything but 2xx is not ready, whatever else it does', async () => {
    await host.writeManifest('unready', { env: { STATUS: '503' }, progressDeadlineSeconds: 1 });
    const late = await host.untilProgram(
      'unready',
      'is late',
      (p) => p.reason === 'ProgressDeadlineExceeded',
    );
    assert.equal(late.state, 'Running');
    assert.match(late.error_msg, /GET \/watcher\/status answered 503/);
    const { status } = await host.call('GET', '/programs/unready/proxy/');
    assert.equal(status, 200, 'it is proxied to all the same');
  });

  it('is ready by another path, by a connection, or by running, as its manifest says', async () => {
    const kinds = { path: { path: '/env' }, tcp: { tcp: true }, none: { none: true } };
    const env = { STATUS: '500' };
    for (const [kind, readiness] of Object.entries(kinds))
      await host.writeManifest(`by-${kind}`, { env, readiness });
    await host.writeManifest('by-tcp-deaf', {
      env: { LISTEN: '0' },
      readiness: { tcp: true },
      progressDeadlineSeconds: 1,
    });
    await host.writeManifest('by-none-deaf', { env: { LISTEN: '0' }, readiness: { none: true } });
    for (const name of ['by-path', 'by-tcp', 'by-none', 'by-none-deaf']) await host.untilState(name, 'Ready');
    await host.untilProgram('by-tcp-deaf', 'is late', (p) => p.reason === 'ProgressDeadlineExceeded');
  });

  it('that ignores SIGTERM is killed after its grace, and that is no crash', async () => {
    await host.writeManifest('stubborn', { env: { IGNORE_TERM: '1' }, stopGracePeriodSeconds: 1 });
    const before = await host.untilState('stubborn', 'Ready');
    assert.equal((await host.call('POST', '/programs/stubborn/stop')).json.state, 'Stopping');
    const stopped = await host.untilState('stubborn', 'Stopped');
    assert.deepEqual([stopped.reason, stopped.restart_count], ['', 0]);
    const { State } = await host.docker.getContainer(before.container_id).inspect();
    assert.deepEqual([State.Running, State.ExitCode], [false, 137]);
    await host.call('DELETE', '/programs/stubborn');
    await host.untilGone('stubborn');
  });

  it('whose liveness probe fails is restarted and counted', async () => {
    const liveness = { path: '/never-there', periodSeconds: 0.2, failureThreshold: 3 };
    await host.writeManifest('lifeless', { liveness });
    const program = await host.untilProgram('lifeless', 'is restarted', (p) => p.restart_count > 0);
    assert.equal(program.state === 'Error' ? program.reason : 'CrashLoopBackOff', 'CrashLoopBackOff');
    assert.ok((await host.events('lifeless')).some(({ reason }) => reason === 'Unhealthy'));
    await host.writeManifest('lifeless', { liveness: { ...liveness, path: '/watcher/status' } });
    // Longer than three periods: the old probe would have ended it half way.
    await until('it lives through a whole answer', async () => {
      const alive = await host.direct(program, '/stream?n=8&ms=200').catch(() => undefined);
      return alive?.text.endsWith('piece 7\n') === true;
    });
  });

  it('whose container somebody removes or stops by hand is brought back', async () => {
    await host.writeManifest('robbed');
    const before = await host.untilState('robbed', 'Ready');
    await host.docker.getContainer(before.container_id).remove({ force: true });
    const after = await host.untilProgram(
      'robbed',
      'is back',
      (p) => p.state === 'Ready' && p.container_id !== before.container_id,
    );
    assert.equal(after.proxy_url, before.proxy_url);
    await host.docker.getContainer(after.container_id).stop({ t: 1 });
    await until('it runs again', async () => {
      const { State } = await host.docker.getContainer(after.container_id).inspect();
      return State.Running;
    });
    await host.docker.getContainer(after.container_id).pause();
    await until('it is unpaused', async () => {
      const { State } = await host.docker.getContainer(after.container_id).inspect();
      return State.Running && !State.Paused;
    });
  });

  it('that is out of memory says so', async () => {
    // A program that takes a lot of stacks: one thread a connection. The smallest limit there is, 6Mi, is too little for
    // runc 1.1.15 itself (26.1.5), which needs 14 MB to start anything.
    await host.writeManifest('hungry', { resources: { memory: '16Mi', pids: 3000 } });
    const program = await host.untilState('hungry', 'Ready');
    const hang = () => host.direct(program, '/hang').catch(() => undefined);
    const all = Array.from({ length: 1500 }, hang);
    await host.untilProgram('hungry', 'was restarted', (p) => p.restart_count > 0);
    // The engine may tell it after the end, and its inspect never does then.
    await until('its last exit is out of memory', async () =>
      /oomKilled: true/.test(await readFile(host.path('status/hungry.yaml'), 'utf8')),
    );
    await host.call('DELETE', '/programs/hungry');
    await host.untilGone('hungry');
    await Promise.all(all);
  });
});
