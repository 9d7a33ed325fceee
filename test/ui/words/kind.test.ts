import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProgramBody } from '../../../api/routes/view.ts';
import { doingOf } from '../../../api/ui/words/doing.ts';
import { type Kind, kindOf } from '../../../api/ui/words/kind.ts';
import { sinceOf } from '../../../api/ui/words/since.ts';
import { AT, condition, programBody } from '../program-body.ts';

const KINDS_OF: readonly [Kind, Partial<ProgramBody>][] = [
  ['fine', {}],
  ['down', { state: 'Error', reason: 'BuildFailed' }],
  ['down', { state: 'Running', reason: 'ProgressDeadlineExceeded' }],
  ['down', { state: 'Running', not_ready: { message: '', since: AT, was_ready: true } }],
  ['busy', { state: 'Running', not_ready: { message: '', since: AT, was_ready: false } }],
  ['look', { reason: 'BuildFailed' }],
  ['look', { conditions: [condition('Valid', 'Unknown', 'ManifestMissing')] }],
  ['look', { conditions: [condition('StateLost', 'True', 'VolumeGone')] }],
  ['busy', { reason: 'Building' }],
  ['busy', { state: 'Starting' }],
  ['down', { state: 'Starting', reason: 'RolledBack' }],
  ['rest', { state: 'Stopped', reason: 'Completed' }],
  ['rest', { state: 'Created' }],
  ['rest', { state: 'Stopped', reason: 'InvalidManifest' }],
];

test('how a program stands follows from its state and what is wrong', () => {
  assert.deepEqual(
    KINDS_OF.map(([, given]) => kindOf(programBody(given))),
    KINDS_OF.map(([kind]) => kind),
  );
});

test('"since" is what tells most', () => {
  const later = '2026-11-28T04:00:00.000Z';
  const at = (given: Partial<ProgramBody>) => sinceOf(programBody({ updated_at: later, ...given })).at;
  assert.equal(at({}), Date.parse(AT));
  assert.equal(at({ reason: 'BuildFailed' }), Date.parse(later));
  assert.equal(
    at({ state: 'Running', not_ready: { message: '', since: AT, was_ready: true } }),
    Date.parse(AT),
  );
  assert.equal(at({ ready_at: '', updated_at: '' }), undefined);
});

test('what is on the way says what it does', () => {
  const conditions = [condition('Progressing', 'True', 'WaitingForReadiness', 'GET / answered 503')];
  assert.equal(doingOf(programBody({ state: 'Running', conditions })), 'Waits for its probe: answered 503');
  assert.equal(doingOf(programBody({ state: 'Created' })), 'Never started');
  const other = [condition('Progressing', 'True', 'Newer', 'what is new\nmore')];
  assert.equal(doingOf(programBody({ state: 'Building', conditions: other })), 'what is new');
});
