import assert from 'node:assert/strict';
import { test } from 'node:test';
import { betweenTries } from '../../../../api/ui/screens/program/between-tries.ts';
import { aProgram, t } from '../../a-program.ts';

const trouble = { reason: 'CrashLoopBackOff', since: t('03:00') };
const p = aProgram({ state: 'Starting', trouble });

test('while it is tried once more, what keeps exiting is shown as that', () => {
  assert.equal(betweenTries(p).reason, 'CrashLoopBackOff');
});

test('and no longer when the host has forgotten it; what it says counts first', () => {
  assert.equal(betweenTries({ ...p, trouble: null }).reason, '');
  assert.equal(betweenTries({ ...p, state: 'Ready' }).reason, '');
  const not_ready = { message: '', since: t('03:01'), was_ready: true };
  assert.equal(betweenTries({ ...p, state: 'Running', not_ready }).reason, '', 'its probe fails');
  assert.equal(betweenTries({ ...p, reason: 'StartFailed' }).reason, 'StartFailed');
});
