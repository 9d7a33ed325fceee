import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type Docker from 'dockerode';
import { createHost, type Host, type Program } from '../e2e/host.ts';
import { until } from '../e2e/until.ts';
import { type EventRelay, openEventRelay } from './event-relay.ts';

/** Whatever somebody does to a container behind the host's back is noticed, put right and told. */

let host: Host;
let relay: EventRelay;

before(async () => {
  host = await createHost('29710-29749');
  relay = await openEventRelay();
  await host.start({ env: { DOCKER_HOST: relay.url } });
});

after(async () => {
  // The relay first, whose open sockets would keep this process alive should anything after it fail.
  await relay?.close();
  await host?.close();
});

interface Case {
  what: string;
  spec?: Record<string, unknown>;
  act(container: Docker.Container, program: Program): Promise<unknown>;
  /** Whether the container is kept. */
  keeps: boolean;
  /** What the event has to say. */
  tells: RegExp;
  restarts?: number;
}

/** Found at once by an event, and after at most this by the next list; what only an inspect shows, by the next look. */
const RELIST_MS = 10_000;
const CASES: readonly Case[] = [
  {
    what: 'an exit',
    act: (_, program) => host.direct(program, '/crash?code=3', { method: 'POST' }).catch(() => undefined),
    keeps: true,
    tells: /^Restarted: .* after exit code 3$/,
    restarts: 1,
  },
  {
    what: 'docker kill',
    act: (one) => one.kill(),
    keeps: true,
    tells: /^Restarted: .* after SIGKILL$/,
    restarts: 1,
  },
  {
    what: 'docker stop',
    act: (one) => one.stop({ t: 1 }),
    keeps: true,
    tells: /^Restarted: .* after /,
    restarts: 1,
  },
  {
    what: 'docker restart',
    // Over before a list sees it: where the event is lost, only the probe can tell.
    spec: { readiness: { path: '/watcher/status', periodSeconds: 0.1, failureThreshold: 1 } },
    act: (one) => one.restart({ t: 1 }),
    keeps: true,
    tells: /^(Restarted|Ready|Running): /,
  },
  {
    what: 'docker rm -f',
    act: (one) => one.remove({ force: true }),
    keeps: false,
    tells: /^Drifted: somebody removed the container$/,
  },
  { what: 'docker pause', act: pause, keeps: true, tells: /^Unpaused: / },
];

/** What only an inspect shows. */
const CHANGES: readonly Case[] = [
  {
    what: 'docker update',
    act: (one) => one.update({ Memory: 64 << 20, MemorySwap: 64 << 20 }),
    keeps: false,
    tells: /^Drifted: .*memoryBytes is 67108864 instead of/,
  },
  {
    what: 'docker update of what loosens a limit',
    act: (one) => one.update({ MemorySwap: -1 }),
    keeps: false,
    tells: /^Drifted: .*memorySwapBytes is -1 instead of/,
  },
  {
    what: 'docker rename',
    act: (one, { program_id }) => one.rename({ name: `mine-${program_id}-${host.marker}` }),
    keeps: true,
    tells: /^Drifted: somebody renamed/,
  },
  {
    what: 'docker network disconnect',
    act: async (one) => {
      for (const network of await networksOf(one))
        await host.docker.getNetwork(network).disconnect({ Container: one.id, Force: true });
    },
    keeps: false,
    tells: /^Drifted: .*instead of/,
  },
  {
    what: 'docker network connect',
    act: (one) => host.docker.getNetwork('bridge').connect({ Container: one.id }),
    keeps: false,
    tells: /^Drifted: .*instead of/,
  },
];

async function networksOf(container: Docker.Container): Promise<string[]> {
  return Object.keys((await container.inspect()).NetworkSettings.Networks);
}

async function heals(name: string, { spec = {}, act, keeps, tells, restarts = 0 }: Case): Promise<number> {
  await host.writeManifest(name, spec);
  const before = await host.untilState(name, 'Ready');
  const container = host.docker.getContainer(before.container_id);
  const facts = await container.inspect();
  const told = (await host.events(name)).length;
  await act(container, before);
  const start = performance.now();
  const isHealed = async () => {
    const now = await host.get(name);
    if (now.state !== 'Ready' || now.restart_count < restarts) return false;
    if ((now.container_id === before.container_id) !== keeps) return false;
    const found = await host.docker
      .getContainer(now.container_id)
      .inspect()
      .catch(() => undefined);
    if (found === undefined || found.Name !== facts.Name || found.State.Paused || !found.State.Running)
      return false;
    const events = (await host.events(name)).slice(told);
    return (
      found.HostConfig.Memory === facts.HostConfig.Memory &&
      found.HostConfig.MemorySwap === facts.HostConfig.MemorySwap &&
      Object.keys(found.NetworkSettings.Networks).join() ===
        Object.keys(facts.NetworkSettings.Networks).join() &&
      events.some(({ reason, message }) => tells.test(`${reason}: ${message}`)) &&
      (await host.direct(now, '/watcher/status')).status === 200
    );
  };
  await until(
    `${name} is healed`,
    () => isHealed().catch(() => false),
    async () => JSON.stringify([await host.get(name), (await host.events(name)).slice(told)], null, 1),
  );
  const ms = performance.now() - start;
  const others = await host.containers(name);
  assert.equal(others.length, 1, 'one container');
  return ms;
}

