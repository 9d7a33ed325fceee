import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { SANDBOX_REST_MS } from '../../controller/program/sandboxes.ts';
import { createProgramSandbox } from '../../controller/serve/program-sandbox.ts';
import { fixedIdentity } from '../setup/registry-identity.ts';
import { createSimEngine } from '../sim/engine.ts';
import { hitSandbox, type SimSandbox } from '../sim/engine-sandboxes.ts';
import type { SimHost } from '../sim/host.ts';
import { createStage, type Spec, type Stage } from './stage.ts';

/** Another port of the range than what is given first. */
const PINNED = 19_777;

const sandboxesOf = ({ world }: Stage, name: string): SimSandbox[] =>
  [...world.sandboxes.all.values()].filter(({ facts }) => facts.program === name);

function only(stage: Stage, name: string): SimSandbox {
  const [one, ...others] = sandboxesOf(stage, name);
  assert.ok(one, 'there is a sandbox');
  assert.deepEqual(others, []);
  return one;
}

async function readyStage(
  test: TestContext,
  spec: Spec = {},
): Promise<{ stage: Stage; host: SimHost; first: SimSandbox }> {
  const stage = await createStage(test);
  const host = await stage.start({ sandboxed: true });
  await stage.create('app', spec);
  await stage.reach('app', 'Ready');
  return { stage, host, first: only(stage, 'app') };
}

/** Whether it runs and answers where its status says. */
function answers(stage: Stage): boolean {
  const { state, publishPort } = stage.status('app');
  return state === 'Ready' && stage.world.answer(publishPort) === 200;
}

const told = async (host: SimHost, reason: string): Promise<string[]> =>
  (await host.registry.events.list('app'))
    .filter((one) => one.reason === reason)
    .map(({ message }) => message);

describe("a program's network outlives its container", () => {
  it('over a crash, a restart, a rollout, and a stop that is soon followed by a start', async (test) => {
    const { stage, host, first } = await readyStage(test);
    const { publishPort } = stage.status('app');
    const before = stage.running('app');
    stage.world.end(before, 1);
    await host.until('it is back', () => before.facts.state === 'running' && answers(stage));
    await stage.edit('app', { restartedAt: '2026-11-29T00:00:00Z' });
    await host.until(
      'another container serves',
      () => !stage.world.containers.has(before.facts.id) && answers(stage),
    );
    const { env: _, ...others } = stage.running('app').facts;
    await stage.replace('app', { env: { A: 'b' } });
    await host.until(
      'the next revision serves',
      () => !stage.world.containers.has(others.id) && answers(stage),
    );
    await stage.edit('app', { desiredState: 'Stopped' });
    await stage.reach('app', 'Stopped');
    await host.advance(SANDBOX_REST_MS / 2);
    await stage.edit('app', { desiredState: 'Running' });
    await host.until('it is back', () => answers(stage));
    assert.equal(only(stage, 'app'), first);
    assert.equal(stage.status('app').publishPort, publishPort);
    assert.deepEqual(await told(host, 'Drifted'), []);
  });

  it('and is told to whoever asks for it, as long as it is there', async (test) => {
    const stage = await createStage(test);
    const registry = fixedIdentity();
    const host = await stage.start({ sandboxed: true, identity: registry });
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const first = only(stage, 'app');
    const engine = createSimEngine({ world: stage.world, instance: 'default', registry });
    const sandbox = createProgramSandbox(engine, host.registry.status);
    const found = await sandbox('app');
    assert.equal(found?.id, first.facts.id);
    assert.equal(found?.createdAtMs, first.facts.createdAtMs);
    assert.notEqual(found?.address, '');
    assert.equal(await sandbox('nobody'), undefined);
    stage.world.sandboxes.remove(first.facts.id);
    assert.equal(await sandbox('app'), undefined);
  });

  it('but not over a minute at rest; it is made anew with the next start, which is no drift', async (test) => {
    const { stage, host, first } = await readyStage(test);
    const { publishPort } = stage.status('app');
    await stage.edit('app', { desiredState: 'Stopped' });
    await stage.reach('app', 'Stopped');
    await host.until('it is gone', () => sandboxesOf(stage, 'app').length === 0, 2 * SANDBOX_REST_MS);
    assert.equal(stage.containers('app').length, 1, 'its output can still be read');
    const asked = host.calls.length;
    await host.advance(2 * SANDBOX_REST_MS);
    assert.deepEqual(host.calls.slice(asked), []);
    await stage.edit('app', { desiredState: 'Running' });
    await host.until('it is back', () => answers(stage));
    assert.notEqual(only(stage, 'app'), first);
    assert.equal(stage.status('app').publishPort, publishPort);
    assert.equal(stage.containers('app').length, 1);
    assert.deepEqual(await told(host, 'Drifted'), []);
  });

  it('nor where it ran to its end, nor where it is deleted', async (test) => {
    const { stage, host } = await readyStage(test, { restartPolicy: 'Never', readiness: { none: true } });
    stage.world.end(stage.running('app'), 0);
    await host.until('it has finished', () => stage.status('app').reason === 'Completed');
    await host.until('it is gone', () => sandboxesOf(stage, 'app').length === 0, 2 * SANDBOX_REST_MS);
    assert.equal(stage.status('app').reason, 'Completed');
    await stage.edit('app', { restartedAt: '2026-11-29T00:00:00Z' });
    await host.until('it runs again', () => stage.world.answer(stage.status('app').publishPort) === 200);
    only(stage, 'app');
    await host.registry.remove('app');
    await host.until('it is gone', () => host.registry.status.get('app') === undefined);
    assert.deepEqual(sandboxesOf(stage, 'app'), []);
  });

  it('moves with its port', async (test) => {
    const { stage, host, first } = await readyStage(test);
    await stage.replace('app', { publishPort: PINNED });
    await host.until('it moves', () => stage.status('app').publishPort === PINNED && answers(stage));
    await host.until('the old one is gone', () => !stage.world.sandboxes.all.has(first.facts.id));
    assert.equal(only(stage, 'app').facts.publishPort, PINNED);
  });

  it('is its own under runsc', async (test) => {
    const stage = await createStage(test);
    await stage.start({ sandboxed: true });
    await stage.create('app', { runtime: 'runsc' });
    await stage.reach('app', 'Ready');
    assert.deepEqual(sandboxesOf(stage, 'app'), []);
    assert.equal(stage.running('app').facts.sandbox, undefined);
  });
});

