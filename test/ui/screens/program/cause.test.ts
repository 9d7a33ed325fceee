import assert from 'node:assert/strict';
import { test } from 'node:test';
import { causeOf } from '../../../../api/ui/screens/program/cause.ts';
import { anEvent, aProgram, aRevision, ms } from '../../a-program.ts';

const revisions = [
  aRevision(5, '00:10', { spec: { env: { MODE: 'paper' } } }),
  aRevision(6, '00:20', { outcome: 'Superseded' }),
  aRevision(7, '02:00', { outcome: 'Failed', spec: { env: { MODE: 'live' } } }),
];

test('a new revision is what it began with, compared with the last one that was ready', () => {
  const p = aProgram({ reason: 'RolledBack', revision: 5, wanted_revision: 7 });
  const cause = causeOf(p, revisions, [], ms('02:01'));
  assert.equal(cause?.revision?.revision, 7);
  assert.equal(cause?.good?.revision, 5);
  assert.deepEqual(cause?.changed, ['spec.env.MODE: paper → live']);
});

test('one that has been ready for long is none, and what was asked for in the hour before is told', () => {
  const p = aProgram({ state: 'Error', reason: 'CrashLoopBackOff', revision: 5, wanted_revision: 5 });
  const events = [
    anEvent('01:00', 'RestartRequested', { author: 'eve' }),
    anEvent('02:30', 'RestartRequested', { author: 'ana' }),
    anEvent('03:30', 'StopRequested', { author: 'bob' }),
  ];
  const cause = causeOf(p, revisions, events, ms('03:00'));
  assert.equal(cause?.revision, undefined);
  assert.equal(cause?.steady?.revision, 5);
  assert.deepEqual(
    cause?.changes.map(({ text }) => text),
    ['restart asked for by ana'],
  );
});

test('where the host is at fault, or nothing is known, no revision is blamed', () => {
  const p = aProgram({ reason: 'EngineUnavailable', revision: 5, wanted_revision: 7 });
  assert.equal(causeOf(p, revisions, [], ms('02:01')), undefined);
  // The revision that can not be built is not made yet.
  const failed = aProgram({ reason: 'BuildFailed', revision: 7, wanted_revision: 7 });
  assert.equal(causeOf(failed, revisions, [], ms('02:01')), undefined);
  assert.equal(causeOf(aProgram({ reason: 'RolledBack' }), [], [], ms('02:01')), undefined);
});

test('a build that fails before there is any revision was changed from nothing; later, what it is made of counts', () => {
  const p = aProgram({ state: 'Error', reason: 'BuildFailed', revision: 0, wanted_revision: 0 });
  const events = [
    anEvent('01:40', 'SourcesReplaced', { author: 'ana' }),
    anEvent('01:50', 'PortReassigned'),
    anEvent('01:59', 'StartRequested', { author: 'ana' }),
  ];
  assert.equal(causeOf(p, [], events, ms('02:00')), undefined);
  const later = causeOf({ ...p, revision: 5 }, revisions.slice(0, 1), events, ms('02:00'));
  assert.deepEqual(
    later?.changes.map(({ text }) => text),
    ['sources replaced by ana'],
  );
  assert.equal(causeOf({ ...p, reason: 'DiskFull' }, revisions, events, ms('02:00')), undefined);
});

test('a revision is not blamed where those before it were never ready either', () => {
  const p = aProgram({ state: 'Error', reason: 'CrashLoopBackOff', revision: 2, wanted_revision: 2 });
  const [r1, r2] = [
    aRevision(1, '01:00', { outcome: 'Failed' }),
    aRevision(2, '02:00', { outcome: 'Failed' }),
  ];
  const cause = causeOf(p, [r1, r2], [], ms('02:01'));
  assert.deepEqual([cause?.revision, cause?.never?.revision], [undefined, 2]);
  // One that never ran says nothing of how it would have been.
  const skipped = causeOf(p, [{ ...r1, outcome: 'Superseded' }, r2], [], ms('02:01'));
  assert.equal(skipped?.revision?.revision, 2);
});
