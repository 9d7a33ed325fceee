import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRandom } from '../sim/random.ts';
import { createStage, manifest, type Spec, type Stage } from './stage.ts';

const PORTS = [19_500, 19_501, 19_502, 19_503];
const NAMES = ['a', 'b', 'c', 'd'];

/** Programs that serve on the ports they pin, in that order. */
async function pinned(stage: Stage, names: readonly string[], spec: Spec = {}): Promise<void> {
  for (const [index, name] of names.entries()) {
    await stage.create(name, { ...spec, publishPort: PORTS[index] });
    await stage.reach(name, 'Ready');
  }
}

/** Whether it serves there, as one container and without a word of trouble. */
function serves(stage: Stage, name: string, port: number): boolean {
  const { state, reason, publishPort } = stage.status(name);
  const [one, ...others] = stage.containers(name);
  return (
    state === 'Ready' &&
    reason === '' &&
    publishPort === port &&
    others.length === 0 &&
    one?.facts.publishPort === port
  );
}

const save = (stage: Stage, name: string, publishPort: number, spec: Spec = {}) =>
  stage.write(`programs/${name}.yaml`, manifest(name, { ...spec, publishPort }));

const tells = async (stage: Stage, name: string, reason: string) =>
  (await stage.reasons(name)).filter((one) => one === reason).length;

describe('ports that pass from one program to another', () => {
  for (const apart of [0, 30_000]) {
    it(`are swapped by two that pin each other's, saved ${apart} ms apart`, async (test) => {
      const stage = await createStage(test);
      const host = await stage.start();
      await pinned(stage, ['a', 'b']);
      await save(stage, 'a', 19_501);
      await host.advance(apart);
      await save(stage, 'b', 19_500);
      const isSwapped = () => serves(stage, 'a', 19_501) && serves(stage, 'b', 19_500);
      await host.until('they have changed places', isSwapped, 20_000);
      assert.deepEqual(
        [await tells(stage, 'a', 'PortYielded'), await tells(stage, 'b', 'PortYielded')],
        [1, 0],
      );
      const [, yielded] = (await host.registry.events.list('a')).filter(({ message }) =>
        /circle/.test(message),
      );
      assert.equal(yielded, undefined, 'told once');
      assert.deepEqual([19_500, 19_501].map(host.controller.ports.holder), ['b', 'a']);
    });
  }

  it('are swapped by two that were stopped, and started again', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await pinned(stage, ['a', 'b']);
    for (const name of ['a', 'b']) await stage.edit(name, { desiredState: 'Stopped' });
    for (const name of ['a', 'b']) await stage.reach(name, 'Stopped');
    await stage.replace('a', { publishPort: 19_501, desiredState: 'Stopped' });
    await stage.replace('b', { publishPort: 19_500, desiredState: 'Stopped' });
    for (const name of ['a', 'b']) await stage.edit(name, { desiredState: 'Running' });
    const isSwapped = () => serves(stage, 'a', 19_501) && serves(stage, 'b', 19_500);
    await host.until('they have changed places', isSwapped, 20_000);
  });

  it('do not go to somebody outside of the circle, who waited before', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await pinned(stage, ['a', 'b']);
    await stage.create('other', { publishPort: 19_500 });
    await stage.reach('other', 'Error');
    await stage.replace('a', { publishPort: 19_501 });
    await stage.replace('b', { publishPort: 19_500 });
    const isSwapped = () => serves(stage, 'a', 19_501) && serves(stage, 'b', 19_500);
    await host.until('they have changed places', isSwapped, 20_000);
    assert.equal(stage.status('other').reason, 'PortConflict');
  });

  it('are not given up while one of the circle could not move', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await pinned(stage, ['a', 'b']);
    const { id } = stage.running('a').facts;
    await stage.write('sources/b/Dockerfile', 'FROM scratch\nRUN exit 1\n');
    await stage.replace('b', { publishPort: 19_500 });
    await stage.replace('a', { publishPort: 19_501 });
    await host.advance(60_000);
    assert.deepEqual([stage.running('a').facts.id, stage.status('a').state], [id, 'Ready']);
    assert.equal(stage.status('b').state, 'Ready');
    await stage.write('sources/b/Dockerfile', 'FROM scratch\n# again\n');
    const isSwapped = () => serves(stage, 'a', 19_501) && serves(stage, 'b', 19_500);
    await host.until('they have changed places', isSwapped, 90_000);
  });

  it('find their programs in any order of saves, whatever goes on, over another host too', async (test) => {
    for (let seed = 1; seed <= 6; seed++) {
      const random = createRandom(seed);
      const stage = await createStage(test);
      let host = await stage.start();
      await pinned(stage, NAMES, { stopGracePeriodSeconds: 1 });
      const left = [...PORTS];
      const wanted = new Map<string, number>();
      for (const name of NAMES) wanted.set(name, left.splice(random.below(left.length), 1)[0] ?? 0);
      const order = [...NAMES];
      while (order.length > 0) {
        const [name = ''] = order.splice(random.below(order.length), 1);
        await save(stage, name, wanted.get(name) ?? 0, { stopGracePeriodSeconds: 1 });
        await host.advance(random.pick([0, 100, 700, 5_000]));
        if (!random.chance(0.3)) continue;
        await host.kill();
        host = await stage.start();
      }
      const isDone = () => [...wanted].every(([name, port]) => serves(stage, name, port));
      await host.until(`each has its own, seed ${seed}`, isDone, 60_000);
      await host.kill();
    }
  });

  it('are had at once by who waits for them, and a rename is no conflict', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await pinned(stage, ['a']);
    await stage.remove('programs/a.yaml');
    await stage.write('sources/next/Dockerfile', 'FROM scratch\n');
    await save(stage, 'next', 19_500);
    const isFree = () => stage.containers('a').length === 0;
    await host.until('the old one is gone', isFree, 20_000);
    await host.until('the new one is ready', () => serves(stage, 'next', 19_500), 1_000);
    const warnings = (await host.registry.events.list('next')).filter(({ type }) => type === 'Warning');
    assert.deepEqual(warnings, []);
  });

  it('of the range are had at once by who found none', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start({ portRange: { min: 19_001, max: 19_001 } });
    await stage.create('a');
    await stage.reach('a', 'Ready');
    await stage.create('b');
    await stage.reach('b', 'Error');
    await host.programs.remove('a');
    await host.until('the old one is gone', () => host.registry.status.get('a') === undefined, 20_000);
    await stage.reach('b', 'Ready', 1_000);
  });
});
