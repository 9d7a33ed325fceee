import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  afterBuildFailure,
  afterExit,
  afterStartFailure,
  afterStop,
  backOffMs,
  clampWaits,
  describeExit,
  exitOf,
  forgetEnd,
  forgetFailures,
  waitMs,
  withLateOom,
} from '../../../controller/program/memory.ts';
import { runKey } from '../../../controller/program/observed.ts';
import { type ProgramMemory, type RestartPolicy, timestamp } from '../../../schemas/program.ts';
import { containerOf, EXITED, hashOf, NOW_MS, specOf } from './observed-fixture.ts';

const spec = specOf();
const exited = containerOf('a', spec, EXITED);

test('the wait before a restart: none, then 1 s doubling to 60 s', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9, 50].map(backOffMs);
  assert.deepEqual(waits, [0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('a crash counts once, and its wait is written down', () => {
  const once = afterExit({}, exited, spec, hashOf(spec), NOW_MS);
  assert.deepEqual(once, { exitSeen: runKey(exited), backOff: { count: 1, nextAt: timestamp(NOW_MS) } });
  assert.equal(afterExit(once, exited, spec, hashOf(spec), NOW_MS + 5_000), once);
  const again = containerOf('a', spec, { ...EXITED, startedAtMs: NOW_MS + 10 });
  const twice = afterExit(once, again, spec, hashOf(spec), NOW_MS + 20);
  assert.deepEqual(twice.backOff, { count: 2, nextAt: timestamp(NOW_MS + 1_020) });
});

test('ten minutes of running wipe the slate, a moment less does not', () => {
  const memory: ProgramMemory = { backOff: { count: 7, nextAt: '' } };
  const ranFor = (ms: number) =>
    containerOf('a', spec, { ...EXITED, startedAtMs: NOW_MS - ms, finishedAtMs: NOW_MS });
  const count = (ms: number) => afterExit(memory, ranFor(ms), spec, '', NOW_MS).backOff?.count;
  assert.equal(count(600_000), 1);
  assert.equal(count(599_999), 8);
});

test('restartPolicy decides what an exit means', () => {
  const end = (restartPolicy: string, exitCode: number) =>
    afterExit({}, { ...exited, exitCode }, specOf({ restartPolicy }), 'v1:h', NOW_MS);
  assert.deepEqual(end('Never', 1).finished, { specHash: 'v1:h', exitCode: 1 });
  assert.deepEqual(end('OnFailure', 0).finished, { specHash: 'v1:h', exitCode: 0 });
  assert.equal(end('OnFailure', 1).finished, undefined);
  assert.equal(end('OnFailure', 1).backOff?.count, 1);
  assert.equal(end('Always', 0).backOff?.count, 1);
});

test('an end is remembered as long as the policy leaves it at that', () => {
  const isKept = (restartPolicy: RestartPolicy, exitCode: number) =>
    forgetEnd({ finished: { specHash: 'h', exitCode } }, { restartPolicy }).finished !== undefined;
  assert.ok(isKept('Never', 1));
  assert.ok(isKept('OnFailure', 0));
  assert.ok(!isKept('OnFailure', 1));
  assert.ok(!isKept('Always', 0));
});

test('a failure that follows an end it was left at is a failure, and another spec keeps its own end', () => {
  const onFailure = specOf({ restartPolicy: 'OnFailure' });
  const before: ProgramMemory = { finished: { specHash: 'v1:h', exitCode: 0 } };
  const after = (hash: string) => afterExit(before, { ...exited, exitCode: 137 }, onFailure, hash, NOW_MS);
  assert.equal(after('v1:h').finished, undefined);
  assert.equal(after('v1:h').backOff?.count, 1);
  assert.deepEqual(after('v1:other').finished, before.finished);
});

test('an exit that was asked for is no crash', () => {
  const memory = afterStop({}, exited);
  assert.equal(afterExit(memory, exited, spec, '', NOW_MS), memory);
});

test('a build that failed for want of a network is tried three times in all', () => {
  const failure = { key: 'k', reason: 'BuildFailed', message: 'no route', again: true };
  const first = afterBuildFailure({}, failure, NOW_MS);
  const second = afterBuildFailure(first, failure, NOW_MS);
  const third = afterBuildFailure(second, failure, NOW_MS);
  assert.deepEqual(
    [first, second, third].map(({ failedBuild }) => [failedBuild?.attempts, failedBuild?.nextAt]),
    [
      [1, timestamp(NOW_MS + 5_000)],
      [2, timestamp(NOW_MS + 10_000)],
      [3, ''],
    ],
  );
  assert.equal(afterBuildFailure({}, { ...failure, again: false }, NOW_MS).failedBuild?.nextAt, '');
  assert.equal(afterBuildFailure(third, { ...failure, key: 'other' }, NOW_MS).failedBuild?.attempts, 1);
});

test('what is not the fault of the build is tried until it is over, and leaves the network its three tries', () => {
  for (const reason of ['DiskFull', 'RegistryUnavailable', 'EngineUnavailable']) {
    const failure = { key: 'k', reason, message: 'no room', again: true };
    let memory: ProgramMemory = {};
    for (let attempt = 1; attempt <= 20; attempt++) memory = afterBuildFailure(memory, failure, NOW_MS);
    assert.equal(memory.failedBuild?.nextAt, timestamp(NOW_MS + 60_000), reason);
    const network = afterBuildFailure(memory, { ...failure, reason: 'BuildFailed' }, NOW_MS);
    assert.deepEqual(
      [network.failedBuild?.attempts, network.failedBuild?.nextAt],
      [1, timestamp(NOW_MS + 5_000)],
    );
  }
});

test('failed starts wait longer each time', () => {
  const failure = { reason: 'StartFailed', message: 'x' };
  const first = afterStartFailure({}, failure, NOW_MS);
  const second = afterStartFailure(first, failure, NOW_MS);
  assert.equal(first.failedStart?.nextAt, timestamp(NOW_MS + 1_000));
  assert.equal(second.failedStart?.nextAt, timestamp(NOW_MS + 2_000));
});

test('a fresh try forgets failures and nothing else', () => {
  const kept: ProgramMemory = {
    startRequested: true,
    volume: 'v',
    exitSeen: 'e',
    latestRevision: { number: 1, hash: 'h' },
  };
  const memory: ProgramMemory = {
    ...kept,
    backOff: { count: 3, nextAt: '' },
    failedBuild: { hash: '', reason: '', message: '', attempts: 1, nextAt: '' },
    failedStart: { reason: '', message: '', attempts: 1, nextAt: '' },
    finished: { specHash: '', exitCode: 0 },
    rolledBack: { attempt: '', revision: 1, reason: '', message: '' },
  };
  assert.deepEqual(forgetFailures(memory), kept);
});

test('a persisted wait is never negative, never over a minute, and nonsense is no wait', () => {
  assert.equal(waitMs(timestamp(NOW_MS + 1_500), NOW_MS), 1_500);
  assert.equal(waitMs(timestamp(NOW_MS - 1), NOW_MS), 0);
  assert.equal(waitMs(timestamp(NOW_MS + 1e9), NOW_MS), 60_000);
  assert.equal(waitMs('rubbish', NOW_MS), 0);
});

test('a wait that a clock which jumped back made too long is a minute from now, once', () => {
  const backOff = { count: 3, nextAt: timestamp(NOW_MS + 3_600_000) };
  const clamped = clampWaits({ backOff }, NOW_MS);
  assert.deepEqual(clamped, { backOff: { count: 3, nextAt: timestamp(NOW_MS + 60_000) } });
  assert.equal(clampWaits(clamped, NOW_MS + 1), clamped);
  const failedBuild = { hash: 'x', reason: 'BuildFailed', message: '', attempts: 3, nextAt: '' };
  const memory: ProgramMemory = { failedBuild };
  assert.equal(clampWaits(memory, NOW_MS), memory);
});

test('exits in words', () => {
  const words = (change: Parameters<typeof containerOf>[2]) =>
    describeExit(exitOf(containerOf('a', spec, change), ''));
  assert.equal(words({ ...EXITED, exitCode: 3 }), 'exit code 3');
  assert.equal(words({ ...EXITED, exitCode: 137 }), 'SIGKILL');
  assert.equal(words({ ...EXITED, exitCode: 137, oomKilled: true }), 'out of memory');
  assert.equal(words({ ...EXITED, exitCode: 170 }), 'signal 42');
});

test('an exit is known to be for want of memory though the engine told it late', () => {
  const before = exitOf(containerOf('a', spec, { ...EXITED, exitCode: 137 }), 'last words');
  const told = { ...exited, oomToldMs: exited.finishedAtMs + 76 };
  const late = (container: typeof exited) => withLateOom(before, runKey(exited), [container])?.oomKilled;
  assert.equal(late(exited), false, 'nothing was told');
  assert.equal(late(told), true);
  assert.equal(late({ ...told, startedAtMs: told.oomToldMs + 10 }), true, 'it runs again');
  assert.equal(late({ ...told, startedAtMs: told.oomToldMs - 10 }), false, 'it is the new run that had none');
  assert.equal(late({ ...told, id: 'another' }), false);
  assert.equal(withLateOom(null, runKey(exited), [told]), null);
});
