import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plan } from '../../../controller/program/plan.ts';
import { status } from '../../../controller/program/status.ts';
import { findCondition } from '../../../schemas/conditions.ts';
import { timestamp } from '../../../schemas/program.ts';
import type { Situation } from '../../../schemas/situation.ts';
import { emptyStatus, type ProgramStatus } from '../../../schemas/status.ts';
import {
  containerOf,
  crashOf,
  EXITED,
  HASH,
  memoryOf,
  NOW_MS,
  ready,
  situationOf,
  specOf,
} from './situation-fixture.ts';

const spec = specOf({ progressDeadlineSeconds: 1 });
const runs = containerOf('new', spec);
const unheard = new Map([['new', { ready: undefined, live: undefined, message: '' }]]);
const refused = new Map([['new', { ready: false, live: undefined, message: 'refused' }]]);

/** One look after the other, a minute apart. */
function looks(...situations: Situation[]): ProgramStatus[] {
  let before = emptyStatus('x', NOW_MS - 60_000);
  return situations.map((one, at) => {
    const situation = { ...one, nowMs: NOW_MS + at * 60_000 };
    const context = { problems: [], generation: 1, commit: '', missing: '', remote: undefined };
    before = status(before, situation, plan(situation), context);
    return before;
  });
}

test('a new host, which has not heard its probe yet, goes on with what was not ready in time', () => {
  const late = situationOf(spec, { containers: [runs], probes: refused });
  const [first, adopted, after] = looks(late, { ...late, probes: unheard }, late);
  assert.equal(adopted?.reason, 'ProgressDeadlineExceeded');
  const since = (of: ProgramStatus | undefined) =>
    [findCondition(of?.conditions ?? [], 'Progressing')?.lastTransitionTime, of?.trouble?.since].join();
  assert.equal(since(after), since(first));
  // The word of a probe counts more, and another run is another story.
  const [, well] = looks(late, { ...late, probes: ready('new') });
  assert.deepEqual([well?.reason, well?.trouble], ['', null]);
  const again = { ...runs, startedAtMs: runs.startedAtMs + 500 };
  const [, restarted] = looks(late, { ...late, containers: [again], probes: unheard, rolloutMs: 0 });
  assert.deepEqual([restarted?.reason, restarted?.trouble], ['', null]);
});

test('what keeps exiting is as old as the first time, until it ran well for long', () => {
  const ended = containerOf('new', spec, EXITED);
  const waits = (count: number, minute: number) =>
    situationOf(spec, {
      containers: [ended],
      ...crashOf(ended, count, timestamp(NOW_MS + minute * 60_000 + 9_000)),
    });
  const tried = situationOf(spec, { containers: [runs], ...crashOf(ended, 3, '') });
  const [first, between, again] = looks(waits(3, 0), tried, waits(4, 2));
  assert.equal(between?.reason, '');
  assert.equal(again?.reason, 'CrashLoopBackOff');
  assert.deepEqual([between?.trouble, again?.trouble], [first?.trouble, first?.trouble]);
  const calm = { ...tried, containers: [{ ...runs, startedAtMs: NOW_MS - 10 * 60_000 }] };
  assert.equal(looks(waits(3, 0), calm)[1]?.trouble, null, 'it runs for long');
  // A run of it has had its time without being ready, and exits again: it is one row.
  const lateBetween = { ...tried, probes: refused };
  const [one, late, another] = looks(waits(3, 0), lateBetween, waits(4, 2));
  assert.equal(late?.reason, 'ProgressDeadlineExceeded');
  assert.deepEqual([late?.trouble, another?.trouble], [one?.trouble, one?.trouble]);
  const anew = looks(waits(4, 0), { ...tried, ...crashOf(ended, 1, '') }, waits(2, 2));
  assert.deepEqual(
    anew.map(({ trouble }) => trouble?.since),
    [timestamp(NOW_MS), undefined, timestamp(NOW_MS + 120_000)],
  );
});

test('a build that is tried again is as old as its first try; another one is another trouble', () => {
  const failedImage = { key: HASH, reason: 'BuildFailed', message: 'no', attempts: 1, nextAt: '' };
  const failed = situationOf(spec, { image: { kind: 'absent' }, memory: memoryOf({ failedImage }) });
  const tried = { ...failed, image: { kind: 'pending' } } as const;
  const [first, , again] = looks(failed, tried, failed);
  assert.deepEqual(again?.trouble, first?.trouble);
  const [, other] = looks(failed, { ...tried, imageKey: 'b'.repeat(64) });
  assert.equal(other?.trouble, null);
});
