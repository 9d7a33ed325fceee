import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeStatus, encodeStatus } from '../../../registry/records/status-text.ts';
import type { ProgramStatus } from '../../../schemas/status.ts';
import { emptyStatus } from '../../../schemas/status.ts';

/** Written by the host of version 0.1.0 in the simulator, at the moment that the file is named after. */
const FOLDER = new URL('./older-ledgers/', import.meta.url);

const FIRST = '0000000000000000000000000000000000000000000000000000000000000002';
const SECOND = '0000000000000000000000000000000000000000000000000000000000000003';
/** When the simulation began. */
const START_MS = 1_767_225_600_000;
const BUILD = 'build-7138a4cf73b3';
const IMAGE_KEY = '7138a4cf73b30f5c1905c74bc975295d7d1ba05d94393490b964e4e4cc51b3fe';
const VOLUME = 'hersh-state-app-62bd3bba';

const textOf = (file: string) => readFileSync(new URL(`${file}.yaml`, FOLDER), 'utf8');
const read = (file: string): ProgramStatus => decodeStatus(textOf(file), emptyStatus('app', 0));

/** What is remembered, without specs and settings, which are long: those are looked at by themselves. */
function brief({ memory }: ProgramStatus) {
  const { program, rollout, containers, starts, failedImage } = memory;
  const { inForce, volume, startRequested, restartedAtSeen, ...ofProgram } = program;
  assert.deepEqual([volume, startRequested, restartedAtSeen], [VOLUME, true, '']);
  assert.equal(inForce?.spec.userId, 'me');
  const { good, ...ofAttempt } = rollout;
  const runs = Object.entries(containers).map(([id, { run, settings }]) => {
    assert.ok(settings === undefined || 'memoryBytes' in settings);
    return [id, run && { ...run, afterMs: run.startedAtMs - START_MS, startedAtMs: undefined }, !!settings];
  });
  return { ofProgram, ofAttempt, good: good?.revision, runs, starts, failedImage };
}

const ended = (end: string, afterMs = 0) => ({ end, afterMs, startedAtMs: undefined });
const NEVER_TOLD = { verdict: 'new', attempt: '', refusals: 0 };
const newest = (number: number, hash: string) => ({ newest: { number, hash }, lastBuild: BUILD });
const serves = (id: string, removed = false) => ({ served: { id, removed } });
const PLAIN_HASH = 'f0350858dd1045eb7e9d1d65960f9db8';

const TOLD: Record<string, ReturnType<typeof brief>> = {};

/** What the file says, in the words of today. */
const say = (file: string, told: Partial<Record<keyof ReturnType<typeof brief>, unknown>>): void => {
  const rest = { ofAttempt: NEVER_TOLD, good: 1, starts: {}, failedImage: undefined };
  TOLD[file] = { ...rest, ...told } as ReturnType<typeof brief>;
};