const nameOf = (what: string, prefix: string) => `${prefix}-${what.replaceAll(/\W+/g, '-')}`;

describe('with events', { concurrency: 4 }, () => {
  for (const one of [...CASES, ...CHANGES])
    it(`${one.what} is put right, and told`, async () => {
      await heals(nameOf(one.what, 'event'), one);
    });

  it('the network removed with a program on it is made anew', async () => {
    await host.writeManifest('netless');
    const before = await host.untilState('netless', 'Ready');
    const one = host.docker.getContainer(before.container_id);
    const [network = ''] = await networksOf(one);
    await host.docker.getNetwork(network).disconnect({ Container: one.id, Force: true });
    const after = await host.untilProgram(
      'netless',
      'is in another container',
      (p) => p.state === 'Ready' && p.container_id !== before.container_id,
    );
    assert.deepEqual(await networksOf(host.docker.getContainer(after.container_id)), [network]);
  });

  it('the image that a program was built to does not matter while it runs, and is built again when it must', async () => {
    const context = await host.writeContext('imageless');
    await host.writeManifest('imageless', { build: { context } });
    const before = await host.untilState('imageless', 'Ready');
    await host.docker.getImage(`hersh/${before.build_id}`).remove({ force: true });
    await host.docker.getContainer(before.container_id).kill();
    const back = await host.untilProgram(
      'imageless',
      'runs',
      (p) => p.restart_count === 1 && p.state === 'Ready',
    );
    assert.equal(back.container_id, before.container_id);
    await host.docker.getContainer(before.container_id).remove({ force: true });
    const anew = await host.untilProgram(
      'imageless',
      'is built again',
      (p) => p.state === 'Ready' && p.container_id !== before.container_id,
    );
    assert.equal(anew.build_id, before.build_id);
  });

  it('a program that should be stopped, started by hand, is stopped, and that is no crash', async () => {
    await host.writeManifest('resting');
    await host.untilState('resting', 'Ready');
    await host.call('POST', '/programs/resting/stop');
    const stopped = await host.untilState('resting', 'Stopped');
    const told = (await host.events('resting')).length;
    await host.docker.getContainer(stopped.container_id).start();
    await until('it rests again', async () => {
      const { State } = await host.docker.getContainer(stopped.container_id).inspect();
      const events = (await host.events('resting')).slice(told);
      return !State.Running && events.some(({ reason }) => reason === 'Stopped' || reason === 'Stopping');
    });
    const after = await host.untilState('resting', 'Stopped');
    assert.equal(after.restart_count, 0);
  });

  it('a healthy program is put right within two seconds', async () => {
    const ms = await heals('prompt', CASES[1] ?? assert.fail());
    assert.ok(ms < RELIST_MS, `it took ${ms} ms: longer than a list would have`);
  });
});

describe('with every event lost', { concurrency: CASES.length + CHANGES.length }, () => {
  before(() => relay.mute(true));
  after(() => relay.mute(false));

  for (const one of CASES)
    it(`${one.what} is found by the next list`, async () => {
      await heals(nameOf(one.what, 'silent'), one);
    });

  for (const one of CHANGES)
    it(`${one.what} is found by the next look at every program`, async () => {
      await heals(nameOf(one.what, 'silent'), one);
    });
});

describe('an event stream that breaks', { concurrency: false }, () => {
  it('is opened again, what happened meanwhile is seen, and the host stays ready', async () => {
    await host.writeManifest('unheard');
    const program = await host.untilState('unheard', 'Ready');
    relay.refuseEvents(true);
    relay.dropEvents();
    await until('no stream is open', () => relay.open() === 0);
    await host.docker.getContainer(program.container_id).kill();
    relay.refuseEvents(false);
    await host.untilProgram('unheard', 'runs again', (p) => p.restart_count === 1 && p.state === 'Ready');
    await until('streams are open', () => relay.open() > 0);
    await until('the host is ready', async () => (await host.call('GET', '/readyz')).status === 200);
  });
});

/** A busy machine's kernel now and then refuses to freeze: that is the engine's failure, and not what is tested. */
async function pause(one: Docker.Container): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await one.pause();
    } catch (error) {
      if (attempt === 5 || !/unable to freeze/.test(String(error))) throw error;
    }
  }
}
