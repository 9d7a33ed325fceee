import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterExit, forgetEnd } from '../../../controller/program/after-exit.ts';
import { afterDeed } from '../../../controller/program/deed.ts';
import { afterFailedImage, forgetFailures, withLateOom } from '../../../controller/program/memory.ts';
import { ended, endOf } from '../../../controller/program/transitions.ts';
import { backOffMs, clampWaits, waitMs } from '../../../controller/program/waits.ts';
import { describeExit, exitOf } from '../../../schemas/last-exit.ts';
import { finishedOf, type ProgramMemory, type Rest } from '../../../schemas/memory.ts';
import { type RestartPolicy, timestamp } from '../../../schemas/program.ts';
import { containerOf, EXITED, hashOf, memoryOf, NOW_MS, specOf } from './situation-fixture.ts';

const spec = specOf();
const exited = containerOf('a', spec, EXITED);
const atEnd = (specHash: string, exitCode: number): Rest => ({
  ...{ why: 'finished', specHash, exitCode, overtaken: false },
});

test('the wait before a restart: none, then 1 s doubling to 60 s', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9, 50].map(backOffMs);
  assert.deepEqual(waits, [0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('a crash counts once, and its wait is written down', () => {
  const once = afterExit(memoryOf(), exited, spec, hashOf(spec), NOW_MS);
  assert.equal(endOf(once, exited), 'crashed');
  assert.deepEqual(once.starts, { crashes: { count: 1, nextAt: timestamp(NOW_MS) } });
  assert.equal(afterExit(once, exited, spec, hashOf(spec), NOW_MS + 5_000), once);
  const again = containerOf('a', spec, { ...EXITED, startedAtMs: NOW_MS + 10 });
  const twice = afterExit(once, again, spec, hashOf(spec), NOW_MS + 20);
  assert.deepEqual(twice.starts.crashes, { count: 2, nextAt: timestamp(NOW_MS + 1_020) });
});

test('ten minutes of running wipe the slate, a moment less does not', () => {
  const memory = memoryOf({ starts: { crashes: { count: 7, nextAt: '' } } });
  const ranFor = (ms: number) =>
    containerOf('a', spec, { ...EXITED, startedAtMs: NOW_MS - ms, finishedAtMs: NOW_MS });
  const count = (ms: number) => afterExit(memory, ranFor(ms), spec, '', NOW_MS).starts.crashes?.count;
  assert.equal(count(600_000), 1);
  assert.equal(count(599_999), 8);
});

test('an end with the engine is no crash: no count, no wait; what the host ended for its liveness is one', () => {
  const crashes = { count: 3, nextAt: timestamp(NOW_MS - 1) };
  const memory = memoryOf({ starts: { crashes } });
  const down = (before: ProgramMemory, container = exited) =>
    afterExit(before, container, spec, hashOf(spec), NOW_MS, true);
  assert.deepEqual(down(memoryOf()).starts, {});
  assert.deepEqual(down(memory).starts, { crashes }, 'nor is a crash before it forgotten');
  assert.equal(endOf(down(memory), exited), 'withEngine');
  const long = { ...exited, startedAtMs: exited.finishedAtMs - 600_000 };
  assert.deepEqual(down(memory, long).starts, {}, 'unless it had run long enough');
  assert.equal(down(ended(memory, exited, 'unhealthy')).starts.crashes?.count, 4);
});

test('an end with the engine is its own where it was started after one, and ran less than a second', () => {
  const end = (before: ProgramMemory, startedAtMs: number, ms: number, exitCode = 3, of = spec) => {
    const one = containerOf('a', of, { ...EXITED, exitCode, startedAtMs, finishedAtMs: startedAtMs + ms });
    return afterExit(before, one, of, hashOf(of), NOW_MS, true);
  };
  const once = end(memoryOf(), NOW_MS - 5_000, 0);
  assert.deepEqual(once.starts, {}, "the first one is the engine's, however short it ran");
  assert.deepEqual(end(once, NOW_MS - 3_000, 1_000).starts, {});
  const twice = end(once, NOW_MS - 3_000, 999);
  assert.equal(twice.starts.crashes?.count, 1);
  assert.equal(end(twice, NOW_MS - 1_000, 0).starts.crashes?.count, 2, 'and so is the next');
  assert.equal(end(twice, NOW_MS - 2_000, 1_000).starts.crashes?.count, 1);

  const onFailure = specOf({ restartPolicy: 'OnFailure' });
  const begun = end(memoryOf(), NOW_MS - 5_000, 0, 0, onFailure);
  assert.equal(finishedOf(begun), undefined, 'it is run once more');
  assert.equal(finishedOf(end(begun, NOW_MS - 3_000, 1_000, 0, onFailure)), undefined);
  assert.deepEqual(finishedOf(end(begun, NOW_MS - 3_000, 999, 0, onFailure)), atEnd(hashOf(onFailure), 0));
  const crashed = end(begun, NOW_MS - 3_000, 999, 3, onFailure);
  assert.equal(finishedOf(end(crashed, NOW_MS - 1_000, 0, 0, onFailure)), undefined, 'it may be the engine');
});

test('what ended has run since a stop was asked for, though it was never seen up', () => {
  const memory = memoryOf({ program: { rest: { why: 'asked' } } });
  assert.equal(afterExit(memory, exited, spec, hashOf(spec), NOW_MS).program.rest, undefined);
});

test('restartPolicy decides what an exit means', () => {
  const end = (restartPolicy: string, exitCode: number) =>
    afterExit(memoryOf(), { ...exited, exitCode }, specOf({ restartPolicy }), 'v1:h', NOW_MS);
  assert.deepEqual(finishedOf(end('Never', 1)), atEnd('v1:h', 1));
  assert.deepEqual(finishedOf(end('OnFailure', 0)), atEnd('v1:h', 0));
  assert.equal(finishedOf(end('OnFailure', 1)), undefined);
  assert.equal(end('OnFailure', 1).starts.crashes?.count, 1);
  assert.equal(end('Always', 0).starts.crashes?.count, 1);
});

test('an end is remembered as long as the policy leaves it at that', () => {
  const isKept = (restartPolicy: RestartPolicy, exitCode: number) =>
    finishedOf(forgetEnd(memoryOf({ program: { rest: atEnd('h', exitCode) } }), { restartPolicy })) !==
    undefined;
  assert.ok(isKept('Never', 1));
  assert.ok(isKept('OnFailure', 0));
  assert.ok(!isKept('OnFailure', 1));
  assert.ok(!isKept('Always', 0));
});

test('a failure that follows an end it was left at is a failure, and another spec keeps its own end', () => {
  const onFailure = specOf({ restartPolicy: 'OnFailure' });
  const before = memoryOf({ program: { rest: atEnd('v1:h', 0) } });
  const after = (hash: string) => afterExit(before, { ...exited, exitCode: 137 }, onFailure, hash, NOW_MS);
  assert.equal(finishedOf(after('v1:h')), undefined);
  assert.equal(after('v1:h').starts.crashes?.count, 1);
  assert.deepEqual(finishedOf(after('v1:other')), finishedOf(before));
});

test('an exit that was asked for is no crash', () => {
  const memory = ended(memoryOf(), exited, 'asked');
  assert.equal(afterExit(memory, exited, spec, '', NOW_MS), memory);
});

test('a build that failed for want of a network is tried three times in all', () => {
  const failure = { key: 'k', reason: 'BuildFailed', message: 'no route', again: true };
  const first = afterFailedImage(memoryOf(), failure, NOW_MS);
  const second = afterFailedImage(first, failure, NOW_MS);
  const third = afterFailedImage(second, failure, NOW_MS);
  assert.deepEqual(
    [first, second, third].map(({ failedImage }) => [failedImage?.attempts, failedImage?.nextAt]),
    [
      [1, timestamp(NOW_MS + 5_000)],
      [2, timestamp(NOW_MS + 10_000)],
      [3, ''],
    ],
  );
  assert.equal(afterFailedImage(memoryOf(), { ...failure, again: false }, NOW_MS).failedImage?.nextAt, '');
  assert.equal(afterFailedImage(third, { ...failure, key: 'other' }, NOW_MS).failedImage?.attempts, 1);
});

test('what is not the fault of the build is tried until it is over, and leaves the network its three tries', () => {
  for (const reason of ['DiskFull', 'RegistryUnavailable', 'EngineUnavailable']) {
    const failure = { key: 'k', reason, message: 'no room', again: true };
    let memory = memoryOf();
    for (let attempt = 1; attempt <= 20; attempt++) memory = afterFailedImage(memory, failure, NOW_MS);
    assert.equal(memory.failedImage?.nextAt, timestamp(NOW_MS + 60_000), reason);
    const network = afterFailedImage(memory, { ...failure, reason: 'BuildFailed' }, NOW_MS);
    assert.deepEqual(
      [network.failedImage?.attempts, network.failedImage?.nextAt],
      [1, timestamp(NOW_MS + 5_000)],
    );
  }
});

test('failed starts wait longer each time', () => {
  const failed = { kind: 'failed', reason: 'StartFailed', message: 'x', nowMs: NOW_MS } as const;
  const first = afterDeed(memoryOf(), failed);
  const second = afterDeed(first, failed);
  assert.equal(first.starts.failed?.nextAt, timestamp(NOW_MS + 1_000));
  assert.equal(second.starts.failed?.nextAt, timestamp(NOW_MS + 2_000));
});

test('a fresh try forgets failures and nothing else', () => {
  const program = { startRequested: true, volume: 'v', newest: { number: 1, hash: 'h' } };
  const containers = { e: { run: { startedAtMs: 1, end: 'crashed' as const } } };
  const good = { revision: 1, hash: 'h', imageKey: '', buildId: '', spec };
  const kept = memoryOf({
    program,
    containers,
    rollout: { verdict: 'new', attempt: 'a', refusals: 0, good },
  });
  const memory: ProgramMemory = {
    ...kept,
    starts: {
      crashes: { count: 3, nextAt: '' },
      failed: { reason: '', message: '', attempts: 1, nextAt: '' },
    },
    failedImage: { key: '', reason: '', message: '', attempts: 1, nextAt: '' },
    program: { ...kept.program, rest: atEnd('', 0) },
    rollout: { verdict: 'bad', attempt: 'a', refusals: 1, good, revision: 1, reason: '', message: '' },
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
  const crashes = { count: 3, nextAt: timestamp(NOW_MS + 3_600_000) };
  const clamped = clampWaits(memoryOf({ starts: { crashes } }), NOW_MS);
  assert.deepEqual(
    clamped,
    memoryOf({ starts: { crashes: { count: 3, nextAt: timestamp(NOW_MS + 60_000) } } }),
  );
  assert.equal(clampWaits(clamped, NOW_MS + 1), clamped);
  const failedImage = { key: 'x', reason: 'BuildFailed', message: '', attempts: 3, nextAt: '' };
  const memory = memoryOf({ failedImage });
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

test('want of memory is the cause of a SIGKILL that came with it, and beside any other end a fact of the run', () => {
  // 20.10.24, 26.1, 28.5: OOMKilled is true after the end, or at once and for good, also of a child that was killed.
  const words = (exitCode: number, beforeEndMs?: number) => {
    const oomToldMs = beforeEndMs === undefined ? 0 : exited.finishedAtMs - beforeEndMs;
    const startedAtMs = exited.finishedAtMs - 3_600_000;
    return describeExit(exitOf({ ...exited, exitCode, startedAtMs, oomKilled: true, oomToldMs }, ''));
  };
  const at = timestamp(exited.finishedAtMs - 60_000);
  assert.equal(words(137, 30), 'out of memory');
  assert.equal(words(137, -76), 'out of memory', 'told after the end');
  assert.equal(words(137), 'out of memory', 'told to a host before this one');
  assert.equal(words(137, 60_000), `SIGKILL; a process of it had run out of memory at ${at}`);
  assert.equal(words(3, 60_000), `exit code 3; a process of it had run out of memory at ${at}`);
  assert.equal(words(0), 'exit code 0; a process of it had run out of memory');
  const late = withLateOom(exitOf({ ...exited, exitCode: 3 }, ''), [
    { ...exited, oomToldMs: exited.finishedAtMs + 76 },
  ]);
  assert.equal(late?.oomKilled, false);
  assert.equal(late?.outOfMemoryAt, timestamp(exited.finishedAtMs + 76));
});

test('an exit is known to be for want of memory though the engine told it late', () => {
  const before = exitOf(containerOf('a', spec, { ...EXITED, exitCode: 137 }), 'last words');
  const told = { ...exited, oomToldMs: exited.finishedAtMs + 76 };
  const late = (container: typeof exited) => withLateOom(before, [container])?.oomKilled;
  assert.equal(late(exited), false, 'nothing was told');
  assert.equal(late(told), true);
  assert.equal(late({ ...told, startedAtMs: told.oomToldMs + 10 }), true, 'it runs again');
  assert.equal(late({ ...told, startedAtMs: told.oomToldMs - 10 }), false, 'it is the new run that had none');
  assert.equal(late({ ...told, id: 'another' }), false);
  assert.equal(withLateOom(null, [told]), null);
});
