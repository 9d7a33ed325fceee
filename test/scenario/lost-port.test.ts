import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { ProgramEvent } from '../../schemas/program.ts';
import type { SimHost } from '../sim/host.ts';
import { createStage, type Spec, type Stage } from './stage.ts';

/** What is published on a port, by the engine's account, and is not reached by it. */

interface Bench {
  stage: Stage;
  host: SimHost;
}

async function benchOf(test: TestContext, sandboxed: boolean, spec: Spec = {}): Promise<Bench> {
  const stage = await createStage(test);
  const host = await stage.start({ sandboxed });
  await stage.create('app', spec);
  await host.until('it answers', () => answers(stage));
  return { stage, host };
}

const answers = (stage: Stage): boolean => {
  const { publishPort } = stage.host.registry.status.get('app') ?? { publishPort: 0 };
  return stage.world.answer(publishPort) === 200;
};

/** As the engine's proxy for the port ends, which no event tells. */
function lose(stage: Stage): string {
  const { id, sandbox } = stage.running('app').facts;
  stage.world.lostProxies.add(sandbox?.id ?? id);
  return id;
}

async function losses(host: SimHost): Promise<ProgramEvent[]> {
  return (await host.registry.events.list('app')).filter(({ reason }) => reason === 'PortLost');
}

const sandboxes = ({ world }: Stage): string[] => [...world.sandboxes.all.keys()];

describe('a port that refuses, though the program listens inside', () => {
  for (const sandboxed of [true, false]) {
    it(`is had again by another container${sandboxed ? ' in another sandbox' : ''}, and told once`, async (test) => {
      const { stage, host } = await benchOf(test, sandboxed);
      await stage.reach('app', 'Ready');
      const { publishPort, currentRevision } = stage.status('app');
      const before = sandboxes(stage);
      const id = lose(stage);
      await host.until('it is lost', () => stage.status('app').state === 'Running');
      await host.until('it is back', () => answers(stage) && stage.status('app').state === 'Ready');
      const now = stage.status('app');
      assert.notEqual(now.containerId, id);
      assert.deepEqual([now.publishPort, now.currentRevision], [publishPort, currentRevision]);
      await host.advance(60_000);
      assert.equal(stage.containers('app').length, 1);
      assert.equal(sandboxes(stage).length, sandboxed ? 1 : 0);
      for (const one of before) assert.ok(!sandboxes(stage).includes(one));
      const [told, ...others] = await losses(host);
      assert.match(told?.message ?? '', new RegExp(`port ${publishPort} refuses .* not again .* before `));
      assert.equal(told?.type, 'Warning');
      assert.deepEqual(others, []);
      assert.ok(!(await stage.reasons('app')).includes('Drifted'), 'nobody changed the container');
      assert.equal(now.restartCount, 0);
    });
  }

  it('is seen of a program without any probe', async (test) => {
    const { stage, host } = await benchOf(test, true, { readiness: { none: true } });
    const id = lose(stage);
    await host.until('it is back', () => answers(stage) && stage.running('app').facts.id !== id, 180_000);
    assert.equal((await losses(host)).length, 1);
  });

  it('is nothing that passes: not where it is back at once, nor where the program does not listen', async (test) => {
    const { stage, host } = await benchOf(test, true);
    const id = lose(stage);
    await host.advance(2_900);
    stage.world.lostProxies.clear();
    await host.advance(60_000);
    assert.equal(stage.running('app').facts.id, id);
    // Nobody inside either: that is the program's own.
    const one = stage.running('app');
    one.listening = false;
    await host.advance(60_000);
    assert.equal(stage.running('app').facts.id, id);
    assert.deepEqual(await losses(host), []);
  });

  it('is left alone while the engine is away, and where it is back when that is', async (test) => {
    const { stage, host } = await benchOf(test, true);
    const id = lose(stage);
    stage.world.goAway('keep');
    await host.advance(60_000);
    stage.world.lostProxies.clear();
    stage.world.comeBack();
    await host.advance(60_000);
    assert.equal(stage.running('app').facts.id, id);
    assert.deepEqual(await losses(host), []);
  });

  it('does not come of a port that something on this machine keeps refusing, again and again', async (test) => {
    const { stage, host } = await benchOf(test, true);
    const made = new Set<string>();
    // A firewall: whatever is made anew is cut off like what was before.
    const until = stage.clock.monotonic() + 130 * 60_000;
    while (stage.clock.monotonic() < until) {
      for (const one of sandboxes(stage)) {
        made.add(one);
        stage.world.lostProxies.add(one);
      }
      await host.advance(10_000);
    }
    const told = await losses(host);
    const waits = told.map(({ time, message }) => {
      const nextAt = /before (\S+)$/.exec(message)?.[1] ?? '';
      return Math.round((Date.parse(nextAt) - Date.parse(time)) / 60_000);
    });
    assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60].slice(0, told.length));
    assert.ok(told.length >= 7, `${told.length} times`);
    assert.ok(made.size <= told.length + 1);
    stage.world.lostProxies.clear();
    await stage.reach('app', 'Ready');
  });

  it('is seen by the host that comes after one that ended half way', async (test) => {
    const { stage, host } = await benchOf(test, true);
    const id = lose(stage);
    await host.until('it is given up', () => stage.status('app').memory.containers[id]?.portLost === true);
    await host.kill();
    const next = await stage.start({ sandboxed: true });
    await next.until('it is back', () => answers(stage));
    assert.notEqual(stage.running('app').facts.id, id);
    assert.equal((await losses(next)).length, 1);
  });
});
