import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { afterDeed, type Deed } from '../../../controller/program/deed.ts';
import { givesUp, refusedStart } from '../../../controller/program/rollback.ts';
import { endOf } from '../../../controller/program/transitions.ts';
import type { Made, ProgramMemory, RunEnd } from '../../../schemas/memory.ts';
import { LABELS, timestamp } from '../../../schemas/program.ts';
import { attemptOf, revisionHash } from '../../../schemas/spec-hash.ts';
import {
  containerOf,
  HASH,
  hashOf,
  memoryOf,
  NEVER_RAN,
  NOW_MS,
  SETTINGS,
  situationOf,
  specOf,
} from './situation-fixture.ts';

const spec = specOf({ env: { N: '1' } });
const next = specOf({ env: { N: '2' } });
const GOOD: Made = { revision: 1, hash: revisionHash(spec, HASH), imageKey: HASH, buildId: 'b', spec };
const CRASHES = { count: 3, nextAt: timestamp(NOW_MS + 4_000) };
const FAILED = { reason: 'StartFailed', message: 'no', attempts: 2, nextAt: timestamp(NOW_MS + 2_000) };
const BAD = { revision: 2, reason: 'ProgressDeadlineExceeded', message: 'not ready within 5 s' };
const container = containerOf('a', spec);
const run = (end: RunEnd) => ({ startedAtMs: container.startedAtMs, end });

/** One that knows something of everything, the second revision wanted and the first good. */
const full: ProgramMemory = memoryOf({
  program: {
    inForce: { rawHash: 'r', rawSpec: {}, spec: next, labels: {} },
    ...{ startRequested: true, restartedAtSeen: 'then', volume: 'v', lastBuild: 'b' },
    ...{ newest: { number: 2, hash: 'h2' }, served: { id: 'a', removed: false }, rest: { why: 'asked' } },
  },
  rollout: { verdict: 'new', attempt: attemptOf(next, HASH), refusals: 0, good: GOOD },
  failedImage: { key: 'k', reason: 'BuildFailed', message: '', attempts: 3, nextAt: '' },
  containers: { a: { settings: SETTINGS, run: run('crashed') }, b: { settings: SETTINGS } },
  starts: { crashes: CRASHES, failed: FAILED },
});

/** The parts of the full memory that the deed changes, as they are then. */
function change(deed: Deed, before = full): Partial<ProgramMemory> {
  const after = afterDeed(before, deed);
  const parts = Object.keys({ ...before, ...after }) as (keyof ProgramMemory)[];
  return Object.fromEntries(
    parts.filter((part) => after[part] !== before[part]).map((part) => [part, after[part]]),
  );
}

