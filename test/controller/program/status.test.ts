import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventsBetween } from '../../../controller/program/events.ts';
import { plan } from '../../../controller/program/plan.ts';
import { status, statusWithoutEngine } from '../../../controller/program/status.ts';
import { findCondition } from '../../../schemas/conditions.ts';
import { runKey } from '../../../schemas/container.ts';
import type { Problem } from '../../../schemas/errors.ts';
import { timestamp } from '../../../schemas/program.ts';
import type { Situation } from '../../../schemas/situation.ts';
import type { ProgramStatus } from '../../../schemas/status.ts';
import { emptyStatus } from '../../../schemas/status.ts';
import {
  containerOf,
  crashOf,
  EXITED,
  HASH,
  hashOf,
  memoryOf,
  NEVER_RAN,
  NOW_MS,
  ready,
  situationOf,
  specOf,
} from './situation-fixture.ts';

const spec = specOf();
const older = specOf({ env: { OLD: '1' } });
const stopped = specOf({ desiredState: 'Stopped' });
const current = containerOf('new', spec);
const crashed = containerOf('new', spec, EXITED);
const previous = containerOf('old', older, { createdAtMs: NOW_MS - 9_000 });
const before = emptyStatus('x', NOW_MS - 60_000);
const lastExit = {
  exitCode: 3,
  oomKilled: false,
  signal: '',
  run: runKey(crashed),
  finishedAt: timestamp(NOW_MS),
  logTail: 'panic: no money',
};

function statusOf(
  observed: Situation,
  problems: Problem[] = [],
  from: ProgramStatus = before,
): ProgramStatus {
  return status(from, observed, plan(observed), {
    ...{ problems, generation: 1, commit: '', missing: '', remote: undefined },
  });
}

const failedImage = { key: HASH, reason: 'BuildFailed', message: 'no such file', attempts: 1, nextAt: '' };

/** `[name, observed, state, reason]` */
const rows: [string, Situation, string, string][] = [
  ['never started', situationOf(stopped, { memory: memoryOf() }), 'Created', ''],
  ['stopped by wish', situationOf(stopped), 'Stopped', ''],
  ['to be stopped', situationOf(stopped, { containers: [current] }), 'Stopping', ''],
  [
    'being stopped',
    situationOf(stopped, { containers: [current], stopping: new Set(['new']) }),
    'Stopping',
    '',
  ],
  ['to be built', situationOf(spec, { image: { kind: 'absent' } }), 'Building', ''],
  ['being built', situationOf(spec, { image: { kind: 'pending' } }), 'Building', ''],
  ['built', situationOf(spec), 'Built', ''],
  ['created', situationOf(spec, { containers: [containerOf('new', spec, NEVER_RAN)] }), 'Starting', ''],
  ['running', situationOf(spec, { containers: [current] }), 'Running', ''],
  ['ready', situationOf(spec, { containers: [current], probes: ready('new') }), 'Ready', ''],
  [
    'never listens',
    situationOf(specOf({ progressDeadlineSeconds: 1 }), {
      containers: [current],
      probes: new Map([['new', { ready: false, live: undefined, message: '' }]]),
    }),
    'Running',
    'ProgressDeadlineExceeded',
  ],
  [
    'finished, with its image gone, after a build of other sources failed',
    situationOf(specOf({ restartPolicy: 'Never' }), {
      image: { kind: 'absent' },
      memory: memoryOf({
        failedImage: { ...failedImage, key: 'other' },
        program: {
          rest: {
            why: 'finished',
            specHash: hashOf(specOf({ restartPolicy: 'Never' })),
            exitCode: 0,
            overtaken: false,
          },
        },
      }),
    }),
    'Stopped',
    'Completed',
  ],
  [
    'build failed',
    situationOf(spec, { image: { kind: 'absent' }, memory: memoryOf({ failedImage }) }),
    'Error',
    'BuildFailed',
  ],
  [
    'context gone',
    situationOf(spec, { imageKey: '', image: { kind: 'unknown', reason: 'BuildFailed', message: 'gone' } }),
    'Error',
    'BuildFailed',
  ],
  [
    'first crash: restarted at once, not worth the word Error',
    situationOf(spec, {
      containers: [crashed],
      ...crashOf(crashed, 1, timestamp(NOW_MS)),
    }),
    'Starting',
    '',
  ],
  [
    'crash loop',
    situationOf(spec, {
      containers: [crashed],
      ...crashOf(crashed, 3, timestamp(NOW_MS + 2_000)),
    }),
    'Error',
    'CrashLoopBackOff',
  ],
  [
    'finished',
    situationOf(spec, {
      containers: [crashed],
      memory: memoryOf({
        program: { rest: { why: 'finished', specHash: hashOf(spec), exitCode: 0, overtaken: false } },
      }),
    }),
    'Stopped',
    'Completed',
  ],
  [
    'port taken',
    situationOf(spec, { portProblem: { reason: 'PortConflict', message: 'taken' } }),
    'Error',
    'PortConflict',
  ],
  [
    'an old one serves while the new one is built',
    situationOf(spec, { containers: [previous], image: { kind: 'pending' }, probes: ready('old') }),
    'Ready',
    'Building',
  ],
  [
    'an old one serves beside a failed build',
    situationOf(spec, {
      containers: [previous],
      image: { kind: 'absent' },
      memory: memoryOf({ failedImage }),
      probes: ready('old'),
    }),
    'Ready',
    'BuildFailed',
  ],
];

