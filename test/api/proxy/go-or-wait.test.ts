import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  NOTICE_MS_MAX,
  type Question,
  runOf,
  servingOf,
  type Tried,
  verdictOf,
} from '../../../api/proxy/go-or-wait.ts';
import type { LastExit } from '../../../schemas/last-exit.ts';
import { PROGRAM_STATES, timestamp } from '../../../schemas/program.ts';
import type { ProgramStatus } from '../../../schemas/status.ts';
import { fakeView, goodMemory, type ViewOptions } from '../fake-view.ts';

const STARTED = Date.parse('2026-11-22T10:00:00.000Z');
/** Long after the run began. */
const NOW = STARTED + 3_600_000;
const ASK: Question = { nowMs: NOW, waitMs: 10_000, leftMs: 10_000, repeatable: true, tried: undefined };

/** A program that was ready before. */
function view(options: ViewOptions = {}) {
  return fakeView('p1', { ...options, status: { memory: goodMemory(), ...options.status } });
}

const crashLoop = (nextMs: number): Partial<ProgramStatus> => ({
  reason: 'CrashLoopBackOff',
  memory: { ...goodMemory(), starts: { crashes: { count: 3, nextAt: timestamp(NOW + nextMs) } } },
});

const ending = (end: 'asked' | 'unhealthy', startedAtMs = STARTED): Partial<ProgramStatus> => ({
  memory: { ...goodMemory(), containers: { c0ffee: { run: { startedAtMs, end } } } },
});

test('who goes, who waits and who is refused, by state and wish', () => {
  const rows: [what: string, options: ViewOptions, want: string][] = [
    ['Ready', {}, 'go'],
    ['Running', { state: 'Running' }, 'go'],
    ['Ready, to be stopped', { desiredState: 'Stopped' }, 'go'],
    ['Ready, being stopped for another', { status: ending('asked') }, 'wait'],
    ['Ready, being stopped as unhealthy', { status: ending('unhealthy') }, 'wait'],
    ['Ready, an earlier run was stopped', { status: ending('asked', STARTED - 1) }, 'go'],
    ['being stopped for good', { status: ending('asked'), desiredState: 'Stopped' }, 'refuse'],
    ...(['Building', 'Built', 'Starting', 'Stopping'] as const).flatMap((state): typeof rows => [
      [state, { state }, 'wait'],
      [`${state}, wanted Stopped`, { state, desiredState: 'Stopped' }, 'refuse'],
      [`${state}, ended for good`, { state, finished: true }, 'refuse'],
      [`${state}, never ready before`, { state, status: { memory: fakeView('x').status.memory } }, 'refuse'],
    ]),
    ['Created', { state: 'Created' }, 'refuse'],
    ['Stopped', { state: 'Stopped' }, 'refuse'],
    ['Error', { state: 'Error' }, 'refuse'],
    ['back-off within the wait', { state: 'Error', status: crashLoop(4_000) }, 'wait'],
    ['back-off longer than the wait', { state: 'Error', status: crashLoop(16_000) }, 'refuse'],
    ['without a port', { port: 0 }, 'wait'],
  ];
  for (const [what, options, want] of rows) assert.equal(verdictOf(view(options), ASK).kind, want, what);
});

test('nobody waits where the wait is over, or there is none', () => {
  for (const state of PROGRAM_STATES) {
    for (const repeatable of [true, false]) {
      const verdict = verdictOf(view({ state }), { ...ASK, repeatable, leftMs: 0 });
      assert.equal(verdict.kind, state === 'Ready' || state === 'Running' ? 'go' : 'refuse', state);
    }
  }
});

test('a refusal says when to come again, where that is known or soon', () => {
  const after = (options: ViewOptions, leftMs = 10_000) => {
    const verdict = verdictOf(view(options), { ...ASK, leftMs });
    return verdict.kind === 'refuse' ? verdict.retryAfterSeconds : verdict.kind;
  };
  assert.equal(after({ state: 'Error', status: crashLoop(15_200) }), 16);
  assert.equal(after({ state: 'Starting' }, 0), 2);
  assert.equal(after({ state: 'Stopped' }), undefined);
});

