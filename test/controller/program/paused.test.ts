import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { learn } from '../../../controller/program/learn.ts';
import { plan } from '../../../controller/program/plan.ts';
import { givesUp } from '../../../controller/program/rollback.ts';
import { status, statusWithoutEngine } from '../../../controller/program/status.ts';
import { findCondition } from '../../../schemas/conditions.ts';
import type { Facts } from '../../../schemas/facts.ts';
import type { Paused } from '../../../schemas/pause.ts';
import { timestamp } from '../../../schemas/program.ts';
import type { Situation } from '../../../schemas/situation.ts';
import { emptyStatus } from '../../../schemas/status.ts';
import {
  containerOf,
  crashOf,
  EXITED,
  HASH,
  hashOf,
  memoryOf,
  NOW_MS,
  PORT,
  ready,
  situationOf,
  specOf,
} from './situation-fixture.ts';

const spec = specOf();
const stopped = specOf({ desiredState: 'Stopped' });
const older = specOf({ env: { OLD: '1' } });
const current = containerOf('new', spec);
const crashed = containerOf('new', spec, EXITED);
const previous = containerOf('old', older, { createdAtMs: NOW_MS - 9_000 });
const paused: Paused = { since: timestamp(NOW_MS - 5_000), by: 'ann', why: 'its heap', of: 'program' };
const context = { problems: [], generation: 1, missing: '', commit: '', remote: undefined };

const FACTS: Facts = {
  ...{ nowMs: NOW_MS, containerName: current.name, containers: [current], strangers: [], stopping: [] },
  ...{ probes: Object.fromEntries(ready('new')), paused, pending: [], rollouts: {}, answers: {} },
  port: { port: PORT, shownPort: PORT, portProblem: undefined },
  context: { kind: 'known', hash: HASH, buildId: 'build-a' },
};

const CASES: [what: string, situation: Situation, actions: number][] = [
  ['a first start', situationOf(spec), 1],
  ['a build', situationOf(spec, { image: { kind: 'absent' } }), 1],
  ['a restart', situationOf(spec, { containers: [crashed] }), 1],
  [
    'what somebody paused at the engine',
    situationOf(spec, { containers: [{ ...current, state: 'paused' }] }),
    1,
  ],
  ['a rollout', situationOf(spec, { containers: [previous] }), 1],
  ['a stop', situationOf(stopped, { containers: [current] }), 1],
  ['a removal', situationOf(spec, { goal: { kind: 'remove' }, containers: [current] }), 1],
  ['the last of it', situationOf(spec, { goal: { kind: 'remove' } }), 1],
];

describe('what is paused', () => {
  for (const [what, situation, actions] of CASES)
    test(`is left alone: ${what}`, () => {
      assert.equal(plan(situation).length, actions, 'there is something to do');
      assert.deepEqual(plan({ ...situation, paused }), []);
    });

  test('is not rolled back, whatever its time', () => {
    const good = { revision: 1, hash: hashOf(older), imageKey: 'k', buildId: '', spec: older };
    const memory = memoryOf({ rollout: { verdict: 'new', attempt: 'a', refusals: 0, good } });
    const probes = new Map([['new', { ready: false, live: undefined, message: 'no' }]]);
    const late = situationOf(spec, { containers: [current], memory, probes, rolloutMs: 3_600_000 });
    assert.notEqual(givesUp(late), undefined);
    assert.equal(givesUp({ ...late, paused }), undefined);
  });

  test('shows what is, who paused it, and nothing that is about to be done', () => {
    const asWished = memoryOf();
    const shownOf = (situation: Situation) =>
      status(emptyStatus('x', 0), { ...situation, paused, asWished }, [], context);
    const up = shownOf(situationOf(spec, { containers: [current], probes: ready('new') }));
    assert.deepEqual([up.state, up.reason], ['Ready', '']);
    const condition = findCondition(up.conditions, 'Paused');
    assert.deepEqual([condition?.status, condition?.reason], ['True', 'ProgramPaused']);
    assert.match(condition?.message ?? '', /^paused by ann since .*: its heap; nothing is done/);
    assert.equal(findCondition(up.conditions, 'Progressing')?.reason, 'Paused');

    const down = shownOf(situationOf(spec, { containers: [crashed], ...crashOf(crashed, 1, '') }));
    assert.deepEqual([down.state, down.reason], ['Stopped', 'Paused']);
    assert.match(down.errorMsg, /^it does not run \(exit code 3\)/);
    assert.equal(down.memory, asWished, 'nothing that was learnt meanwhile is kept');

    const stopping = shownOf(situationOf(stopped, { containers: [current] }));
    assert.equal(stopping.state, 'Running', 'it is to be stopped, and runs');
    const building = shownOf(situationOf(spec, { containers: [previous], image: { kind: 'absent' } }));
    assert.deepEqual([building.state, building.reason], ['Running', ''], 'nothing is built');
  });

  test('is what to come back to once it was ready, and nothing else of it is learnt', () => {
    const newest = { number: 1, hash: hashOf(spec), ran: true as const };
    const memory = memoryOf({ program: { newest, startRequested: true } });
    const goal = { kind: 'run', spec } as const;
    const learnt = learn(emptyStatus('x', 0), { ...context, goal, memory }, FACTS);
    assert.ok('situation' in learnt);
    const { asWished } = learnt.situation;
    assert.equal(asWished?.rollout.good?.revision, 1);
    assert.deepEqual({ ...asWished, rollout: memory.rollout }, memory);
  });

  test('is at rest once it was to be stopped and is, whatever is wanted by the resume', () => {
    const newest = { number: 1, hash: hashOf(stopped), ran: true as const };
    const memory = memoryOf({
      program: { newest, startRequested: true, served: { id: 'new', removed: false } },
    });
    const goal = { kind: 'stop', spec: stopped } as const;
    const learntOf = (containers: Facts['containers']) => {
      const facts = { ...FACTS, containers };
      const learnt = learn(emptyStatus('x', 0), { ...context, goal, memory }, facts);
      assert.ok('situation' in learnt);
      return learnt.situation.asWished;
    };
    assert.deepEqual(learntOf([current]), memory, 'it runs on');
    const ended = learntOf([crashed]);
    assert.deepEqual(ended?.program.rest, { why: 'asked' });
    assert.equal(ended?.containers.new?.run?.end, 'asked');
    const gone = learntOf([]);
    assert.deepEqual([gone?.program.rest, gone?.program.served], [{ why: 'asked' }, undefined]);
  });

  test('is told so while the engine is away, and no more once it is resumed', () => {
    const wish = { ...context, goal: { kind: 'run', spec } as const, memory: memoryOf() };
    const before = { ...emptyStatus('x', 0), state: 'Ready' as const };
    const held = statusWithoutEngine(before, wish, 'away', NOW_MS, { ...paused, of: 'host' });
    assert.equal(findCondition(held.conditions, 'Paused')?.reason, 'HostPaused');
    const free = statusWithoutEngine(held, wish, 'away', NOW_MS);
    assert.equal(findCondition(free.conditions, 'Paused'), undefined);
  });
});
