import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goalOf } from '../../../controller/program/goal.ts';
import { type ProgramMemory, withProgram } from '../../../schemas/memory.ts';
import type { ManifestEntry, Wanted } from '../../../schemas/wanted.ts';
import { memoryOf } from './situation-fixture.ts';

const present = (rawSpec: Record<string, unknown> | undefined, problem = ''): Wanted => ({
  kind: 'present',
  entry: {
    name: 'x',
    text: '',
    etag: '',
    program: rawSpec && { name: 'x', labels: { team: 'a' }, annotations: {}, rawSpec },
    problems: problem === '' ? [] : [{ path: '', message: problem }],
  } satisfies ManifestEntry,
});
const raw = { userId: 'me', image: 'busybox' };
const inForce = (rawSpec: Record<string, unknown> = raw) => goalOf(present(rawSpec), memoryOf(), 0, 'runc');

test('a valid manifest is in force, with every default', () => {
  const { goal, memory, generation } = inForce();
  assert.equal(goal.kind, 'run');
  assert.equal(generation, 1);
  assert.equal(memory.program.inForce?.spec.resources.memoryBytes, 512 * 2 ** 20);
  assert.deepEqual(memory.program.inForce?.labels, { team: 'a' });
  assert.equal(memory.program.startRequested, true);
});

test('a broken manifest leaves the last valid spec in force', () => {
  const { goal, generation, problems } = goalOf(present(undefined, 'broken'), inForce().memory, 1, 'runc');
  assert.equal(goal.kind === 'run' && goal.spec.image, 'busybox');
  assert.equal(generation, 1);
  assert.equal(problems[0]?.message, 'broken');
});

test('a missing manifest that is not believed gone leaves it too, and says so', () => {
  const merging = goalOf({ kind: 'unknown', why: 'a merge is in progress' }, inForce().memory, 1, 'runc');
  assert.equal(merging.missing, 'a merge is in progress; the last valid one stays in force');
  const { goal, missing } = goalOf({ kind: 'unknown' }, inForce().memory, 1, 'runc');
  assert.equal(goal.kind, 'run');
  assert.match(missing, /missing/);
});

test('nothing valid was ever known: nothing is touched', () => {
  assert.equal(goalOf(present(undefined, 'broken'), memoryOf(), 0, 'runc').goal.kind, 'hold');
  assert.equal(goalOf({ kind: 'unknown' }, memoryOf(), 0, 'runc').goal.kind, 'hold');
});

test('gone is gone', () => {
  assert.equal(goalOf({ kind: 'gone' }, inForce().memory, 1, 'runc').goal.kind, 'remove');
});

test('the generation grows when the resolved spec changes, and only then', () => {
  const { memory } = inForce();
  const next = (rawSpec: Record<string, unknown>) => goalOf(present(rawSpec), memory, 1, 'runc').generation;
  assert.equal(next(raw), 1);
  assert.equal(next({ ...raw, restartPolicy: 'Always' }), 1, 'a default written out changes nothing');
  assert.equal(next({ ...raw, env: { A: '1' } }), 2);
});

test('a spec that nobody changed keeps the defaults it was resolved with', () => {
  const { memory } = inForce();
  assert.ok(memory.program.inForce);
  const spec = { ...memory.program.inForce.spec, progressDeadlineSeconds: 77 };
  const older = withProgram(memory, { inForce: { ...memory.program.inForce, spec } });
  const same = goalOf(present(raw), older, 1, 'runc');
  assert.equal(same.goal.kind === 'run' && same.goal.spec.progressDeadlineSeconds, 77);
  const changed = goalOf(present({ ...raw, env: { A: '1' } }), older, 1, 'runc');
  assert.equal(changed.goal.kind === 'run' && changed.goal.spec.progressDeadlineSeconds, 60);
});

test('a host started with another default runtime applies it to programs that name none', () => {
  const { memory } = inForce();
  const { goal } = goalOf(present(raw), memory, 1, 'runsc');
  assert.equal(goal.kind === 'run' && goal.spec.runtime, 'runsc');
});