test('what may not be sent twice waits for Ready behind a run that has just begun', () => {
  const early = { ...ASK, nowMs: STARTED + 1_000 };
  assert.equal(verdictOf(view({ state: 'Running' }), early).kind, 'go');
  assert.deepEqual(verdictOf(view({ state: 'Running' }), { ...early, repeatable: false }), {
    kind: 'wait',
    ms: 9_000,
  });
  assert.equal(verdictOf(view(), { ...early, repeatable: false }).kind, 'go');
  assert.equal(verdictOf(view({ state: 'Running' }), { ...ASK, repeatable: false }).kind, 'go');
});

function tried(options: ViewOptions, more: Partial<Tried> = {}): Tried {
  const { status } = view(options);
  return { serving: servingOf(status), run: runOf(status), failedAtMs: NOW, unanswered: undefined, ...more };
}

test('one that got no answer waits until the host knows why, and no longer', () => {
  const asked = (options: ViewOptions, nowMs: number, before: ViewOptions = {}) =>
    verdictOf(view(options), { ...ASK, nowMs, tried: tried(before) }).kind;
  assert.equal(asked({}, NOW), 'wait');
  assert.equal(asked({}, NOW + NOTICE_MS_MAX), 'fail');
  assert.equal(asked({ state: 'Starting' }, NOW + 1), 'wait');
  assert.equal(asked({ state: 'Stopped' }, NOW + 1), 'refuse');
  assert.equal(asked({ status: { startedAt: timestamp(NOW + 1) } }, NOW + 2), 'go');
  assert.equal(asked({ status: { containerId: 'beef' } }, NOW + 2), 'go');
  assert.equal(asked({}, NOW + 1, { state: 'Running' }), 'go', 'the same run is Ready now');
  assert.equal(
    asked({ state: 'Running' }, STARTED + 9_999, { state: 'Running' }),
    'wait',
    'it may listen yet',
  );
});

test('what may have been read is sent again only where it was not', () => {
  const sent = { connectedAtMs: NOW - 50, failedAtMs: NOW };
  const before = tried({}, { unanswered: sent });
  const exit = (finishedAtMs: number, run = before.run): { lastExit: LastExit } => ({
    lastExit: {
      ...{ exitCode: 137, oomKilled: false, signal: 'SIGKILL', logTail: '', run },
      finishedAt: timestamp(finishedAtMs),
    },
  });
  const next = (ms: number) => ({ startedAt: timestamp(ms) });
  const rows: [what: string, options: ViewOptions, want: string][] = [
    ['nothing is known yet', {}, 'wait'],
    ['an earlier end', { status: exit(NOW - 100, 'c0ffee@1') }, 'wait'],
    ['over before we came', { state: 'Starting', status: exit(NOW - 51) }, 'wait'],
    ['over before we came, and back', { status: { ...exit(NOW - 51), ...next(NOW + 1) } }, 'go'],
    ['back before we left', { status: { ...exit(NOW - 51), ...next(NOW) } }, 'fail'],
    ['over in the very moment', { state: 'Starting', status: exit(NOW - 50) }, 'fail'],
    ['over while we were there', { state: 'Starting', status: exit(NOW - 20) }, 'fail'],
    ['another run, and no word of the end', { status: next(NOW + 1) }, 'fail'],
  ];
  for (const [what, options, want] of rows) {
    const question = { ...ASK, nowMs: NOW + 5, repeatable: false, tried: before };
    const verdict = verdictOf(view(options), question);
    assert.equal(verdict.kind, want, what);
  }
  const late = { ...ASK, nowMs: NOW + NOTICE_MS_MAX, repeatable: false, tried: before };
  assert.equal(verdictOf(view(), late).kind, 'fail');
});
