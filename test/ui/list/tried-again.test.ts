import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProgramBody } from '../../../api/routes/view.ts';
import { seen } from '../../../api/ui/screens/list/seen.ts';
import { TriedAgain } from '../../../api/ui/screens/list/tried-again.ts';
import { exit, programBody } from '../program-body.ts';

const ROW = { restarts_last_hour: 5, last_exit: exit() };
const LATER = '2026-11-28T03:05:00.000Z';
const CRASHED = { ...ROW, state: 'Error', reason: 'CrashLoopBackOff', updated_at: LATER } as const;
const RUNS = { ...ROW, state: 'Running', started_at: LATER, ready_at: '', updated_at: LATER } as const;

/** Takes one look after another, each at its time. */
function kinds(...looks: [atMs: number, given: Partial<ProgramBody>][]): string[] {
  const tried = new TriedAgain();
  return looks.map(([atMs, given]) => tried.take([seen(programBody(given))], atMs)[0]?.kind ?? '');
}

test('what keeps exiting stays down while it is tried again, until it has run for 10 s', () => {
  const starting = { ...ROW, state: 'Starting' } as const;
  assert.deepEqual(
    kinds([0, CRASHED], [100, starting], [900, RUNS], [2_000, CRASHED]),
    Array(4).fill('down'),
  );
  assert.deepEqual(kinds([0, CRASHED], [900, RUNS], [10_000, RUNS], [10_900, RUNS]), [
    ...['down', 'down', 'down', 'busy'],
  ]);
});

test('it is not kept: once it is ready, built anew, stopped; after one crash; where nobody saw it crash', () => {
  const after = (given: Partial<ProgramBody>) => kinds([0, CRASHED], [100, given])[1];
  assert.equal(after({ ...ROW, state: 'Ready' }), 'fine');
  assert.equal(after({ ...ROW, state: 'Building' }), 'busy');
  assert.equal(after({ ...ROW, state: 'Stopped' }), 'rest');
  assert.equal(after({ ...RUNS, restarts_last_hour: 1 }), 'busy');
  assert.equal(after({ ...RUNS, last_exit: null }), 'busy');
  assert.deepEqual(kinds([0, RUNS]), ['busy']);
  assert.deepEqual(kinds([0, CRASHED], [1, { ...ROW, state: 'Ready' }], [2, RUNS]), ['down', 'fine', 'busy']);
});

test('its place is the one it had, its state is the host’s, and it is looked at again when its time has come', () => {
  const tried = new TriedAgain();
  const since = tried.take([seen(programBody(CRASHED))], 0)[0]?.since;
  assert.equal(tried.soonestMs, Number.POSITIVE_INFINITY);
  const [again] = tried.take([seen(programBody(RUNS))], 500);
  assert.equal(again?.since, since);
  assert.equal(again?.p.state, 'Running');
  assert.equal(tried.soonestMs, 10_500);
});
