import assert from 'node:assert/strict';
import { test } from 'node:test';
import { programDetails } from '../../../controller/serve/program-details.ts';
import { emptyMemory, type ProgramMemory } from '../../../schemas/memory.ts';
import { timestamp } from '../../../schemas/program.ts';
import { resolveSpec } from '../../../schemas/resolve.ts';
import { attemptOf, revisionHash } from '../../../schemas/spec-hash.ts';
import { emptyStatus, restartsInHour, withRestart } from '../../../schemas/status.ts';

const NOW_MS = Date.parse('2026-01-01T12:00:00.000Z');
const RAW = { userId: 'ann', image: 'busybox', restartedAt: 'x', resources: { memory: '64Mi', cpus: 0.25 } };
const SPEC = resolveSpec(RAW, 'runc');
const HASH = revisionHash(SPEC, 'busybox');

function wanting(change: Partial<ProgramMemory> = {}, newest = { number: 3, hash: HASH }): ProgramMemory {
  const memory = emptyMemory();
  const inForce = { rawHash: '', rawSpec: RAW, spec: SPEC, labels: {} };
  const rollout = { verdict: 'new', attempt: attemptOf(SPEC, 'busybox'), refusals: 0 } as const;
  return { ...memory, program: { ...memory.program, inForce, newest }, rollout, ...change };
}

const detailsOf = (memory: ProgramMemory, currentRevision = 2, observedRevision = 'head') =>
  programDetails(
    { ...emptyStatus('p', 0), memory, currentRevision, observedRevision },
    (n) => `c${n}`,
    4,
    NOW_MS,
    undefined,
  );

test('the wanted revision has a number once it is made, and until then the commit that was looked at', () => {
  const made = detailsOf(wanting());
  assert.deepEqual([made.wantedRevision, made.commit, made.wantedCommit], [3, 'c2', 'c3']);
  const unmade = detailsOf(wanting({}, { number: 3, hash: 'another' }));
  assert.deepEqual([unmade.wantedRevision, unmade.commit, unmade.wantedCommit], [0, 'c2', 'head']);
  const none = detailsOf(emptyMemory(), 0);
  assert.deepEqual([none.wantedRevision, none.commit, none.limits], [0, '', null]);
});

test('one that was rolled back is still what is wanted, and is tried again when it says', () => {
  const good = { revision: 2, hash: 'h', imageKey: 'k', buildId: '', spec: SPEC };
  const nextAt = timestamp(NOW_MS + 5_000);
  const bad = { revision: 5, reason: 'StartFailed', message: '', nextAt };
  const rollout = { verdict: 'bad', attempt: 'a', refusals: 1, good, ...bad } as const;
  const { wantedRevision, nextTryAt } = detailsOf(wanting({ rollout }));
  assert.deepEqual([wantedRevision, nextTryAt], [5, nextAt]);
});

test('runtime and image are of what serves, and of what is wanted until something does', () => {
  const spec = resolveSpec({ userId: 'ann', build: { context: 'sources/p' }, runtime: 'runsc' }, 'runc');
  const good = { revision: 2, hash: 'h', imageKey: 'k', buildId: 'build-0123456789ab', spec };
  const rollout = { verdict: 'new', attempt: 'a', refusals: 0, good } as const;
  const made = (memory: ProgramMemory, serves: number) => {
    const { runtime, image } = detailsOf(memory, serves);
    return [runtime, image];
  };
  assert.deepEqual(made(wanting({ rollout }), 2), ['runsc', '']);
  assert.deepEqual(made(wanting(), 0), ['runc', 'busybox']);
  assert.deepEqual(made(emptyMemory(), 0), ['', '']);
});

test('the next try is the soonest that is still to come, and none where nothing is wanted to run', () => {
  const at = (ms: number) => timestamp(NOW_MS + ms);
  const failed = { reason: 'StartFailed', message: '', attempts: 1, nextAt: at(9_000) };
  const starts = { failed, crashes: { count: 2, nextAt: at(3_000) } };
  assert.equal(detailsOf(wanting({ starts })).nextTryAt, at(3_000));
  assert.equal(
    detailsOf(wanting({ starts: { ...starts, crashes: { count: 2, nextAt: at(0) } } })).nextTryAt,
    at(9_000),
  );
  const memory = wanting({ starts });
  const rest = { why: 'finished', specHash: '', exitCode: 0, overtaken: false } as const;
  assert.equal(detailsOf({ ...memory, program: { ...memory.program, rest } }).nextTryAt, '');
});

test('the limits are those of the spec in force', () => {
  const { limits, restartsInHour: count } = detailsOf(wanting());
  assert.deepEqual([limits?.memoryBytes, limits?.cpus, count], [64 * 2 ** 20, 0.25, 4]);
});

test('restarts count for an hour, and no more than are kept', () => {
  let status = emptyStatus('p', 0);
  for (const minute of [0, 10, 59]) status = withRestart(status, NOW_MS + minute * 60_000);
  const count = (minute: number) => restartsInHour(status, NOW_MS + minute * 60_000);
  assert.deepEqual(count(59), { count: 3, untilMs: NOW_MS + 60 * 60_000 });
  assert.deepEqual(count(60), { count: 2, untilMs: NOW_MS + 70 * 60_000 });
  assert.deepEqual(count(119), { count: 0 });
  // A clock that was ahead, and is right now.
  assert.equal(count(5).count, 1);
  for (let index = 0; index < 150; index++) status = withRestart(status, NOW_MS + index);
  assert.equal(restartsInHour(status, NOW_MS + 150).count, 100);
  assert.equal(status.restartCount, 153);
});