describe('what is remembered after the host', () => {
  it('was asked to start it', () => {
    assert.deepEqual(
      afterDeed(memoryOf(), { kind: 'startAsked' }),
      memoryOf({ program: { startRequested: true } }),
    );
  });

  it('took it for deleted', () => {
    const program = { ...full.program, deletion: { commit: 'c0ffee' } };
    assert.deepEqual(change({ kind: 'deleted', commit: 'c0ffee' }), { program });
  });

  it('asked it to stop: by wish, or since its liveness fails', () => {
    const stops = (isWish: boolean) => afterDeed(memoryOf(), { kind: 'stops', container, isWish });
    assert.deepEqual(stops(true), memoryOf({ containers: { a: { run: run('asked') } } }));
    assert.deepEqual(stops(false), memoryOf({ containers: { a: { run: run('unhealthy') } } }));
    // What was told of that run stays told, but for a wish.
    assert.equal(afterDeed(full, { kind: 'stops', container, isWish: false }), full);
    const containers = { ...full.containers, a: { settings: SETTINGS, run: run('asked') } };
    assert.deepEqual(change({ kind: 'stops', container, isWish: true }), { containers });
  });

  it('made a container', () => {
    const makes = {
      kind: 'makes',
      volume: 'w',
      revision: 3,
      hash: 'h3',
      specHash: 'v1:s',
      at: 'then',
      isAgain: false,
    } as const;
    const making = 'v1:s';
    const madeAt = ['then'];
    const program = { ...full.program, volume: 'w', newest: { number: 3, hash: 'h3' }, making, madeAt };
    assert.deepEqual(change(makes), { program });
    const first = { volume: 'w', newest: { number: 1, hash: 'h1' }, making, madeAt };
    assert.deepEqual(
      afterDeed(memoryOf(), { ...makes, revision: 1, hash: 'h1' }),
      memoryOf({ program: first }),
    );
  });

  it('notes the id of what it made, until when it is known what is being made', () => {
    const containers = { ...full.containers, b: { made: true } };
    const program = { ...full.program, making: '', hasState: true };
    assert.deepEqual(change({ kind: 'made', containerId: 'b' }), { containers, program });
  });

  it('made one of the newest revision anew, whose hash may be another by now', () => {
    const makes = {
      kind: 'makes',
      volume: 'v',
      revision: 2,
      hash: 'other',
      specHash: 'v1:s',
      at: 'then',
      isAgain: false,
    } as const;
    assert.deepEqual(change(makes), {
      program: { ...full.program, newest: { number: 2, hash: 'other' }, making: 'v1:s', madeAt: ['then'] },
    });
  });

  it('made one of an older revision, or of the good one again: the newest number stays given', () => {
    const older = {
      kind: 'makes',
      volume: 'w',
      revision: 1,
      hash: 'h1',
      specHash: 'v1:s',
      at: 'then',
      isAgain: false,
    } as const;
    const program = { ...full.program, volume: 'w', making: 'v1:s', madeAt: ['then'] };
    assert.deepEqual(change(older), { program });
    assert.deepEqual(change({ ...older, revision: 3, isAgain: true }), { program });
  });

  it('found its number taken', () => {
    const taken = (number: number) => change({ kind: 'numberTaken', number, hash: '' });
    const newest = (number: number) => ({ ...full.program, newest: { number, hash: '' } });
    assert.deepEqual(taken(2), { program: newest(2) });
    const { good, ...rollout } = full.rollout;
    assert.deepEqual(taken(1), { program: newest(1), rollout });
  });

  it('started it: failed starts are no more, crashes are', () => {
    assert.deepEqual(change({ kind: 'started' }), { starts: { crashes: CRASHES } });
    const calm = memoryOf({ starts: { failed: FAILED } });
    assert.deepEqual(afterDeed(calm, { kind: 'started' }), memoryOf());
  });

  it('failed to start it', () => {
    const failed = { kind: 'failed', reason: 'PortConflict', message: 'taken', nowMs: NOW_MS } as const;
    const after = {
      reason: 'PortConflict',
      message: 'taken',
      attempts: 3,
      nextAt: timestamp(NOW_MS + 4_000),
    };
    assert.deepEqual(change(failed), { starts: { crashes: CRASHES, failed: after } });
    const first = { ...after, attempts: 1, nextAt: timestamp(NOW_MS + 1_000) };
    assert.deepEqual(afterDeed(memoryOf(), failed), memoryOf({ starts: { failed: first } }));
  });

  it('removed the container that served, or another', () => {
    const program = { ...full.program, served: { id: 'a', removed: true } };
    assert.deepEqual(change({ kind: 'removed', containerId: 'a' }), { program });
    assert.equal(afterDeed(full, { kind: 'removed', containerId: 'b' }), full);
    assert.deepEqual(afterDeed(memoryOf(), { kind: 'removed', containerId: 'a' }), memoryOf());
  });
});

