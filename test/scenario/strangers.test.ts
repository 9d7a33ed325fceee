import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Container } from '../../schemas/container.ts';
import { runCopy } from '../sim/copies.ts';
import type { SimContainer } from '../sim/engine-world.ts';
import { createStage, manifest, type Stage } from './stage.ts';

const REAL = 'hersh-program-app';

async function serving(test: Parameters<typeof createStage>[0], spec = {}): Promise<[Stage, SimContainer]> {
  const stage = await createStage(test);
  await stage.start();
  await stage.create('app', spec);
  await stage.reach('app', 'Ready');
  return [stage, stage.running('app')];
}

/** A container made by hand under the same labels, with all that a committed copy lacks. */
const copyOf = (stage: Stage, of: SimContainer, change: Partial<Container> = {}): SimContainer =>
  runCopy(stage.world, of, { name: 'mine', ...change });

const removeByHand = async ({ world }: Stage, one: SimContainer): Promise<void> => {
  world.end(one, 137);
  await world.remove(one);
};

async function told(stage: Stage): Promise<string[]> {
  const events = await stage.host.registry.events.list('app');
  return events
    .filter(({ reason }) => reason === 'StrayContainer')
    .map(({ type, message }) => `${type}: ${message}`);
}

describe('a container that bears the labels of a program, and no host made', () => {
  it('is left alone beside a Ready one, told of once, and goes by prune', async (test) => {
    const [stage, real] = await serving(test);
    const copy = copyOf(stage, real);
    await stage.host.advance(70_000);
    const { state, containerId } = stage.status('app');
    assert.deepEqual([state, containerId], ['Ready', real.facts.id]);
    assert.deepEqual([real.facts.name, copy.facts.state], [REAL, 'running']);
    const [event = '', ...others] = await told(stage);
    assert.deepEqual(others, []);
    assert.match(
      event,
      /^Warning: container \w+ \(mine\) bears .*: no host made it \(its root .*prune removes it/,
    );
    const strays = () => stage.host.controller.health().strays.map(({ name, why }) => `${name}: ${why}`);
    assert.match(strays().join(), /^mine: no host made it/);

    await stage.host.kill();
    const host = await stage.start();
    await host.advance(70_000);
    assert.equal((await told(stage)).length, 1, 'and the next host knows that it was told');
    assert.deepEqual(host.calls, []);

    assert.deepEqual(await host.programs.confirmPrune(), ['mine']);
    await host.advance(11_000);
    assert.deepEqual(strays(), []);
    assert.equal(stage.running('app'), real);
  });

  it('takes no part in a crash loop that somebody looks into', async (test) => {
    const [stage, real] = await serving(test, { env: { EXIT_AFTER_MS: '1000' } });
    await stage.host.advance(3_000);
    const copy = copyOf(stage, real);
    const { startedAtMs } = copy.facts;
    await stage.host.advance(120_000);
    assert.equal(stage.world.containers.get(real.facts.id), real, 'the real one stays');
    assert.equal(stage.status('app').containerId, real.facts.id);
    assert.equal(copy.facts.startedAtMs, startedAtMs, 'and the copy is never started');
  });

  it('is never Ready in the place of the real one that was removed while no host ran', async (test) => {
    const [stage, real] = await serving(test);
    await stage.host.kill();
    await removeByHand(stage, real);
    // Under its name, and with all that it had, as tools do that recreate a container.
    const copy = copyOf(stage, real, { name: REAL, loosened: [], publishPort: real.facts.publishPort });
    await stage.start();
    await stage.host.until(
      'another serves',
      () => stage.status('app').state === 'Ready' && stage.containers('app').length === 2,
    );
    const { containerId, publishPort } = stage.status('app');
    assert.notEqual(containerId, copy.facts.id);
    assert.notEqual(publishPort, copy.facts.publishPort, "whose port is not the program's any more");
    assert.equal(copy.facts.state, 'running');
  });

  it("is no program's where the ledger is lost, unless it has the security of one", async (test) => {
    const [stage, real] = await serving(test);
    await stage.host.kill();
    const copy = copyOf(stage, real);
    await stage.remove('status/app.yaml');
    await stage.start();
    await stage.host.advance(70_000);
    assert.equal(stage.status('app').containerId, real.facts.id);
    assert.deepEqual(stage.host.calls, []);
    assert.equal((await told(stage)).length, 1);
    assert.equal(copy.facts.state, 'running');
  });

  it('is the one that serves where all that was noted is lost and another is wanted: never two at once', async (test) => {
    const [stage, real] = await serving(test);
    await stage.host.kill();
    for (const folder of ['status', 'data']) await stage.remove(folder);
    await stage.write('programs/app.yaml', manifest('app', { env: { NEW: '1' } }));
    await stage.start();
    const up = () => stage.containers('app').filter(({ facts }) => facts.state === 'running');
    let most = 0;
    await stage.host.until('another serves', () => {
      most = Math.max(most, up().length);
      return up()[0] !== real && stage.status('app').state === 'Ready';
    });
    assert.equal(most, 1);
    assert.equal(stage.running('app').facts.publishPort, real.facts.publishPort);
    assert.equal(stage.world.containers.has(real.facts.id), false);
  });

  for (const lost of [['status'], ['status', 'data']])
    it(`is none that somebody changed after the loss of ${lost.join(' and ')}: that one is put right, and never two at once`, async (test) => {
      const [stage, real] = await serving(test);
      await stage.host.kill();
      for (const folder of lost) await stage.remove(folder);
      Object.assign(real.facts.settings, { restartPolicy: 'always', networks: ['bridge', 'programs'] });
      if (lost.length === 1) Object.assign(real.facts.settings, { memoryBytes: 2 ** 40, cpus: 64, pids: 0 });
      // What is not valid is held: there is no wish to compare with when it is found.
      await stage.write('programs/app.yaml', 'spec: [');
      await stage.start();
      await stage.host.advance(11_000);
      assert.deepEqual(stage.containers('app'), [real]);
      await stage.write('programs/app.yaml', manifest('app'));
      const up = () => stage.containers('app').filter(({ facts }) => facts.state === 'running');
      let most = 0;
      await stage.host.until('another serves', () => {
        most = Math.max(most, up().length);
        return up()[0] !== real && stage.status('app').state === 'Ready';
      });
      assert.equal(most, 1);
      const { memoryBytes, cpus, pids, restartPolicy, networks } = stage.running('app').facts.settings;
      assert.deepEqual([restartPolicy, networks], ['no', ['programs']]);
      assert.deepEqual([memoryBytes, cpus, pids], [2 ** 29, 1, 256]);
      assert.deepEqual(await told(stage), []);
      const drifted = (await stage.host.registry.events.list('app')).filter(
        ({ reason }) => reason === 'Drifted',
      );
      assert.match(drifted.map(({ message }) => message).join(), /restartPolicy is "always" instead of "no"/);
    });

  it('does not hold up the deletion of a program, nor what comes under its name', async (test) => {
    const [stage, real] = await serving(test);
    const copy = copyOf(stage, real);
    await stage.host.advance(11_000);
    await stage.host.programs.remove('app');
    await stage.host.until('it is gone', () => stage.host.registry.status.get('app') === undefined);
    assert.deepEqual(stage.containers('app'), [copy]);
    await stage.host.registry.create('app', manifest('app'));
    await stage.host.until('it is Ready', () => stage.host.registry.status.get('app')?.state === 'Ready');
    assert.notEqual(stage.status('app').containerId, copy.facts.id);
    assert.equal(copy.facts.state, 'running');
  });
});

describe('what a program is made of', () => {
  it('is no image that somebody committed from it under the name of its own', async (test) => {
    const [stage, real] = await serving(test);
    const tag = [...stage.world.tags.keys()].find((one) => one.startsWith('hersh/')) ?? '';
    const { imageId, labels } = real.facts;
    stage.world.addImage(tag, { labels, env: { LISTEN: '0' } });
    await removeByHand(stage, real);
    await stage.host.advance(1_000);
    await stage.reach('app', 'Ready');
    assert.equal(stage.running('app').facts.imageId, imageId);
  });
});