describe('state', () => {
  for (const [name, observed, state, reason] of rows) {
    test(name, () => {
      const seen = statusOf(observed);
      assert.deepEqual([seen.state, seen.reason], [state, reason]);
      assert.equal(findCondition(seen.conditions, 'Ready')?.status, state === 'Ready' ? 'True' : 'False');
    });
  }
});

const problem: Problem = {
  file: 'programs/x.yaml',
  line: 12,
  column: 16,
  path: '',
  message: 'spec.publishPort must be an integer',
};

test('a broken manifest beside what serves', () => {
  const seen = statusOf(situationOf(spec, { containers: [current], probes: ready('new') }), [problem]);
  assert.deepEqual([seen.state, seen.reason], ['Ready', 'InvalidManifest']);
  assert.equal(seen.errorMsg, 'programs/x.yaml:12:16: spec.publishPort must be an integer');
  assert.equal(findCondition(seen.conditions, 'Valid')?.status, 'False');
});

test('a broken manifest and nothing known', () => {
  const seen = statusOf(situationOf(spec, { goal: { kind: 'hold' }, image: { kind: 'unneeded' } }), [
    problem,
  ]);
  assert.deepEqual([seen.state, seen.reason], ['Error', 'InvalidManifest']);
});

test('a crash loop says how it ended, how often, when next, and its last words', () => {
  const { memory } = crashOf(crashed, 3, timestamp(NOW_MS + 2_000));
  const { errorMsg } = statusOf(situationOf(spec, { containers: [crashed], memory, lastExit }));
  assert.equal(
    errorMsg,
    `exited 3 times in a row (exit code 3); started again at ${timestamp(NOW_MS + 2_000)}\npanic: no money`,
  );
});

test('updatedAt moves with state, reason and ids, and with nothing else', () => {
  const observed = situationOf(spec, { containers: [current], probes: ready('new') });
  const first = statusOf(observed);
  assert.equal(first.updatedAt, timestamp(NOW_MS));
  const later = statusOf({ ...observed, nowMs: NOW_MS + 5_000 }, [], first);
  assert.equal(later.updatedAt, first.updatedAt);
  assert.deepEqual(later, first);
  const unready = statusOf({ ...observed, nowMs: NOW_MS + 9_000, probes: new Map() }, [], first);
  assert.equal(unready.updatedAt, timestamp(NOW_MS + 9_000));
});

test('what serves is shown: its revision, image, build and times', () => {
  const labels = { ...previous.labels, 'dev.hersh.revision': '7', 'dev.hersh.build': 'b'.repeat(64) };
  const serving = { ...previous, labels, imageId: 'sha256:old' };
  const seen = statusOf(
    situationOf(spec, { containers: [serving], image: { kind: 'pending' }, probes: ready('old') }),
  );
  assert.deepEqual(
    [seen.currentRevision, seen.imageId, seen.buildId, seen.containerId, seen.startedAt],
    [7, 'sha256:old', 'build-bbbbbbbbbbbb', 'old', timestamp(serving.startedAtMs)],
  );
});

test('without an engine the last known state stays, and a condition says why, until it answers', () => {
  const known = statusOf(situationOf(spec, { containers: [current], probes: ready('new') }));
  const wish = {
    ...{ goal: { kind: 'run' as const, spec }, memory: known.memory },
    ...{ generation: 1, problems: [], missing: '' },
  };
  const blind = statusWithoutEngine(known, wish, 'connect ENOENT', NOW_MS + 1);
  assert.equal(blind.state, 'Ready');
  assert.equal(findCondition(blind.conditions, 'EngineUnavailable')?.message, 'connect ENOENT');
  const seeing = statusOf(situationOf(spec, { containers: [current], probes: ready('new') }), [], blind);
  assert.equal(findCondition(seeing.conditions, 'EngineUnavailable'), undefined);
});

test('a remote that is not followed is a condition, and nothing else', () => {
  const seen = situationOf(spec, { containers: [current], probes: ready('new') });
  const from = statusOf(seen);
  const remote = { reason: 'RemoteDiverged', message: 'they diverged' };
  const context = { problems: [], generation: 1, commit: '', missing: '' };
  const lost = status(from, seen, plan(seen), { ...context, remote });
  const { status: is, reason, message } = findCondition(lost.conditions, 'RemoteUnavailable') ?? {};
  assert.deepEqual({ is, reason, message }, { is: 'True', ...remote });
  assert.deepEqual({ ...lost, conditions: [] }, { ...from, conditions: [] });
  const back = status(lost, seen, plan(seen), { ...context, remote: undefined });
  assert.equal(findCondition(back.conditions, 'RemoteUnavailable'), undefined);
});

test('events tell each change once', () => {
  const reasons = (from: ProgramStatus, to: ProgramStatus) =>
    eventsBetween(from, to).map(({ type, reason }) => [type, reason]);
  const built = statusOf(situationOf(spec));
  const running = statusOf(situationOf(spec, { containers: [current] }));
  const up = statusOf(situationOf(spec, { containers: [current], probes: ready('new') }));
  const failed = statusOf(
    situationOf(spec, { image: { kind: 'absent' }, memory: memoryOf({ failedImage }) }),
  );
  assert.deepEqual(reasons(before, built), [['Normal', 'Built']]);
  assert.deepEqual(reasons(running, up), [['Normal', 'Ready']]);
  assert.deepEqual(reasons(up, up), []);
  assert.deepEqual(reasons(built, failed), [['Warning', 'BuildFailed']]);
  assert.deepEqual(reasons(up, running), [
    ['Normal', 'Running'],
    ['Warning', 'Unready'],
  ]);
});
