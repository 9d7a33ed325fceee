import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import type { Step } from './edits.ts';
import { moveProgramsAway, putRight, type World } from './world.ts';

/** Damage is left for so long: short enough to be over soon, long enough to be acted on wrongly. */
const DAMAGE_MS_MAX = 4_000;

async function container(world: World, state: string) {
  const all = (await world.host.containers()).filter(({ State }) => State === state);
  const one = world.random.any(all);
  return one === undefined ? undefined : world.host.docker.getContainer(one.Id);
}

type Handle = NonNullable<Awaited<ReturnType<typeof container>>>;

/** Done by hand to a container; one that has just gone is no fault of ours. */
function byHand(
  kind: string,
  weight: number,
  state: string,
  act: (one: Handle, world: World) => Promise<unknown>,
): Step {
  return {
    kind,
    weight,
    async run(world) {
      const one = await container(world, state).catch(() => undefined);
      if (one === undefined) return false;
      return act(one, world).then(
        () => true,
        () => false,
      );
    },
  };
}

async function damage(world: World, spoil: (path: string) => Promise<void>): Promise<boolean> {
  const name = world.random.any((await world.names()).filter((one) => !world.damaged.has(one)));
  if (name === undefined || world.away) return false;
  const path = world.host.path('programs', `${name}.yaml`);
  const text = await readFile(path, 'utf8');
  world.damaged.set(name, text);
  await spoil(path);
  world.later(world.random.below(DAMAGE_MS_MAX), async () => {
    // `programs/` may be away just now; then it is made whole in the end.
    if (world.away || world.damaged.get(name) !== text) return;
    await putRight(world, name);
  });
  return true;
}

async function aStatusFile(world: World): Promise<string | undefined> {
  const file = world.random.any(await readdir(world.host.path('status')).catch(() => []));
  return file?.endsWith('.yaml') ? world.host.path('status', file) : undefined;
}

async function restartHost(world: World): Promise<void> {
  if (!world.host.child().hasEnded()) await world.host.kill();
  await world.host.start({ ready: false });
}

/** Whatever can go wrong around a host. */
export const FAULTS: readonly Step[] = [
  byHand('docker kill', 6, 'running', (one) => one.kill()),
  byHand('docker stop', 4, 'running', (one) => one.stop({ t: 1 })),
  byHand('docker rm -f', 6, 'running', (one) => one.remove({ force: true })),
  byHand('docker rm of a stopped one', 2, 'exited', (one) => one.remove({ force: true })),
  byHand('docker pause', 4, 'running', (one) => one.pause()),
  byHand('docker start by hand', 2, 'exited', (one, { startedByHand }) => {
    startedByHand.set(one.id, performance.now());
    return one.start();
  }),
  byHand('docker update', 2, 'running', (one) => one.update({ Memory: 64 << 20, MemorySwap: 64 << 20 })),
  byHand('docker rename', 2, 'running', (one, world) => one.rename({ name: `mine-${world.next()}` })),
  byHand('docker network disconnect', 2, 'running', async (one, { host }) => {
    const { NetworkSettings } = await one.inspect();
    for (const network of Object.keys(NetworkSettings.Networks))
      await host.docker.getNetwork(network).disconnect({ Container: one.id, Force: true });
  }),
  {
    kind: 'docker rmi',
    weight: 1,
    async run({ host, random }) {
      const images = await host.docker.listImages().catch(() => []);
      const tag = random.any(images.flatMap(({ RepoTags }) => RepoTags ?? []).filter(isBuilt));
      if (tag === undefined) return false;
      await host.docker
        .getImage(tag)
        .remove({ force: true })
        .catch(() => undefined);
      return true;
    },
  },
  {
    kind: 'host kill -9',
    weight: 3,
    async run(world) {
      await restartHost(world);
      return true;
    },
  },
  {
    kind: 'host kill -9 right after an edit',
    weight: 2,
    async run(world) {
      const name = world.random.any(await world.names());
      if (name === undefined) return false;
      void world.host.call('POST', `/programs/${name}/restart`).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, world.random.below(600)));
      await restartHost(world);
      return true;
    },
  },
  {
    kind: 'host restart',
    weight: 1,
    async run(world) {
      await world.host.stop();
      await world.host.start({ ready: false });
      return true;
    },
  },
  ...(['stop', 'kill'] as const).map(
    (way): Step => ({
      kind: `engine ${way} and start`,
      weight: 1,
      async run(world) {
        const { engine, random } = world;
        await engine[way]();
        await engine.start({ liveRestore: random.chance(0.5) });
        world.later(DAMAGE_MS_MAX, () => world.dropForgotten());
        return true;
      },
    }),
  ),
  {
    kind: 'engine frozen',
    weight: 1,
    async run({ engine, random }) {
      engine.freeze(true);
      await new Promise((resolve) => setTimeout(resolve, random.below(3_000)));
      engine.freeze(false);
      return true;
    },
  },
  {
    kind: 'engine socket gone',
    weight: 1,
    async run({ engine, random }) {
      await engine.hideSocket(true);
      await new Promise((resolve) => setTimeout(resolve, random.below(3_000)));
      await engine.hideSocket(false);
      return true;
    },
  },
  {
    kind: 'manifest truncated',
    weight: 2,
    run: (world) => damage(world, (path) => truncate(path, 40 + world.random.below(60))),
  },
  {
    kind: 'manifest binary',
    weight: 1,
    run: (world) => damage(world, (path) => writeFile(path, Buffer.from([0, 255, 254, 7, 10, 0]))),
  },
  { kind: 'manifest empty', weight: 1, run: (world) => damage(world, (path) => writeFile(path, '')) },
  {
    kind: 'programs/ moved away',
    weight: 1,
    async run(world) {
      if (world.away) return false;
      world.later(world.random.below(DAMAGE_MS_MAX), await moveProgramsAway(world));
      return true;
    },
  },
  {
    kind: 'status file deleted',
    weight: 1,
    async run(world) {
      const path = await aStatusFile(world);
      if (path !== undefined) await rm(path, { force: true });
      return path !== undefined;
    },
  },
  {
    kind: 'status file corrupted',
    weight: 1,
    async run(world) {
      const path = await aStatusFile(world);
      if (path !== undefined) await writeFile(path, 'status: [\u0000');
      return path !== undefined;
    },
  },
];

const isBuilt = (tag: string): boolean => tag.startsWith('hersh/');
