import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stateSince, troubleSince } from '../../../../api/ui/screens/program/trouble-since.ts';
import { anEvent, aProgram, ms, t } from '../../a-program.ts';

const crash = (clock: string, times: number) =>
  anEvent(clock, 'CrashLoopBackOff', {
    message: `exited ${times} times in a row (exit code 2); started again at …`,
  });

test('nothing wrong has no since', () => {
  assert.equal(troubleSince(aProgram(), [anEvent('01:00', 'Ready')]), undefined);
  assert.equal(troubleSince(aProgram({ reason: 'Building' }), []), undefined);
});

test('a crash loop is as old as its first crash, though it was ready meanwhile; an older row of crashes is another', () => {
  const p = aProgram({ state: 'Error', reason: 'CrashLoopBackOff' });
  const events = [
    crash('01:00', 2),
    crash('01:01', 3),
    crash('03:00', 2),
    anEvent('03:01', 'Ready'),
    crash('03:02', 3),
  ];
  assert.equal(troubleSince(p, events), ms('03:00'));
});

test('what is tried again is as old as the first try since it was ready or changed', () => {
  const p = aProgram({ state: 'Error', reason: 'StartFailed' });
  const events = [
    anEvent('01:00', 'StartFailed'),
    anEvent('01:30', 'StartRequested', { author: 'ana' }),
    ...['02:00', '02:01'].flatMap((clock) => [anEvent(clock, 'Created'), anEvent(clock, 'StartFailed')]),
  ];
  assert.equal(troubleSince(p, events), ms('02:00'));
});

test('a condition tells where it is about that, and where no event does', () => {
  const condition = (type: string, clock: string, status = 'False') => ({
    ...{ type, status, reason: '', message: '' },
    last_transition_time: t(clock),
  });
  const broken = aProgram({ reason: 'InvalidManifest', conditions: [condition('Valid', '02:00')] });
  assert.equal(troubleSince(broken, [anEvent('01:00', 'InvalidManifest')]), ms('02:00'));
  const failed = aProgram({ reason: 'BuildFailed', conditions: [condition('Progressing', '02:30')] });
  assert.equal(troubleSince(failed, []), ms('02:30'));
  const unready = aProgram({
    state: 'Running',
    not_ready: { message: '', since: t('02:45'), was_ready: true },
  });
  assert.equal(troubleSince(unready, []), ms('02:45'));
});

test('a state is as old as what it is made of', () => {
  assert.equal(stateSince(aProgram({ ready_at: t('01:00'), updated_at: t('02:00') })), ms('01:00'));
  assert.equal(stateSince(aProgram({ state: 'Stopped', updated_at: t('02:00') })), ms('02:00'));
});