/** What may be forgotten, by the names it has in the tests below. */
const failed = (memory: ProgramMemory): ProgramMemory => ({
  ...withProgram(memory, { rest: { why: 'finished', specHash: 'h', exitCode: 0, overtaken: false } }),
  failedImage: { key: 'h', reason: '', message: '', attempts: 1, nextAt: '' },
  starts: {
    crashes: { count: 5, nextAt: '' },
    failed: { reason: '', message: '', attempts: 1, nextAt: '' },
  },
});
const FAILURES: Record<string, (memory: ProgramMemory) => unknown> = {
  backOff: ({ starts }) => starts.crashes,
  failedBuild: ({ failedImage }) => failedImage,
  failedStart: ({ starts }) => starts.failed,
  finished: ({ program }) => program.rest,
};
const names = (memory: ProgramMemory) =>
  Object.keys(FAILURES).filter((key) => FAILURES[key]?.(memory) !== undefined);

const once = { ...raw, restartPolicy: 'Never' };

test('what is forgotten, and when', () => {
  const { memory } = goalOf(present(once), memoryOf(), 0, 'runc');
  const before = failed(memory);
  const after = (rawSpec: Record<string, unknown>) =>
    names(goalOf(present(rawSpec), before, 1, 'runc').memory);
  assert.deepEqual(after(once), ['backOff', 'failedBuild', 'failedStart', 'finished'], 'nothing changed');
  assert.deepEqual(after({ ...once, restartedAt: 'now' }), [], 'a fresh try');
  assert.deepEqual(after({ ...once, desiredState: 'Stopped' }), [], 'stopped');
  for (const fetched of [{ userId: 'you' }, { pullPolicy: 'Always' }])
    assert.deepEqual(after({ ...once, ...fetched }), ['finished'], 'it may be had now');
  assert.deepEqual(
    after({ ...once, env: { A: '1' } }),
    ['failedBuild', 'finished'],
    'a new spec is a new attempt',
  );
});

test('a restart asked for once is acted on once', () => {
  const asked = { ...once, restartedAt: 'now' };
  const { memory } = goalOf(present(asked), memoryOf(), 0, 'runc');
  assert.deepEqual(names(goalOf(present(asked), failed(memory), 2, 'runc').memory), names(failed(memory)));
});

test('what a call asks for of a manifest that is not valid changes the last valid spec, until there is another', () => {
  const { memory } = inForce();
  const broken = present(undefined, 'it does not parse');
  assert.ok(broken.kind === 'present');
  const asked = {
    kind: 'present' as const,
    entry: { ...broken.entry, asked: { desiredState: 'Stopped' as const } },
  };
  const stopped = goalOf(asked, memory, 1, 'runc');
  assert.deepEqual([stopped.goal.kind, stopped.generation], ['stop', 2]);
  const later = goalOf(broken, stopped.memory, 2, 'runc');
  assert.deepEqual([later.goal.kind, later.generation], ['stop', 2], 'it is remembered');
  assert.equal(
    goalOf(present(raw), later.memory, 2, 'runc').goal.kind,
    'run',
    'the file counts once it is valid',
  );
});

test('a host that runs programs under runsc only does so for specs resolved before, too', () => {
  const { memory } = inForce();
  const { goal } = goalOf(present(undefined, 'runc is refused'), memory, 1, 'runsc');
  assert.ok(goal.kind === 'run');
  assert.deepEqual([goal.spec.runtime, goal.spec.resources.pids], ['runsc', 1024]);
});

test('the volume stays with its user', () => {
  const memory = withProgram(inForce().memory, { volume: 'mine' });
  const volumeFor = (rawSpec: Record<string, unknown>) =>
    goalOf(present(rawSpec), memory, 1, 'runc').memory.program.volume;
  assert.equal(volumeFor({ ...raw, env: { A: '1' } }), 'mine');
  assert.equal(volumeFor({ ...raw, userId: 'you' }), undefined);
  assert.equal(goalOf(present(undefined, 'broken'), memory, 1, 'runc').memory.program.volume, 'mine');
});

test('nor does a good revision from before come back under runc there', () => {
  const { memory } = inForce();
  assert.ok(memory.program.inForce);
  const good = { revision: 1, hash: 'h', imageKey: 'k', buildId: '', spec: memory.program.inForce.spec };
  const result = goalOf(present(raw), { ...memory, rollout: { ...memory.rollout, good } }, 1, 'runsc');
  assert.equal(result.memory.rollout.good?.spec.runtime, 'runsc');
});