say('ready', {
  ofProgram: { ...newest(2, '3dbf24a2623796350f63e853a858ea48'), ...serves(SECOND) },
  good: 2,
  runs: [
    [FIRST, ended('asked'), true],
    [SECOND, undefined, true],
  ],
});
say('drifted', {
  ofProgram: { ...newest(1, PLAIN_HASH), ...serves(SECOND) },
  runs: [
    [FIRST, ended('asked'), true],
    [SECOND, undefined, true],
  ],
});
say('back-off', {
  ofProgram: { ...newest(1, 'fb7e5dedc374cb7674beecdc3583ebff'), ...serves(FIRST) },
  good: undefined,
  runs: [[FIRST, ended('crashed', 15_000), true]],
  starts: { crashes: { count: 6, nextAt: '2026-01-01T00:00:31.000Z' } },
});
say('failed-start', {
  ofProgram: { ...newest(1, PLAIN_HASH), ...serves(FIRST, true) },
  runs: [[FIRST, ended('crashed'), true]],
  starts: {
    crashes: { count: 1, nextAt: '2026-01-01T00:00:00.000Z' },
    failed: {
      ...{ reason: 'StartFailed', message: 'startContainer: the simulated engine refuses' },
      ...{ attempts: 3, nextAt: '2026-01-01T00:00:07.000Z' },
    },
  },
});
say('finished', {
  ofProgram: {
    ...{ ...newest(1, '5a6d2e7207429e3a987e33af67c312c4'), ...serves(FIRST) },
    rest: {
      ...{ why: 'finished', specHash: 'v1:7d932e8716f65db27d0f724fdc38d368' },
      ...{ exitCode: 1, overtaken: false },
    },
  },
  runs: [[FIRST, ended('finished'), true]],
});
say('overtaken', {
  ofProgram: {
    ...{ ...newest(1, PLAIN_HASH), ...serves(FIRST), lastBuild: 'build-b06644526183' },
    rest: {
      ...{ why: 'finished', specHash: 'v1:525681385fdfd337219f13dc07fb78f6' },
      ...{ exitCode: 0, overtaken: true },
    },
  },
  runs: [[FIRST, ended('finished'), true]],
});
say('rolled-back', {
  ofProgram: { ...newest(2, '5e54c103e148137fb143a1101a086b7a'), ...serves(FIRST) },
  ofAttempt: {
    ...{ verdict: 'bad', attempt: '8d69719f8edc5695c3547dddaec65994', refusals: 0, revision: 2 },
    ...{ reason: 'ProgressDeadlineExceeded', message: 'not ready within 5 s: nothing listens' },
  },
  runs: [
    [SECOND, ended('asked', 25), true],
    [FIRST, ended('asked'), true],
  ],
});
say('refused', {
  ofProgram: { ...newest(2, '127ebca0743a4a84d4de0c53b2f93fda'), ...serves(FIRST) },
  ofAttempt: {
    ...{ verdict: 'bad', attempt: '3c21b9d754e167d2670ece2f9b26e0d4', refusals: 1, revision: 2 },
    ...{ reason: 'StartFailed', message: 'startContainer: the simulated engine refuses' },
    nextAt: '2026-01-01T00:01:00.025Z',
  },
  runs: [[FIRST, ended('asked'), true]],
});
say('failed-build', {
  ofProgram: { ...newest(1, PLAIN_HASH), ...serves(FIRST), lastBuild: 'build-c28f6cd6786d' },
  runs: [[FIRST, undefined, true]],
  failedImage: {
    key: 'c28f6cd6786dfa48770d02f805aa8d6a45b7cfb6bde3739ef60018b5447c47c2',
    reason: 'BuildFailed',
    message: 'executor failed running [exit 1]: exit code: 1\n#1 FROM scratch\n#1 DONE 0.0s\n#2 RUN exit 1',
    ...{ attempts: 1, nextAt: '' },
  },
});
say('stopped', {
  ofProgram: { ...newest(1, PLAIN_HASH), ...serves(FIRST), rest: { why: 'asked' } },
  runs: [[FIRST, ended('asked'), true]],
});
say('deleted', {
  ofProgram: {
    ...{ ...newest(1, '1fd9bb4d50b6de43df52d4adec6bd18a'), ...serves(FIRST) },
    deletion: { commit: 'aa39d70b971bd0da9d921a867798cd8d2bdbe09c' },
  },
  runs: [[FIRST, ended('asked'), true]],
});
say('unhealthy', {
  ofProgram: { ...newest(1, '1fd9bb4d50b6de43df52d4adec6bd18a'), ...serves(FIRST) },
  runs: [[FIRST, ended('unhealthy'), true]],
});

test('each ledger of an older host is looked at here', () => {
  const files = readdirSync(FOLDER).map((file) => file.replace(/\.yaml$/, ''));
  assert.deepEqual(files.sort(), Object.keys(TOLD).sort());
});