describe('what is remembered after the wanted attempt', () => {
  const failed = { spec: next, imageKey: HASH, bad: BAD };

  it('had its time: what comes back has a clean slate', () => {
    const rollout = { ...full.rollout, verdict: 'bad', ...BAD };
    assert.deepEqual(change({ kind: 'gaveUp', ...failed }), { rollout, starts: {} });
  });

  it('was refused by the engine: likewise, and it is tried again', () => {
    const nextAt = timestamp(NOW_MS + 60_000);
    const rollout = { ...full.rollout, verdict: 'bad', refusals: 1, ...BAD, reason: 'StartFailed', nextAt };
    assert.deepEqual(change({ kind: 'refused', ...failed, nowMs: NOW_MS }), { rollout, starts: {} });
  });

  it('failed, and none can come back: nothing, so that waits go on', () => {
    const own = { ...failed, spec };
    for (const deed of [
      { kind: 'gaveUp', ...own } as const,
      { kind: 'refused', ...own, nowMs: NOW_MS } as const,
    ]) {
      assert.equal(afterDeed(full, deed), full, deed.kind);
      const alone = memoryOf({ starts: full.starts });
      assert.equal(afterDeed(alone, deed), alone, deed.kind);
    }
  });
});

describe('what is remembered of a program whose name is born anew', () => {
  it('for the same user: data, numbers and what there is of it', () => {
    const program = { volume: 'v', newest: { number: 2, hash: 'h2' } };
    const anew = afterDeed(full, { kind: 'bornAnew', isSameUser: true });
    assert.deepEqual(anew, memoryOf({ program, containers: full.containers }));
    assert.equal(endOf(anew, container), 'crashed');
  });

  it('for another user: what there is of it', () => {
    const { containers } = full;
    assert.deepEqual(afterDeed(full, { kind: 'bornAnew', isSameUser: false }), memoryOf({ containers }));
  });

  it("and which containers are the old one's, and how they were made, that they may be removed or healed", () => {
    const known = memoryOf({
      program: { making: '' },
      containers: { a: { made: true, settings: SETTINGS } },
    });
    assert.deepEqual(afterDeed(known, { kind: 'bornAnew', isSameUser: false }), known);
  });

  it('is nothing where nothing was', () => {
    for (const isSameUser of [true, false])
      assert.deepEqual(afterDeed(memoryOf(), { kind: 'bornAnew', isSameUser }), memoryOf());
  });
});

describe('what a look makes the host say of the wanted attempt', () => {
  const second = containerOf('b', next, {
    labels: { [LABELS.specHash]: hashOf(next), [LABELS.revision]: '2' },
  });

  it('that it gives up, when it had its time and not a moment before', () => {
    const probes = new Map([['b', { ready: false, live: undefined, message: 'nothing listens' }]]);
    const after = (rolloutMs: number) =>
      givesUp(situationOf(next, { containers: [second], memory: full, probes, rolloutMs }));
    const deadlineMs = next.progressDeadlineSeconds * 1_000;
    assert.equal(after(deadlineMs - 1), undefined);
    const deed = after(deadlineMs);
    assert.equal(deed?.kind, 'gaveUp');
    assert.equal(deed?.bad.revision, 2);
    assert.equal(deed?.bad.reason, 'ProgressDeadlineExceeded');
    assert.equal(deed?.bad.message, 'not ready within 60 s: nothing listens');
    const { rollout } = deed ? afterDeed(full, deed) : full;
    assert.deepEqual([rollout.verdict, rollout.good], ['bad', GOOD]);
  });

  it('that the engine refused it, where it is what is wanted and not what serves until then', () => {
    const fresh = { ...second, ...NEVER_RAN };
    const situation = situationOf(next, { containers: [container, fresh], memory: full });
    const bad = { revision: 2, reason: 'StartFailed', message: 'no' };
    assert.deepEqual(refusedStart(situation, 'b', 'no'), {
      ...{ kind: 'refused', spec: next, imageKey: HASH, bad, nowMs: NOW_MS },
    });
    assert.equal(refusedStart(situation, 'a', 'no'), undefined);
    const stopped = { ...situation, goal: { kind: 'stop', spec: next } as const };
    assert.equal(refusedStart(stopped, 'b', 'no'), undefined);
  });
});
