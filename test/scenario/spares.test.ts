import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { SPARE_HELD_MS } from '../../controller/loop/spare-pool.ts';
import { hitSandbox, isSpare, isUp, type SimSandbox } from '../sim/engine-sandboxes.ts';
import type { SimHost, SimHostOptions } from '../sim/host.ts';
import { createStage, type Spec, type Stage } from './stage.ts';

const WITH = { sandboxed: true, spares: 2 };
/** Longer than the pool takes to find what it is not told of. */
const FOUND_MS = 61_000;

const sparesOf = ({ world }: Stage): SimSandbox[] => [...world.sandboxes.all.values()].filter(isSpare);
const sandboxesOf = ({ world }: Stage, name: string): SimSandbox[] =>
  [...world.sandboxes.all.values()].filter(({ facts }) => facts.program === name);
const ports = (of: readonly SimSandbox[]): number[] => of.map(({ facts }) => facts.publishPort);

async function spareStage(
  test: TestContext,
  options: Partial<SimHostOptions> = {},
): Promise<{ stage: Stage; host: SimHost; spares: SimSandbox[] }> {
  const stage = await createStage(test);
  const host = await stage.start({ ...WITH, ...options });
  const wanted = options.spares ?? WITH.spares;
  await host.until('there are spares', () => sparesOf(stage).filter(isUp).length === wanted);
  return { stage, host, spares: sparesOf(stage) };
}

async function ready(stage: Stage, name: string, spec: Spec = {}): Promise<number> {
  await stage.create(name, spec);
  await stage.reach(name, 'Ready');
  const { publishPort } = stage.status(name);
  assert.equal(stage.world.answer(publishPort), 200);
  return publishPort;
}

const refilled = (stage: Stage, host: SimHost) =>
  host.until('they are refilled', () => sparesOf(stage).filter(isUp).length === WITH.spares);

describe('a program takes a spare with its port', () => {
  it('at the first look at its manifest, and others are made', async (test) => {
    const { stage, host, spares } = await spareStage(test);
    const made = host.calls.length;
    const port = await ready(stage, 'app');
    const [own, ...others] = sandboxesOf(stage, 'app');
    assert.ok(own !== undefined && spares.includes(own));
    assert.deepEqual(others, []);
    assert.equal(own.facts.publishPort, port);
    assert.equal(own.runs, 1);
    await refilled(stage, host);
    assert.equal(host.calls.slice(made).filter((call) => call.startsWith('makeSpare')).length, 1);
    assert.deepEqual(host.controller.health().strays, []);
    assert.equal(new Set(ports([...stage.world.sandboxes.all.values()])).size, 3);
  });

  it('as one is created by a call, whose sources come after', async (test) => {
    const { stage, host, spares } = await spareStage(test);
    const { port } = await host.reservations.reserve('app', 'me', 'build');
    assert.ok(ports(spares).includes(port));
    await stage.create('app');
    host.reservations.fulfil('app');
    await stage.reach('app', 'Ready');
    assert.equal(stage.status('app').publishPort, port);
    const [own] = sandboxesOf(stage, 'app');
    assert.ok(own !== undefined && spares.includes(own));
  });

  it('not under runsc, nor where it is not to run', async (test) => {
    const { stage, host, spares } = await spareStage(test);
    const port = await ready(stage, 'app', { runtime: 'runsc' });
    await stage.create('off', { desiredState: 'Stopped' });
    await stage.reach('off', 'Created');
    assert.ok(!ports(spares).includes(port));
    assert.ok(!ports(spares).includes(stage.status('off').publishPort));
    await host.advance(2 * FOUND_MS);
    assert.deepEqual(sparesOf(stage), spares);
  });

  it('where it pins the port of one; and that of one gives way to who can not join it', async (test) => {
    const { stage, host, spares } = await spareStage(test);
    const [first, second] = ports(spares);
    assert.equal(await ready(stage, 'app', { publishPort: first }), first);
    assert.ok(
      spares.includes(stage.world.sandboxes.all.get(stage.running('app').facts.sandbox?.id ?? '') as never),
    );
    assert.equal(await ready(stage, 'walled', { publishPort: second, runtime: 'runsc' }), second);
    assert.deepEqual(sandboxesOf(stage, 'walled'), []);
    await refilled(stage, host);
    for (const name of ['app', 'walled'])
      assert.ok((await stage.reasons(name)).every((reason) => reason !== 'PortConflict'));
  });

  it('and the last port of all, where no other is free', async (test) => {
    const { stage, host } = await spareStage(test, { portRange: { min: 19_001, max: 19_003 } });
    const given = [];
    for (const name of ['a', 'b', 'c']) given.push(await ready(stage, name, { runtime: 'runsc' }));
    assert.equal(new Set(given).size, 3);
    await host.advance(FOUND_MS);
    assert.deepEqual(sparesOf(stage), []);
    await host.registry.remove('b');
    await host.until(
      'the port is of use again',
      () => sparesOf(stage).filter(isUp).length === 1,
      2 * FOUND_MS,
    );
  });

  it('and keeps it over rollouts, as any sandbox', async (test) => {
    const { stage, host } = await spareStage(test);
    const port = await ready(stage, 'app');
    const [own] = sandboxesOf(stage, 'app');
    const { id } = stage.running('app').facts;
    await stage.replace('app', { env: { A: 'b' } });
    await host.until(
      'the next revision serves',
      () => !stage.world.containers.has(id) && stage.status('app').state === 'Ready',
    );
    assert.deepEqual(sandboxesOf(stage, 'app'), [own]);
    assert.equal(stage.status('app').publishPort, port);
    await host.registry.remove('app');
    await host.until('it is gone', () => host.registry.status.get('app') === undefined);
    assert.equal(stage.world.sandboxes.all.has(own?.facts.id ?? ''), false);
  });
});

