import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createReservations } from '../../controller/ports/reservations.ts';
import type { SimContainer } from '../sim/engine-world.ts';
import type { Step } from '../sim/host.ts';
import { createStage, type Stage } from './stage.ts';

/** Calls that only look: dying before one is dying before the change that comes next, or after the last. */
const LOOKS = /^engine\.(ping|list|inspect|logs)/;
/** Writes whose loss is made good by the next look, so that dying around them is like dying around the changes. */
const NOTES = /^(status\.put|events\.append)/;

interface Operation {
  name: string;
  /** Asks for it; gives what tells whether it came about. `round` differs from call to call. */
  ask(stage: Stage, round: number): Promise<() => boolean>;
}

const create: Operation = {
  name: 'create',
  async ask(stage, round) {
    await stage.create('app', envOf(round));
    return () => serving(stage) !== undefined;
  },
};
const remove: Operation = {
  name: 'delete',
  async ask(stage) {
    await stage.host.programs.remove('app');
    return () => stateOf(stage) === undefined;
  },
};
const stop: Operation = {
  name: 'stop',
  async ask(stage) {
    await stage.edit('app', { desiredState: 'Stopped' });
    return () => stateOf(stage) === 'Stopped';
  },
};
const start: Operation = {
  name: 'start',
  async ask(stage) {
    await stage.edit('app', { desiredState: 'Running' });
    return () => serving(stage) !== undefined;
  },
};
const replace: Operation = {
  name: 'replace',
  async ask(stage, round) {
    await stage.write('sources/app/Dockerfile', `FROM scratch\n# ${round}\n`);
    await stage.replace('app', envOf(round));
    return () => serving(stage)?.env.ROUND === String(round);
  },
};
/** Each goes back to where it began, so that it can be gone through again and again. */
const CYCLES = [[replace], [stop, start], [remove, create]];

const envOf = (round: number) => ({ env: { ROUND: String(round) } });
const stateOf = (stage: Stage) => stage.host.registry.status.get('app')?.state;

/** The one container, where it is up, ready, under its plain name, and nothing is left to be done. */
function serving(stage: Stage): SimContainer | undefined {
  const [container, ...others] = stage.containers('app');
  const serves =
    stateOf(stage) === 'Ready' &&
    others.length === 0 &&
    container?.facts.state === 'running' &&
    container.facts.name === 'hersh-program-app' &&
    container.facts.id === stage.status('app').containerId;
  return serves ? container : undefined;
}

/** What holds whatever happened. */
function checkWorld(stage: Stage, operation: string, port: number): void {
  const { world, host } = stage;
  const up = [...world.containers.values()].filter(({ facts }) => facts.state === 'running');
  assert.equal(up.length, operation === 'stop' || operation === 'delete' ? 0 : 1);
  assert.equal(world.containers.size, operation === 'delete' ? 0 : 1, 'no container is left over');
  assert.equal(world.volumes.size, 1, 'the data is there, once');
  assert.equal(host.registry.status.names().length, operation === 'delete' ? 0 : 1);
  assert.equal(host.controller.ports.holder(port), operation === 'delete' ? undefined : 'app');
  assert.deepEqual(host.controller.health().strays, []);
  assert.deepEqual(
    host.log.filter(({ level }) => level === 'error'),
    [],
  );
  const status = host.registry.status.get('app');
  if (status === undefined) return;
  assert.equal(status.publishPort, port);
  assert.equal(status.restartCount, 0, 'a stop by wish is no crash');
  assert.equal(status.memory.starts.crashes, undefined);
  assert.equal(status.reason, '');
}

