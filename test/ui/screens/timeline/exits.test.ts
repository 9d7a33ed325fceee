import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LastExitBody } from '../../../../api/routes/view.ts';
import { exitsOf } from '../../../../api/ui/screens/timeline/exits.ts';
import type { LogRun } from '../../../../schemas/log-line.ts';
import { anEvent, ms, t } from '../../a-program.ts';

const run = (from: string, to: string | null, code = 2): LogRun => ({
  ...{ id: from, container_id: 'c0ffee', revision: 1, started: t(from), finished: to && t(to) },
  ...{ exit_code: to === null ? null : code, exit: to === null ? '' : `exit code ${code}`, kept: null },
});
const last = (clock: string): LastExitBody => ({
  ...{ code: 2, signal: '', out_of_memory: false, message: 'exit code 2' },
  ...{ finished_at: t(clock), log_tail: '' },
});
const crash = (clock: string, times: number, how = 'exit code 2') =>
  anEvent(clock, 'CrashLoopBackOff', {
    message: `exited ${times} times in a row (${how}); started again at …`,
  });

test('runs tell of exits exactly; what ended later than the last one by itself was stopped', () => {
  const runs = [run('01:00', '01:05'), run('01:06', '01:07'), run('01:08', '01:30', 0)];
  const exits = exitsOf([], runs, last('01:07'));
  assert.deepEqual(
    exits.map(({ at, from, what }) => [at, from, what]),
    [
      [ms('01:05'), ms('01:00'), 'exit code 2'],
      [ms('01:07'), ms('01:06'), 'exit code 2'],
    ],
  );
});

test('before the runs that are known events tell, each exit once', () => {
  const events = [
    anEvent('01:00', 'Restarted', { message: 'restart 1 of c0ffee after out of memory' }),
    crash('01:02', 2),
    crash('01:02:01.000', 2),
    anEvent('01:03', 'Restarted', { message: 'restart 2 of c0ffee after exit code 2' }),
    crash('01:05:00.400', 3),
  ];
  const exits = exitsOf(events, [run('01:03', '01:05')], last('01:05'));
  assert.deepEqual(
    exits.map(({ at, what }) => [at, what]),
    [
      [ms('01:00'), 'out of memory'],
      [ms('01:02'), 'exit code 2'],
      [ms('01:05'), 'exit code 2'],
    ],
  );
});

test('an end with code 0 is a good one, and the last is told by the program where nothing else does', () => {
  const [done] = exitsOf([anEvent('01:00', 'Completed')], [], null);
  assert.equal(done?.isGood, true);
  assert.equal(exitsOf([], [], last('01:07'))[0]?.at, ms('01:07'));
});
