import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sinceOf, troubleSince } from '../../../api/ui/words/since.ts';
import { aProgram, ms, t } from '../a-program.ts';

const trouble = (reason: string) => ({ reason, since: t('01:00') });

test('what is wrong has one age, whatever has moved since: state, run, conditions', () => {
  const moved = { started_at: t('02:00'), updated_at: t('02:30'), ready_at: t('00:30') };
  const not_ready = { message: '', since: t('00:10'), was_ready: false };
  for (const [reason, state] of [
    ['ProgressDeadlineExceeded', 'Running'],
    ['CrashLoopBackOff', 'Error'],
    ['BuildFailed', 'Ready'],
    ['StartFailed', 'Error'],
  ] as const) {
    const p = aProgram({ ...moved, reason, state, not_ready, trouble: trouble(reason) });
    assert.deepEqual([troubleSince(p), sinceOf(p).at], [ms('01:00'), ms('01:00')], reason);
  }
  const late = { reason: 'ProgressDeadlineExceeded', state: 'Running' };
  assert.equal(
    sinceOf(aProgram({ ...moved, ...late, trouble: trouble('CrashLoopBackOff') })).at,
    ms('01:00'),
  );
  // While it is tried once more no reason is told.
  const tried = aProgram({ ...moved, state: 'Starting', trouble: trouble('CrashLoopBackOff') });
  assert.equal(sinceOf(tried).at, ms('01:00'));
});

test('what the page calls wrong by itself is as old as what it is told by', () => {
  const lost = { type: 'Valid', status: 'Unknown', reason: 'ManifestMissing', message: '' };
  const conditions = [{ ...lost, last_transition_time: t('02:00') }];
  assert.equal(sinceOf(aProgram({ conditions })).at, ms('02:00'));
  const not_ready = { message: '', since: t('02:45'), was_ready: true };
  assert.equal(sinceOf(aProgram({ state: 'Running', not_ready })).at, ms('02:45'));
});

test('nothing wrong has the age of its state', () => {
  const well = aProgram({ ready_at: t('01:00'), updated_at: t('02:00') });
  assert.deepEqual([troubleSince(well), sinceOf(well).at], [undefined, ms('01:00')]);
  assert.equal(troubleSince(aProgram({ reason: 'Building' })), undefined);
  assert.equal(sinceOf(aProgram({ state: 'Stopped', updated_at: t('02:00') })).at, ms('02:00'));
});
