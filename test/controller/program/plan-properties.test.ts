import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Action } from '../../../controller/program/action.ts';
import { plan } from '../../../controller/program/plan.ts';
import type { Container } from '../../../schemas/container.ts';
import { isUp } from '../../../schemas/container.ts';
import { exitOf } from '../../../schemas/last-exit.ts';
import { LABELS, timestamp } from '../../../schemas/program.ts';
import type { Situation } from '../../../schemas/situation.ts';
import { containerOf, HASH, hashOf, memoryOf, NOW_MS, situationOf, specOf } from './situation-fixture.ts';

/** Passes within which every world the generator makes must come to rest. */
const PASSES_MAX = 20;

const SPECS = [specOf(), specOf({ env: { A: '1' } }), specOf({ env: { A: '2' } })];

const container = (id: string) =>
  fc
    .record({
      spec: fc.constantFrom(...SPECS),
      state: fc.constantFrom<Container['state']>('created', 'running', 'paused', 'exited', 'dead'),
      age: fc.integer({ min: 1, max: 900_000 }),
      exitCode: fc.constantFrom(0, 1, 137),
    })
    .map(({ spec, state, age, exitCode }) =>
      containerOf(id, spec, {
        name: `hersh-program-x-${id}`,
        state,
        exitCode: isUp({ state } as Container) ? 0 : exitCode,
        createdAtMs: NOW_MS - age - 10,
        startedAtMs: state === 'created' ? 0 : NOW_MS - age,
        finishedAtMs: state === 'exited' || state === 'dead' ? NOW_MS - 1 : 0,
      }),
    );

const worlds = fc
  .record({
    goal: fc.constantFrom<Situation['goal']['kind']>('run', 'stop', 'remove', 'hold'),
    containers: fc.tuple(...['a', 'b', 'c'].map((id) => fc.option(container(id), { nil: undefined }))),
    image: fc.constantFrom<Situation['image']>(
      { kind: 'present', id: 'sha256:image' },
      { kind: 'absent' },
      { kind: 'pending' },
      { kind: 'unknown', reason: 'BuildFailed', message: 'gone' },
    ),
    crashes: fc.integer({ min: 0, max: 9 }),
    waitMs: fc.integer({ min: -10, max: 90_000 }),
    failedBuild: fc.boolean(),
    finished: fc.boolean(),
    stopping: fc.boolean(),
  })
  .map((draw): Situation => {
    const spec = SPECS[0] ?? specOf();
    const containers = draw.containers.filter((one) => one !== undefined);
    const last = containers.at(-1);
    const nextAt = timestamp(NOW_MS + draw.waitMs);
    return situationOf(spec, {
      goal:
        draw.goal === 'run' || draw.goal === 'stop'
          ? { kind: draw.goal, spec: { ...spec, desiredState: draw.goal === 'run' ? 'Running' : 'Stopped' } }
          : { kind: draw.goal },
      containers,
      image: draw.image,
      imageKey: draw.image.kind === 'unknown' ? '' : HASH,
      stopping: new Set(draw.stopping && last !== undefined && isUp(last) ? [last.id] : []),
      memory: memoryOf({
        program: {
          startRequested: true,
          ...(draw.finished && {
            rest: { why: 'finished', specHash: hashOf(spec), exitCode: 0, overtaken: false },
          }),
        },
        ...(draw.crashes > 0 && { starts: { crashes: { count: draw.crashes, nextAt } } }),
        ...(draw.failedBuild && {
          failedImage: { key: HASH, reason: 'BuildFailed', message: '', attempts: 3, nextAt: '' },
        }),
      }),
      lastExit: last === undefined ? null : exitOf(last, ''),
    });
  });

test('equal input gives an equal plan, in whatever order the containers are listed', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const reversed = { ...world, containers: [...world.containers].reverse() };
      assert.deepEqual(plan(world), plan(world));
      assert.deepEqual(plan(reversed), plan(world));
    }),
  );
});

test('the input is left as it was', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const before = structuredClone(world);
      plan(world);
      assert.deepEqual(world, before);
    }),
  );
});

test('only its own containers are touched, and whatever ends or removes says why', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const own = new Set(world.containers.map(({ id }) => id));
      for (const action of plan(world)) {
        if ('containerId' in action) assert.ok(own.has(action.containerId));
        if (action.kind === 'stop' || action.kind === 'remove') assert.notEqual(action.why, '');
        if (action.kind === 'wait') assert.ok(action.ms > 0 && action.ms <= 60_000, `${action.ms}`);
      }
    }),
  );
});

