import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { BAD, count, DEADLINE, GOOD, isBack, isInstead, rolledBack, triedAgain } from './rollback-stage.ts';
import { createStage, type Stage } from './stage.ts';

const HOUR_MS = 3_600_000;
const PINNED = 19_555;
const manifestOf = (stage: Stage) => readFile(join(stage.root, 'programs/app.yaml'), 'utf8');

describe('a revision that is not ready in time', () => {
  it('gives way to the last good one, with the reason in words and the manifest as it was', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', GOOD);
    await stage.reach('app', 'Ready');
    const good = stage.running('app').facts.labels;
    await stage.replace('app', BAD);
    const asked = await manifestOf(stage);
    await host.until('the new one runs', triedAgain(stage));
    const startedMs = stage.clock.monotonic();
    await host.until('it is rolled back', () => stage.status('app').reason === 'RolledBack');
    assert.equal(stage.clock.monotonic() - startedMs, 5_000);
    await isBack(stage);
    assert.deepEqual(stage.running('app').facts.labels, good);
    assert.equal(stage.running('app').facts.name, 'hersh-program-app');
    const { errorMsg, conditions } = stage.status('app');
    assert.equal(errorMsg, 'revision 2 was rolled back to 1: not ready within 5 s: nothing listens');
    const progressing = conditions.find(({ type }) => type === 'Progressing');
    assert.deepEqual(
      { status: progressing?.status, reason: progressing?.reason, message: progressing?.message },
      { status: 'False', reason: 'RolledBack', message: errorMsg },
    );
    const told = (await host.registry.events.list('app')).find(({ reason }) => reason === 'RolledBack');
    assert.deepEqual({ type: told?.type, message: told?.message }, { type: 'Warning', message: errorMsg });
    assert.equal(await manifestOf(stage), asked);
  });

  it('gives way at once where there is no command to run, which the init of its container says', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', GOOD);
    await stage.reach('app', 'Ready');
    await stage.replace('app', { ...GOOD, env: { NO_COMMAND: '1' } });
    const isIn = () => stage.status('app').reason === 'RolledBack';
    await host.until('it is rolled back', isIn, 2_000);
    await isBack(stage);
    const { errorMsg } = stage.status('app');
    const words = 'exec /nowhere failed: No such file or directory';
    assert.equal(errorMsg, `revision 2 was rolled back to 1: ${words}`);
  });

  it('keeps its outcome and its last output', async (test) => {
    const stage = await createStage(test);
    const host = await rolledBack(stage);
    const [first, second, ...others] = await host.programs.revisions('app');
    assert.equal(others.length, 0);
    assert.deepEqual(
      { number: first?.revision, outcome: first?.outcome, current: first?.current },
      { number: 1, outcome: 'Ready', current: true },
    );
    assert.deepEqual(
      { number: second?.revision, outcome: second?.outcome, current: second?.current, log: second?.log },
      { number: 2, outcome: 'Failed', current: false, log: 'not listening' },
    );
    assert.equal(second?.message, 'not ready within 5 s: nothing listens');
  });

  it('is never said to be ready, be it that the good one needs no probe', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { ...GOOD, readiness: { none: true } });
    await stage.reach('app', 'Ready');
    await stage.replace('app', { ...BAD, env: { STATUS: '500' } });
    const states = new Set<string>();
    host.registry.status.subscribe(() => {
      const { state, currentRevision } = stage.status('app');
      states.add(`${currentRevision} ${state}`);
    });
    await isBack(stage);
    assert.ok(!states.has('2 Ready'), [...states].join());
    assert.equal((await host.registry.revisions.get('app', 2))?.outcome, 'Failed');
  });

  it('that ends again and again gives way too', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', GOOD);
    await stage.reach('app', 'Ready');
    await stage.replace('app', { ...DEADLINE, env: { EXIT: '3' } });
    await isBack(stage);
    const done = count(stage);
    await host.advance(HOUR_MS / 60);
    assert.equal(done(), 0);
  });

  it('leaves its number to none: what served is wanted again, restarted, and gone back from', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { ...GOOD, env: { N: '1' } });
    await stage.reach('app', 'Ready');
    await stage.replace('app', { ...GOOD, env: { N: '2' } });
    await host.until('the second serves', () => stage.status('app').currentRevision === 2);
    await stage.reach('app', 'Ready');
    await stage.replace('app', BAD);
    await host.until('it is rolled back', () => stage.status('app').reason === 'RolledBack');
    await stage.reach('app', 'Ready');
    await stage.replace('app', { ...GOOD, env: { N: '2' } });
    await host.until('it is wanted again', () => stage.status('app').reason === '');
    const { containerId } = stage.status('app');
    await stage.edit('app', { restartedAt: '2026-01-01T00:00:00Z' });
    await host.until('it is restarted', () => stage.status('app').containerId !== containerId);
    await stage.reach('app', 'Ready');
    assert.equal(stage.status('app').currentRevision, 2);
    await host.programs.rollBack('app', undefined);
    await host.until('the first is back', () => stage.running('app').env.N === '1');
    await stage.reach('app', 'Ready');
    await host.programs.rollBack('app', 2);
    await host.until('the second is back', () => stage.running('app').env.N === '2');
    await stage.reach('app', 'Ready');
    await host.programs.rollBack('app', undefined);
    await host.until('and the first again, not the same once more', () => stage.running('app').env.N === '1');
  });

  it('is Failed in the history, with its last words, when another comes before its time is over', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', GOOD);
    await stage.reach('app', 'Ready');
    await stage.replace('app', { progressDeadlineSeconds: 60, env: { EXIT: '3' } });
    await host.until('it crashes', () => (stage.status('app').memory.starts.crashes?.count ?? 0) > 1);
    await stage.replace('app', { ...GOOD, env: { N: '3' } });
    await host.until('the third serves', () => stage.status('app').currentRevision === 3);
    await stage.reach('app', 'Ready');
    const kept = (await host.registry.revisions.list('app')).map(({ outcome, message }) => [
      outcome,
      message,
    ]);
    assert.deepEqual(kept, [
      ['Ready', ''],
      ['Failed', 'revision 3 came before it was ready'],
      ['Ready', ''],
    ]);
    assert.match((await host.registry.revisions.get('app', 2))?.log ?? '', /exiting as told by EXIT/);
  });

  it('keeps its number, though the record of it was never written', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await stage.replace('app', { env: { LISTEN_AFTER_MS: '30000', N: '2' } });
    await host.until('the second runs', () => stage.running('app').env.N === '2');
    await stage.remove('data/revisions/app/2.yaml');
    await stage.replace('app', { restartedAt: 'now' });
    await host.until('the first is back', () => stage.running('app').env.N === undefined);
    await stage.reach('app', 'Ready');
    await stage.replace('app', { env: { N: '3' } });
    await host.until('the third runs', () => stage.running('app').env.N === '3');
    await stage.reach('app', 'Ready');
    assert.equal(stage.status('app').currentRevision, 3);
  });

  it('is none where a job ran to its end before the next was asked for', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    const job = { restartPolicy: 'Never', env: { EXIT: '0' } };
    await stage.create('app', job);
    await stage.reach('app', 'Stopped');
    await stage.replace('app', { ...job, env: { EXIT: '0', N: '2' } });
    await host.until('the second is made', () => stage.status('app').currentRevision === 2);
    assert.notEqual((await host.registry.revisions.get('app', 1))?.outcome, 'Failed');
  });

  it('says so where it crashed, with its last words', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('app', GOOD);
    await stage.reach('app', 'Ready');
    await stage.replace('app', { ...DEADLINE, env: { EXIT: '3' } });
    await isBack(stage);
    const { errorMsg } = stage.status('app');
    assert.match(
      errorMsg,
      /not ready within \d+ s: exited \d+ times in a row \(exit code 3\): exiting as told by EXIT$/,
    );
  });

  it('and has nothing good before it runs on', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', BAD);
    await host.until('it is told', () => stage.status('app').reason === 'ProgressDeadlineExceeded');
    await stage.replace('app', { ...BAD, env: { LISTEN: '0', OTHER: '1' } });
    await host.advance(60_000);
    assert.equal(stage.running('app').env.OTHER, '1');
    assert.equal(stage.status('app').reason, 'ProgressDeadlineExceeded');
  });

  it('gives way to one that got ready itself only when the next could not be built', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { ...GOOD, env: { GOOD: '1', LISTEN_AFTER_MS: '3000' } });
    await stage.reach('app', 'Running');
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN exit 1\n');
    await stage.replace('app', BAD);
    const serves = () =>
      stage.status('app').state === 'Ready' && stage.status('app').reason === 'BuildFailed';
    await host.until('it serves on', serves);
    await stage.write('sources/app/Dockerfile', 'FROM scratch\n# mended\n');
    await host.until('the new one runs', triedAgain(stage));
    await isBack(stage);
  });

  it('gives way to one that had ended under its policy, which comes back under its own', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', GOOD);
    await stage.reach('app', 'Ready');
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN sleep 3\n');
    await stage.replace('app', { ...BAD, restartPolicy: 'Never' });
    await host.until('the new one is built', () => stage.status('app').reason === 'Building');
    stage.world.end(stage.running('app'), 137);
    await stage.reach('app', 'Running');
    await isBack(stage);
  });

  it('gives way to one that had come to its end, which is left at that', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { ...GOOD, restartPolicy: 'Never' });
    await stage.reach('app', 'Ready');
    stage.world.end(stage.running('app'), 1);
    await stage.reach('app', 'Stopped');
    await stage.replace('app', { ...DEADLINE, env: { EXIT: '3' }, restartPolicy: 'OnFailure' });
    await host.until('the new one crashes', () => stage.status('app').reason === 'CrashLoopBackOff');
    await stage.reach('app', 'Stopped');
    const done = count(stage);
    await host.advance(120_000);
    assert.equal(done(), 0);
    const { state, reason, currentRevision } = stage.status('app');
    assert.deepEqual(
      { state, reason, currentRevision },
      { state: 'Stopped', reason: 'Completed', currentRevision: 1 },
    );
  });

  it('gives way to one that had come to its end also where that is gone', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { ...GOOD, restartPolicy: 'Never' });
    await stage.reach('app', 'Ready');
    const good = stage.running('app');
    stage.world.end(good, 0);
    await stage.reach('app', 'Stopped');
    await stage.world.remove(good);
    await stage.replace('app', { ...BAD, restartPolicy: 'Never' });
    await stage.reach('app', 'Running');
    await stage.reach('app', 'Stopped');
    const done = count(stage);
    await host.advance(120_000);
    assert.equal(done(), 0);
    assert.equal(stage.status('app').reason, 'Completed');
  });

  it('gives way though another one is wanted by then, which has no port', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    stage.world.foreignPorts.add(PINNED);
    await stage.create('app', GOOD);
    await stage.reach('app', 'Ready');
    await stage.replace('app', BAD);
    await stage.reach('app', 'Running');
    await stage.replace('app', { ...DEADLINE, publishPort: PINNED });
    await isInstead(stage, 'PortConflict');
    stage.world.foreignPorts.clear();
    await host.until('revision 3 serves', () => stage.status('app').currentRevision === 3);
    await stage.reach('app', 'Ready');
  });

  it('gives way though another one is wanted by then, which can not be built', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('app', GOOD);
    await stage.reach('app', 'Ready');
    await stage.replace('app', BAD);
    await stage.reach('app', 'Running');
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN exit 1\n');
    await stage.replace('app', GOOD);
    await isInstead(stage, 'BuildFailed');
  });

  it('is not taken for ready while the good one, which needs no probe, takes its place', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { ...GOOD, readiness: { none: true } });
    await stage.reach('app', 'Ready');
    await stage.replace('app', { ...BAD, env: { LISTEN: '0', IGNORE_TERM: '1' } });
    await stage.reach('app', 'Running');
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN exit 1\n');
    await stage.replace('app', GOOD);
    await isInstead(stage, 'BuildFailed');
    assert.equal((await host.registry.revisions.get('app', 2))?.outcome, 'Pending');
  });

  it('as far as is known, but got ready while no host ran, serves on', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', GOOD);
    await stage.reach('app', 'Ready');
    await stage.replace('app', { ...DEADLINE, env: { LISTEN_AFTER_MS: '3000' } });
    await host.until('the new one runs', () => stage.running('app').env.LISTEN_AFTER_MS === '3000');
    await host.kill();
    await stage.clock.advance(60_000);
    await stage.start();
    await stage.reach('app', 'Ready');
    const { reason, currentRevision } = stage.status('app');
    assert.deepEqual({ reason, currentRevision }, { reason: '', currentRevision: 2 });
  });

  it('as far as is known, and is not ready after the host was away, gives way then', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', GOOD);
    await stage.reach('app', 'Ready');
    await stage.replace('app', BAD);
    await host.until('the new one runs', triedAgain(stage));
    await host.kill();
    await stage.clock.advance(60_000);
    await stage.start();
    await isBack(stage);
  });
});
