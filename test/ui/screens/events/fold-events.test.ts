import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldEvents } from '../../../../api/ui/screens/events/fold-events.ts';
import { anEvent } from '../../a-program.ts';

const told = (folds: ReturnType<typeof foldEvents>) =>
  folds.map(({ shown, times }) => `${shown.map(({ reason }) => reason).join('+')} ×${times}`);

test('the same again and again is one, newest first, and has what it stands for', () => {
  const events = [
    anEvent('01:00', 'Created'),
    ...['01:01', '01:02', '01:03'].map((clock) => anEvent(clock, 'StartFailed', { message: clock })),
  ];
  const folds = foldEvents(events);
  assert.deepEqual(told(folds), ['StartFailed ×3', 'Created ×1']);
  assert.deepEqual(
    folds[0]?.older.map(({ message }) => message),
    ['01:02', '01:01'],
  );
});

test('what comes by turns, as in a crash loop, is one, with what is left over beside it', () => {
  const turn = (clock: string) => [
    anEvent(`${clock}:00`, 'Restarted'),
    anEvent(`${clock}:01`, 'Running', { state: 'Running' }),
    anEvent(`${clock}:02`, 'CrashLoopBackOff', { type: 'Warning', state: 'Error' }),
  ];
  const events = [anEvent('00:59', 'Ready'), ...turn('01:00'), ...turn('01:01'), ...turn('01:02')];
  const folds = foldEvents(events);
  assert.deepEqual(told(folds), ['CrashLoopBackOff+Running+Restarted ×3', 'Ready ×1']);
  assert.equal(folds[0]?.older.length, 6);
});

test('another revision is another matter, and what somebody asked for stands by itself', () => {
  const events = [
    anEvent('01:00', 'BuildFailed', { revision: 1 }),
    anEvent('01:01', 'BuildFailed', { revision: 2 }),
    anEvent('01:02', 'RestartRequested', { author: 'ana' }),
    anEvent('01:03', 'RestartRequested', { author: 'ana' }),
  ];
  assert.equal(foldEvents(events).length, 4);
  assert.deepEqual(foldEvents([]), []);
});