test('where nothing valid is known nothing is done, and without an image nothing that serves is ended', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const actions = plan(world);
      if (world.goal.kind === 'hold') assert.deepEqual(actions, []);
      if (world.goal.kind !== 'run' || world.image.kind === 'present') return;
      // A wanted container that stands ready to start needs no image any more, and takes over.
      const wanted = world.imageKey === '' ? undefined : hashOf(world.goal.spec);
      if (world.containers.some(({ labels }) => labels[LABELS.specHash] === wanted)) return;
      const up = world.containers.filter((one) => isUp(one) && !world.stopping.has(one.id));
      const ended = new Set(
        actions.flatMap((one) => (one.kind === 'stop' || one.kind === 'remove' ? one.containerId : [])),
      );
      if (up.length > 0)
        assert.ok(
          up.some(({ id }) => !ended.has(id)),
          'one that runs is left',
        );
    }),
  );
});

test('carrying plans out comes to rest, with at most one container up at any time after the first pass', () => {
  fc.assert(
    fc.property(worlds, (start) => {
      let world = start;
      for (let pass = 0; ; pass++) {
        assert.ok(pass < PASSES_MAX, `no rest after ${PASSES_MAX} passes: ${JSON.stringify(plan(world))}`);
        const actions = plan(world);
        const next = actions.filter(({ kind }) => kind !== 'wait').reduce(apply, settle(world));
        const isSame = isDeepStrictEqual(next, settle(next)) && isDeepStrictEqual(next, world);
        if (isSame && !actions.some(({ kind }) => kind === 'wait')) break;
        world = isSame ? { ...next, nowMs: next.nowMs + 60_000 } : next;
      }
      assertAtRest(world);
    }),
    { numRuns: 500 },
  );
});

function assertAtRest(world: Situation): void {
  const up = world.containers.filter(isUp);
  if (world.goal.kind === 'remove') assert.equal(world.containers.length, 0);
  if (world.goal.kind === 'stop') assert.equal(up.length, 0);
  if (world.goal.kind !== 'run') return;
  assert.ok(up.length <= 1, 'at most one runs');
  const isBlocked = world.memory.failedImage !== undefined || world.image.kind === 'unknown';
  if (world.memory.program.rest === undefined && !isBlocked) {
    assert.equal(up.length, 1, 'one runs');
    assert.equal(up[0]?.labels[LABELS.specHash], hashOf(world.goal.spec));
    assert.equal(world.containers.length, 1, 'and nothing is left beside it');
  }
}

/** What happens by itself between two passes: stops end, builds end, probes answer. */
function settle(world: Situation): Situation {
  const ended = world.containers.map((one) =>
    world.stopping.has(one.id) ? { ...one, state: 'exited' as const, finishedAtMs: world.nowMs } : one,
  );
  return {
    ...world,
    containers: ended,
    stopping: new Set(),
    image: world.image.kind === 'pending' ? { kind: 'present', id: 'sha256:image' } : world.image,
    probes: new Map(
      ended
        .filter(({ state }) => state === 'running')
        .map(({ id }) => [id, { ready: true, live: true, message: '' }]),
    ),
  };
}

function apply(world: Situation, action: Action): Situation {
  const change = (id: string, to: Partial<Container>): Situation => ({
    ...world,
    containers: world.containers.map((one) => (one.id === id ? { ...one, ...to } : one)),
  });
  switch (action.kind) {
    case 'build':
    case 'pull':
      return { ...world, image: { kind: 'pending' } };
    case 'removeSandbox':
      return { ...world, sandboxes: (world.sandboxes ?? []).filter(({ id }) => id !== action.sandboxId) };
    case 'cancelImage':
      return { ...world, image: { kind: 'absent' } };
    case 'create': {
      const id = `made-${world.containers.length}-${action.specHash.slice(-4)}`;
      const labels = { [LABELS.specHash]: action.specHash, [LABELS.revision]: String(action.revision) };
      const made = { name: action.containerName, state: 'created', startedAtMs: 0, labels } as const;
      return {
        ...world,
        containers: [
          ...world.containers,
          containerOf(id, action.spec, { ...made, createdAtMs: world.nowMs }),
        ],
      };
    }
    case 'start': {
      const others = world.containers.filter((one) => one.id !== action.containerId && isUp(one));
      assert.deepEqual(
        others.map(({ id }) => id),
        [],
        'nothing else holds the port when it starts',
      );
      return change(action.containerId, { state: 'running', startedAtMs: world.nowMs });
    }
    case 'unpause':
      return change(action.containerId, { state: 'running' });
    case 'stop':
      return { ...world, stopping: new Set([...world.stopping, action.containerId]) };
    case 'rename':
      return change(action.containerId, { name: action.to });
    case 'remove':
      return { ...world, containers: world.containers.filter(({ id }) => id !== action.containerId) };
    case 'forget':
    case 'wait':
      return world;
  }
}
