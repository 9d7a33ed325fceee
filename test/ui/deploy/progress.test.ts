import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProgramBody } from '../../../api/routes/view.ts';
import { ladderSteps } from '../../../api/ui/parts/ladder-steps.ts';
import { outcomeOf } from '../../../api/ui/screens/deploy/outcome.ts';
import { type EventBody, merged, progressOf } from '../../../api/ui/screens/deploy/progress.ts';

/** As a host told them; `s` counts seconds. */
const event = (s: number, reason: string, message = ''): EventBody => ({
  ...{ reason, message, type: 'Normal', state: '', revision: 0 },
  time: at(s),
});
const at = (s: number) => new Date(Date.UTC(2026, 10, 28) + s * 1000).toISOString();
const ms = (s: number) => Date.parse(at(s));

const FIRST = [
  event(1, 'StartRequested'),
  event(2, 'Building'),
  event(6, 'Built'),
  event(7, 'Created', 'revision 1 in container'),
  event(8, 'Starting'),
  event(9, 'Running'),
  event(10, 'Ready'),
];

test('a new program goes through all states', () => {
  const { moments, failed } = progressOf(FIRST, { createdAt: at(0), since: '' });
  assert.deepEqual(moments, {
    ...{ Created: ms(0), Building: ms(2), Built: ms(6), Starting: ms(8), Running: ms(9), Ready: ms(10) },
  });
  assert.equal(failed, undefined);
  assert.deepEqual(
    ladderSteps(moments, undefined, undefined).map(({ kind, took }) => `${kind} ${took}`),
    ['past 2.0 s', 'past 4.0 s', 'past 2.0 s', 'past 1.0 s', 'past 1.0 s', 'past after 10 s'],
  );
});

const NEXT = [
  ...FIRST,
  event(20, 'SourcesReplaced', 'by those of build-1'),
  event(21, 'Building'),
  event(25, 'Created', 'revision 2 in container'),
  event(26, 'Starting'),
];

test('of a program that was there, what came since counts; its container tells that the image is made', () => {
  const { moments } = progressOf(NEXT, { createdAt: undefined, since: at(10) });
  assert.deepEqual(moments, { Created: ms(20), Building: ms(21), Built: ms(25), Starting: ms(26) });
  const steps = ladderSteps(moments, undefined, ms(28));
  assert.deepEqual(
    steps.map(({ kind, took }) => `${kind} ${took}`),
    ['past 1.0 s', 'past 4.0 s', 'past 1.0 s', 'now 2.0 s', 'ahead ', 'ahead '],
  );
});

test('a build that fails stops there, and is mended by the next', () => {
  const events = [...FIRST.slice(0, 2), event(5, 'BuildFailed', 'exit code: 1')];
  const { failed, moments } = progressOf(events, { createdAt: at(0), since: '' });
  assert.deepEqual(failed, { at: 'Building', reason: 'BuildFailed', message: 'exit code: 1' });
  assert.deepEqual(
    ladderSteps(moments, failed?.at, ms(9)).map(({ kind }) => kind),
    ['past', 'failed', 'ahead', 'ahead', 'ahead', 'ahead'],
  );
  const again = progressOf([...events, event(8, 'Building')], { createdAt: at(0), since: '' });
  assert.deepEqual([again.failed, again.moments.Building], [undefined, ms(8)]);
});

test('one that crashes has not got ready because it runs again', () => {
  const events = [
    ...FIRST.slice(0, 6),
    event(11, 'CrashLoopBackOff', 'exit code 3'),
    event(12, 'Starting'),
    event(13, 'Running'),
  ];
  assert.equal(progressOf(events, { createdAt: at(0), since: '' }).failed?.at, 'Running');
  assert.equal(
    progressOf([...events, event(14, 'Ready')], { createdAt: at(0), since: '' }).failed,
    undefined,
  );
});

test('what needs no build says so', () => {
  const steps = ladderSteps({ Created: ms(0), Starting: ms(1) }, undefined, ms(2));
  assert.deepEqual(
    steps.map(({ took }) => took),
    ['1.0 s', 'skipped', 'skipped', '1.0 s', '', ''],
  );
});

test('events that came twice are one', () => {
  assert.deepEqual(merged(FIRST.slice(2), FIRST.slice(0, 4)), FIRST);
});

const body = (more: Partial<ProgramBody>): ProgramBody =>
  ({ state: 'Ready', reason: '', conditions: [], not_ready: null, ...more }) as ProgramBody;
const how = { notStarted: '', isSame: false, wasThere: true };

test('how it ends', () => {
  const done = progressOf(FIRST, { createdAt: at(0), since: '' });
  const none = progressOf([], { createdAt: undefined, since: '' });
  assert.deepEqual(outcomeOf(done, body({}), how), { kind: 'ready' });
  assert.deepEqual(outcomeOf(done, undefined, how), { kind: 'gone' });
  assert.deepEqual(outcomeOf(none, undefined, { ...how, wasThere: false }), {
    kind: 'going',
    state: 'Created',
  });
  assert.deepEqual(outcomeOf(none, body({}), { ...how, isSame: true }), { kind: 'same' });
  assert.deepEqual(outcomeOf(none, body({}), { ...how, notStarted: 'no' }), {
    kind: 'notStarted',
    why: 'no',
  });
  assert.deepEqual(outcomeOf(done, body({ state: 'Stopped', reason: 'Completed' }), how), { kind: 'ended' });
  assert.deepEqual(outcomeOf(done, body({ state: 'Stopped' }), how), { kind: 'stopped' });
});