describe('an engine of a machine that there are no sandboxes for', () => {
  it('gives each container a network of its own, and no more is made of that', async (test) => {
    const stage = await createStage(test);
    stage.world.hasSandboxes = false;
    const host = await stage.start({ sandboxed: true });
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const { id } = stage.running('app').facts;
    stage.world.end(stage.running('app'), 1);
    await host.until('it is back', () => answers(stage));
    assert.equal(stage.running('app').facts.id, id);
    assert.deepEqual(sandboxesOf(stage, 'app'), []);
  });
});

describe('what somebody does to a sandbox is put right, and the program with it', () => {
  for (const how of ['kill', 'disconnect', 'remove', 'restart'] as const) {
    it(`${how}, which no event of the container tells`, async (test) => {
      const { stage, host, first } = await readyStage(test);
      const { publishPort } = stage.status('app');
      const { id } = stage.running('app').facts;
      const { sandboxes } = stage.world;
      if (how === 'remove') sandboxes.remove(first.facts.id);
      else if (how === 'restart')
        for (const part of ['kill', 'start'] as const) hitSandbox(sandboxes, first, part);
      else hitSandbox(sandboxes, first, how);
      assert.equal(stage.running('app').facts.id, id);
      assert.equal(stage.world.answer(publishPort), undefined);
      await host.until('it is back', () => stage.status('app').containerId !== id && answers(stage));
      only(stage, 'app');
      assert.equal(stage.status('app').publishPort, publishPort);
      assert.equal(stage.status('app').currentRevision, 1);
      assert.equal((await told(host, 'Drifted')).length, 1);
    });
  }

  it('pause, over which the program goes on', async (test) => {
    const { stage, host, first } = await readyStage(test);
    const { id } = stage.running('app').facts;
    hitSandbox(stage.world.sandboxes, first, 'pause');
    assert.ok(answers(stage));
    await host.until('it goes on', () => first.facts.state === 'running');
    assert.equal(stage.running('app').facts.id, id);
  });

  it('at an engine that comes back, where it may have gone in between', async (test) => {
    for (const isGone of [false, true]) {
      const { stage, host, first } = await readyStage(test);
      stage.world.goAway('end');
      await host.advance(1_000);
      assert.equal(first.facts.state, 'exited');
      if (isGone) stage.world.sandboxes.remove(first.facts.id);
      stage.world.comeBack();
      await host.until('it is back', () => answers(stage));
      assert.equal(only(stage, 'app') === first, !isGone);
      assert.deepEqual(await told(host, 'Drifted'), []);
    }
  });
});

describe('a host that comes after another', () => {
  it('takes sandboxes over as they are', async (test) => {
    const { stage, host, first } = await readyStage(test);
    const { id } = stage.running('app').facts;
    await host.kill();
    const next = await stage.start({ sandboxed: true });
    await next.advance(2 * SANDBOX_REST_MS);
    assert.deepEqual(next.calls, []);
    assert.equal(stage.running('app').facts.id, id);
    assert.equal(only(stage, 'app'), first);
  });

  for (const from of [false, true]) {
    it(`turns what has ${from ? 'a' : 'no'} sandbox over at its next start, never by itself`, async (test) => {
      const stage = await createStage(test);
      const host = await stage.start({ sandboxed: from });
      await stage.create('app');
      await stage.reach('app', 'Ready');
      const { publishPort } = stage.status('app');
      const { id } = stage.running('app').facts;
      await host.close();
      const next = await stage.start({ sandboxed: !from });
      await next.advance(2 * SANDBOX_REST_MS);
      assert.deepEqual(next.calls, []);
      stage.world.end(stage.running('app'), 1);
      await next.until('it is back', () => stage.status('app').containerId !== id && answers(stage));
      assert.equal(stage.status('app').publishPort, publishPort);
      assert.equal(stage.containers('app').length, 1);
      assert.equal(sandboxesOf(stage, 'app').length, from ? 0 : 1);
      assert.deepEqual(await told(next, 'Drifted'), []);
    });
  }
});
