import assert from 'node:assert/strict';
import { test } from 'node:test';
import { betweenTries } from '../../../../api/ui/screens/program/between-tries.ts';
import { anEvent, aProgram, ms, t } from '../../a-program.ts';

const last_exit = {
  ...{ code: 2, signal: '', out_of_memory: false, message: 'exit code 2' },
  ...{ finished_at: t('03:00'), log_tail: '' },
};
const p = aProgram({ state: 'Starting', last_exit });
const crash = anEvent('03:00', 'CrashLoopBackOff');
const reasonAt = (clock: string, events = [crash], program = p) =>
  betweenTries(program, events, ms(clock)).reason;

test('while it is tried once more, what keeps exiting is shown as that', () => {
  assert.equal(reasonAt('03:01', [crash, anEvent('03:01', 'Restarted')]), 'CrashLoopBackOff');
});

test('and no longer when it is ready, changed, asked for, or has run for long', () => {
  for (const reason of ['Ready', 'ManifestChanged', 'StopRequested'])
    assert.equal(reasonAt('03:02', [crash, anEvent('03:01', reason)]), '', reason);
  assert.equal(reasonAt('03:11'), '');
  assert.equal(reasonAt('03:01', [crash], { ...p, state: 'Ready' }), '');
});

test('what the host says counts first', () => {
  assert.equal(reasonAt('03:01', [crash], { ...p, reason: 'StartFailed' }), 'StartFailed');
});
