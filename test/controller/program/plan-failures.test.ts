import assert from 'node:assert/strict';
import { describe as suite, test } from 'node:test';
import { describe } from '../../../controller/program/action.ts';
import { plan } from '../../../controller/program/plan.ts';
import { LABELS, timestamp } from '../../../schemas/program.ts';
import type { Situation } from '../../../schemas/situation.ts';
import { revisionHash } from '../../../schemas/spec-hash.ts';
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
const current = containerOf('new', spec);
const previous = containerOf('old', older, { createdAtMs: NOW_MS - 9_000, startedAtMs: NOW_MS - 8_000 });
const inFuture = (ms: number) => timestamp(NOW_MS + ms);
const crashed = containerOf('new', spec, EXITED);

interface Row {
  name: string;
  observed: Situation;
  want: string[];
}

const rows: Row[] = [
  // Crashes.
  {
    name: 'crashed for the first time: started at once',
    observed: situationOf(spec, {
      containers: [crashed],
      ...crashOf(crashed, 1, inFuture(0)),
    }),
    want: ['start new (restart)'],
  },
  {
    name: 'crashed again: waits',
    observed: situationOf(spec, {
      containers: [crashed],
      ...crashOf(crashed, 4, inFuture(4_000)),
    }),
    want: ['look again in 4000 ms: back-off after a crash'],
  },
  {
    name: 'a clock that jumped back: waits a minute at most',
    observed: situationOf(spec, {
      containers: [crashed],
      ...crashOf(crashed, 4, inFuture(86_400_000)),
    }),
    want: ['look again in 60000 ms: back-off after a crash'],
  },
  {
    name: 'finished: stays so',
    observed: situationOf(spec, {
      containers: [crashed],
      memory: memoryOf({
        program: { rest: { why: 'finished', specHash: hashOf(spec), exitCode: 0, overtaken: false } },
      }),
    }),
    want: [],
  },
  {
    name: 'finished, and its container removed by hand: stays so',
    observed: situationOf(spec, {
      memory: memoryOf({
        program: { rest: { why: 'finished', specHash: hashOf(spec), exitCode: 0, overtaken: false } },
      }),
    }),
    want: [],
  },
  {
    name: 'finished as another spec: runs anew',
    observed: situationOf(spec, {
      memory: memoryOf({
        program: { rest: { why: 'finished', specHash: 'v1:other', exitCode: 0, overtaken: false } },
      }),
    }),
    want: ['create hersh-program-x for revision 1'],
  },
  {
    name: 'paused by somebody: goes on',
    observed: situationOf(spec, { containers: [{ ...current, state: 'paused' }], probes: ready('new') }),
    want: ['unpause new'],
  },
  {
    name: 'liveness fails: ended, and not by wish',
    observed: situationOf(spec, {
      containers: [current],
      probes: new Map([['new', { ready: true, live: false, message: '' }]]),
    }),
    want: ['stop new within 10 s: its liveness probe fails'],
  },
  {
    name: 'dead: removed, which may fail, when another is made',
    observed: situationOf(spec, {
      containers: [{ ...current, state: 'dead' }],
      memory: memoryOf({ program: { newest: { number: 1, hash: revisionHash(spec, HASH) } } }),
    }),
    want: ['create hersh-program-x-d3158666 for revision 1', 'remove new: its state is dead'],
  },
  {
    name: 'being removed by somebody: not waited for',
    observed: situationOf(spec, {
      containers: [{ ...current, state: 'removing' }],
      memory: memoryOf({ program: { newest: { number: 1, hash: revisionHash(spec, HASH) } } }),
    }),
    want: ['create hersh-program-x-d3158666 for revision 1'],
  },
  {
    name: 'beside a container of a revision that was never written down: takes the number after it',
    observed: situationOf(spec, {
      containers: [{ ...previous, labels: { ...previous.labels, [LABELS.revision]: '7' } }],
      memory: memoryOf({ program: { newest: { number: 3, hash: 'another' } } }),
    }),
    want: ['create hersh-program-x-d3158666 for revision 8'],
  },
  {
    name: 'the last start failed: waits',
    observed: situationOf(spec, {
      containers: [containerOf('new', spec, NEVER_RAN)],
      memory: memoryOf({
        starts: { failed: { reason: 'StartFailed', message: '', attempts: 2, nextAt: inFuture(2_000) } },
      }),
    }),
    want: ['look again in 2000 ms: the last start failed'],
  },

  // Builds that fail.
  {
    name: 'a build that failed for good is not tried again',
    observed: situationOf(spec, {
      image: { kind: 'absent' },
      memory: memoryOf({
        failedImage: { key: HASH, reason: 'BuildFailed', message: '', attempts: 1, nextAt: '' },
      }),
    }),
    want: [],
  },
  {
    name: 'a build that failed for want of a network waits for its next try',
    observed: situationOf(spec, {
      image: { kind: 'absent' },
      memory: memoryOf({
        failedImage: { key: HASH, reason: 'BuildFailed', message: '', attempts: 1, nextAt: inFuture(5_000) },
      }),
    }),
    want: ['look again in 5000 ms: the build is tried again'],
  },
  {
    name: 'other sources are another build',
    observed: situationOf(spec, {
      image: { kind: 'absent' },
      memory: memoryOf({
        failedImage: { key: 'b'.repeat(64), reason: 'BuildFailed', message: '', attempts: 1, nextAt: '' },
      }),
    }),
    want: ['build build-aaaaaaaaaaaa'],
  },
  {
    name: 'the context is gone: what runs is left alone',
    observed: situationOf(spec, {
      containers: [current],
      imageKey: '',
      image: { kind: 'unknown', reason: 'BuildFailed', message: 'gone' },
    }),
    want: [],
  },
  {
    name: 'no port: waits',
    observed: situationOf(spec, { port: 0, portProblem: { reason: 'PortsExhausted', message: '' } }),
    want: ['look again in 5000 ms: no port, or the last try failed'],
  },
];

suite('plan', () => {
  for (const { name, observed, want } of rows) {
    test(name, () => assert.deepEqual(plan(observed).map(describe), want));
  }
});