describe('a program that is not started soon', () => {
  it('gives the spare back, and keeps the port', async (test) => {
    const { stage, host, spares } = await spareStage(test);
    const { port } = await host.reservations.reserve('app', 'me', 'build');
    await host.until(
      'it is given back',
      () => sparesOf(stage).every(({ facts }) => facts.publishPort !== port),
      2 * SPARE_HELD_MS,
    );
    assert.equal(spares.filter((one) => sparesOf(stage).includes(one)).length, 1);
    assert.equal(host.controller.ports.holder(port), 'app');
    await refilled(stage, host);
    await stage.create('app');
    await stage.reach('app', 'Ready');
    assert.equal(stage.status('app').publishPort, port);
  });

  it('and is not created in the end leaves it to the next', async (test) => {
    const { stage, host, spares } = await spareStage(test);
    const { port } = await host.reservations.reserve('app', 'me', 'build');
    await host.reservations.unreserve('app');
    await host.advance(FOUND_MS);
    assert.equal(sparesOf(stage).length, WITH.spares);
    assert.ok(spares.some((one) => one.facts.publishPort === port && sparesOf(stage).includes(one)));
  });
});

describe('spares', () => {
  for (const how of ['kill', 'disconnect', 'remove'] as const) {
    it(`are made anew after somebody's ${how}`, async (test) => {
      const { stage, host, spares } = await spareStage(test);
      const [first] = spares;
      assert.ok(first);
      if (how === 'remove') stage.world.sandboxes.remove(first.facts.id);
      else hitSandbox(stage.world.sandboxes, first, how);
      await host.advance(FOUND_MS);
      assert.equal(sparesOf(stage).filter(isUp).length, WITH.spares);
      assert.equal(stage.world.sandboxes.all.has(first.facts.id), false);
    });
  }

  it('are there again after an engine that went with all that ran', async (test) => {
    const { stage, host } = await spareStage(test);
    const port = await ready(stage, 'app');
    stage.world.goAway('end');
    await host.advance(1_000);
    stage.world.comeBack();
    await host.until('it is back', () => stage.world.answer(port) === 200);
    await refilled(stage, host);
    assert.equal(sparesOf(stage).length, WITH.spares);
  });

  it('are adopted by the next host, and so is what a program took', async (test) => {
    const { stage, host } = await spareStage(test);
    await ready(stage, 'app');
    await refilled(stage, host);
    const before = [...stage.world.sandboxes.all.keys()];
    await host.kill();
    const next = await stage.start(WITH);
    await next.advance(2 * FOUND_MS);
    assert.deepEqual(next.calls, []);
    assert.deepEqual([...stage.world.sandboxes.all.keys()], before);
  });

  for (const options of [
    { spares: 0 },
    { sandboxed: false, spares: 0 },
    { portRange: { min: 19_501, max: 19_600 } },
  ]) {
    it(`go where the next host has no use for them: ${JSON.stringify(options)}`, async (test) => {
      const { stage, host, spares } = await spareStage(test);
      const port = await ready(stage, 'app');
      await refilled(stage, host);
      await host.kill();
      const next = await stage.start({ ...WITH, ...options });
      await next.advance(FOUND_MS);
      const left = spares.filter((one) => sparesOf(stage).includes(one));
      assert.deepEqual(left, []);
      assert.equal(sparesOf(stage).length, options.spares ?? WITH.spares);
      assert.equal(stage.world.answer(port), 200);
    });
  }

  it('of a host that was killed at any call are as many as there should be, and no port is held twice', async (test) => {
    for (const moment of ['before', 'after'] as const)
      for (const name of ['makeSpare', 'createContainer', 'listSpares', 'removeSpare']) {
        const stage = await createStage(test);
        let hits = 0;
        const host = await stage.start({
          ...WITH,
          onStep(step, { kill }) {
            if (step.name === `engine.${name}` && step.moment === moment && ++hits === 1) void kill();
          },
        });
        if (hits === 0) await stage.create('app');
        await host.advance(FOUND_MS);
        const next = await stage.start(WITH);
        if (next.registry.get('app') === undefined) await stage.create('app');
        await stage.reach('app', 'Ready');
        await next.advance(FOUND_MS + SPARE_HELD_MS);
        assert.equal(sparesOf(stage).filter(isUp).length, WITH.spares, `${name} ${moment}`);
        const all = ports([...stage.world.sandboxes.all.values()]);
        assert.equal(new Set(all).size, all.length);
        assert.equal(sandboxesOf(stage, 'app').length, 1);
        await next.kill();
      }
  });

  it('are each host’s own, where two have one engine', async (test) => {
    const { stage, spares } = await spareStage(test);
    const beside = await createStage(test, stage);
    const other = await beside.start({ ...WITH, instance: 'other' });
    await other.until('it has its own', () => sparesOf(stage).length === 2 * WITH.spares);
    const port = await ready(beside, 'app');
    assert.ok(!ports(spares).includes(port));
    await other.advance(FOUND_MS);
    assert.ok(spares.every((one) => sparesOf(stage).includes(one)));
    assert.equal(new Set(ports(sparesOf(stage))).size, 2 * WITH.spares);
  });
});