describe('a host that is killed', () => {
  it('between any two engine calls leaves work that the next one finishes', async (test) => {
    const stage = await createStage(test);
    /** Steps until the host dies; 0: it lives. */
    let countdown = 0;
    let death: Promise<void> | undefined;
    let place = '';
    const startHost = () =>
      stage.start({
        portRange: { min: 19001, max: 19001 },
        onStep(step: Step, host) {
          const counts = !LOOKS.test(step.name) && !NOTES.test(step.name);
          if (!counts || countdown === 0 || --countdown > 0) return;
          place = `${step.moment} ${step.name} ${step.about}`;
          death = host.kill();
        },
      });
    await startHost();
    const created = await create.ask(stage, 0);
    await stage.host.until('it was created', created);
    const kills = new Map<string, number>();
    let round = 0;
    for (const cycle of CYCLES) {
      const open = new Set(cycle);
      for (let steps = 1; open.size > 0; steps++) {
        for (const operation of cycle) {
          const { name } = operation;
          countdown = open.has(operation) ? steps : 0;
          death = undefined;
          const isDone = await operation.ask(stage, ++round);
          await stage.host.until(`${name} came about`, () => death !== undefined || isDone());
          countdown = 0;
          if (death === undefined) {
            open.delete(operation);
          } else {
            await death;
            kills.set(name, steps);
            await startHost();
            await stage.host.until(`${name} came about though the host died ${place}`, isDone);
          }
          await stage.host.advance(0);
          checkWorld(stage, name, 19001);
        }
      }
    }
    // Two moments for each change there has to be; a test that found fewer would prove nothing.
    const least = { replace: 12, stop: 2, start: 2, delete: 6, create: 6 };
    for (const [name, moments] of Object.entries(least)) assert.ok((kills.get(name) ?? 0) >= moments, name);
  });

  it('while the engine made a container is followed by one that tells of it, once', async (test) => {
    const stage = await createStage(test);
    let death: Promise<void> | undefined;
    await stage.start({
      onStep({ name, moment }, host) {
        const isSecond = stage.containers('app').length === 2;
        if (name === 'engine.createContainer' && moment === 'after' && isSecond) death = host.kill();
      },
    });
    await stage.create('app');
    await stage.reach('app', 'Ready');
    // Ids of the simulated engine begin alike.
    const told = async () =>
      (await stage.host.registry.events.list('app'))
        .filter(({ reason }) => reason === 'Created')
        .map(({ message }) => /^revision \d+/.exec(message)?.[0]);
    await stage.replace('app', { env: { N: '2' } });
    await stage.host.until('it dies', () => death !== undefined);
    await death;
    for (let host = 0; host < 3; host++) {
      await stage.start();
      await stage.host.until('it serves', () => serving(stage)?.env.N === '2');
      await stage.host.advance(10_000);
      assert.deepEqual(await told(), ['revision 1', 'revision 2']);
      await stage.host.kill();
    }
  });

  it('leaves a program that ran alone: adopted, not touched, Ready all along', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('app');
    const before = await stage.reach('app', 'Ready');
    await stage.host.kill();
    const host = await stage.start();
    assert.equal(stage.status('app').state, 'Ready');
    await host.advance(60_000);
    assert.deepEqual(host.calls, []);
    assert.deepEqual(stage.status('app'), before);
    assert.equal(host.registry.status.get('app')?.updatedAt, before.updatedAt);
  });

  it('is followed by one that takes up what was edited, crashed and deleted meanwhile', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    for (const name of ['crashed', 'edited', 'deleted', 'other']) await stage.create(name);
    for (const name of ['crashed', 'edited', 'deleted', 'other']) await stage.reach(name, 'Ready');
    await stage.host.kill();
    stage.world.end(stage.running('crashed'), 1);
    await stage.write('sources/edited/Dockerfile', 'FROM scratch\nENV EDITED=1\n');
    await stage.remove('programs/deleted.yaml');
    const host = await stage.start();
    await host.advance(1_000);
    assert.equal(stage.status('crashed').restartCount, 1);
    assert.equal(stage.running('crashed').facts.state, 'running');
    assert.equal(stage.running('edited').env.EDITED, '1');
    assert.deepEqual(stage.containers('deleted'), []);
    stage.running('other');
  });

  it('in the middle of a stop that takes long does not make it a crash', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('app', { env: { IGNORE_TERM: '1' } });
    await stage.reach('app', 'Ready');
    await stage.edit('app', { desiredState: 'Stopped' });
    await stage.reach('app', 'Stopping');
    await stage.host.kill();
    await stage.start();
    await stage.reach('app', 'Stopped');
    assert.equal(stage.status('app').lastExit, null);
    assert.equal((await stage.reasons('app')).at(-1), 'Stopped');
  });

  it('and one that ends in good order leave programs running alike', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await stage.create('slow');
    await stage.write('sources/slow/Dockerfile', 'FROM scratch\nRUN sleep 100\n');
    await stage.reach('slow', 'Building');
    const container = stage.running('app');
    await stage.host.close();
    assert.equal(stage.clock.nextAt(), undefined, 'no timer is left');
    assert.equal(stage.world.watchers.size, 0);
    assert.equal(stage.running('app'), container);
    await stage.start();
    await stage.reach('slow', 'Ready', 120_000);
    assert.equal(stage.running('app'), container);
    assert.notEqual(stage.status('slow').reason, 'BuildFailed');
  });
});

describe('calls that are killed between the ledger and the manifest', () => {
  it('leave nothing behind, also where there is no other program', async (test) => {
    const stage = await createStage(test);
    const first = await stage.start();
    const reservations = createReservations(first.registry, first.controller.ports, stage.clock);
    const ports: number[] = [];
    for (const name of ['one', 'two']) ports.push((await reservations.reserve(name, 'me', '')).port);
    await first.kill();
    const host = await stage.start();
    await host.advance(1_000);
    assert.deepEqual(host.registry.status.names(), []);
    assert.deepEqual(host.programs.list(), []);
    assert.deepEqual(host.registry.health().paused, []);
    assert.deepEqual(
      ports.map((port) => host.controller.ports.holder(port)),
      [undefined, undefined],
    );
  });
});