for (const [file, told] of Object.entries(TOLD)) {
  test(`a ledger of an older host says the same in the words of today: ${file}`, () => {
    assert.deepEqual(brief(read(file)), told);
  });

  test(`and is read again as it is written then: ${file}`, () => {
    const status = read(file);
    assert.deepEqual(decodeStatus(encodeStatus(status), emptyStatus('app', 0)), status);
  });
}

test('what people are shown stays as the older host wrote it', () => {
  const { state, reason, errorMsg, containerId, publishPort, readyAt } = read('rolled-back');
  assert.deepEqual([state, reason, containerId, publishPort], ['Ready', 'RolledBack', FIRST, 19_001]);
  assert.equal(errorMsg, 'revision 2 was rolled back to 1: not ready within 5 s: nothing listens');
  assert.equal(readyAt, '2026-01-01T00:00:05.050Z');
});

test('the last exit gets the run that it is of', () => {
  const exits = Object.keys(TOLD).flatMap((file) => {
    const { lastExit } = read(file);
    return lastExit === null ? [] : [[file, lastExit.run, lastExit.exitCode, lastExit.logTail]];
  });
  assert.deepEqual(exits, [
    ['back-off', `${FIRST}@${START_MS + 15_000}`, 3, 'exiting as told by EXIT\nexiting as told by EXIT'],
    ['failed-start', `${FIRST}@${START_MS}`, 3, ''],
    ['finished', `${FIRST}@${START_MS}`, 1, 'listening on 8080\nexiting as told by EXIT_AFTER_MS'],
    ['overtaken', `${FIRST}@${START_MS}`, 0, 'listening on 8080'],
  ]);
});

test('the good one is known with all that it is made of', () => {
  const { good } = read('rolled-back').memory.rollout;
  const { spec, ...made } = good ?? {};
  assert.deepEqual(made, {
    ...{ revision: 1, hash: '55ad0026fbdfd18a885cf1819b776a23', imageKey: IMAGE_KEY, buildId: BUILD },
  });
  assert.deepEqual(spec?.env, { GOOD: '1' });
  assert.equal(spec?.progressDeadlineSeconds, 5);
});

test('the wish in force is known with how it was resolved', () => {
  const { inForce } = read('rolled-back').memory.program;
  assert.equal(inForce?.rawHash, '7ae7ff753d3cda89e05007a9facc7a61');
  const raw = { userId: 'me', build: { context: 'sources/app' }, progressDeadlineSeconds: 5 };
  assert.deepEqual(inForce?.rawSpec, { ...raw, env: { LISTEN: '0' } });
  assert.deepEqual(inForce?.spec.env, { LISTEN: '0' });
  assert.deepEqual(inForce?.labels, {});
});

test('how the engine described each container is kept with it', () => {
  const { containers } = read('drifted').memory;
  for (const id of [FIRST, SECOND])
    assert.deepEqual(containers[id]?.settings, {
      ...{ memoryBytes: 536_870_912, memorySwapBytes: 536_870_912, memoryReservationBytes: 0 },
      ...{ kernelMemoryBytes: 0, cpus: 1, cpuShares: 0, cpuPeriod: 0, cpuQuota: 0 },
      ...{ cpuRealtimePeriod: 0, cpuRealtimeRuntime: 0, cpusetCpus: '', cpusetMems: '' },
      ...{ blkioWeight: 0, pids: 256, restartPolicy: 'no', network: 'programs', networks: ['programs'] },
    });
});

test('an older memory of which almost nothing is left is one that knows almost nothing', () => {
  const text = textOf('stopped').replace(/ {2}memory:\n[\s\S]*$/, '  memory:\n    startRequested: true\n');
  const { memory } = decodeStatus(text, emptyStatus('app', 0));
  assert.deepEqual(memory, {
    program: { startRequested: true, restartedAtSeen: '', lastBuild: '' },
    rollout: NEVER_TOLD,
    ...{ containers: {}, starts: {} },
  });
});
