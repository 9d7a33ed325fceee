import type { Engine, Image } from '../../controller/engine/engine.ts';
import {
  createOwnerSource,
  describeOther,
  isOwn,
  labelsOf,
  type Owner,
  type RegistryIdentity,
} from '../../controller/engine/owner.ts';
import { AppError, type Reason } from '../../schemas/errors.ts';
import { LABELS } from '../../schemas/program.ts';
import { fixedIdentity } from '../setup/registry-identity.ts';
import { aborted, diskFull, simBuild } from './engine-build.ts';
import { simExec } from './engine-exec.ts';
import { newFacts, summaryOf } from './engine-facts.ts';
import { claim, hold, simImages } from './engine-images.ts';
import { labelsIn } from './engine-labels.ts';
import { nothing, readLines } from './engine-logs.ts';
import { clearSpares, simSpares } from './engine-spares.ts';
import { simUsage } from './engine-usage.ts';
import { simVolumeContent } from './engine-volume-content.ts';
import type { SimContainer, SimWatcher, SimWorld } from './engine-world.ts';

/** How long an engine has to say that it is there. */
const PING_MS_MAX = 5_000;
/** Calls that take as long as they take. */
const PATIENT: ReadonlySet<string> = new Set(['stopContainer', 'build', 'pull']);

interface CallOptions {
  about?: string | undefined;
  pingMs?: number | undefined;
}

/**
 * An engine of one instance over a simulated world. It keeps the promises of the port as Docker does; the
 * contract suite holds both to them. Several may share a world, as hosts share an engine.
 */
export function createSimEngine(options: {
  world: SimWorld;
  instance: string;
  registry?: RegistryIdentity;
}): Engine {
  const { world, instance, registry = fixedIdentity() } = options;
  const ownerOf = createOwnerSource(instance, registry, async () => labelsIn(world, instance));
  /** Settled by the first call. */
  let owner: Owner = { instance, registry: registry.known() ?? '', path: registry.path };
  const { clock, containers } = world;

  /** Ends each call that waits for a short answer of a frozen engine. */
  const waiting = new Set<() => void>();

  /** Until the engine thaws, or a ping gives up. */
  const thawed = (frozen: Promise<void>, method: string, pingMs: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const giveUp = () => {
        waiting.delete(giveUp);
        reject(away());
      };
      const giveUpAll = () => {
        for (const each of waiting) each();
      };
      const cancel = method === 'ping' ? clock.after(pingMs, giveUpAll) : () => undefined;
      if (!PATIENT.has(method)) waiting.add(giveUp);
      void frozen.then(() => {
        waiting.delete(giveUp);
        cancel();
        resolve();
      });
    });

  /**
   * One call: takes its time, and fails as the world says.
   * @param about what the world is told where it fails
   * @param pingMs how long a ping waits for a frozen engine
   */
  const call = async <T>(
    method: string,
    act: () => T | Promise<T>,
    { about = '', pingMs = PING_MS_MAX }: CallOptions = {},
  ): Promise<T> => {
    const ms = world.callMs(method);
    if (ms > 0) await new Promise<void>((resolve) => clock.after(ms, resolve));
    else await Promise.resolve();
    if (world.frozen !== undefined) await thawed(world.frozen, method, pingMs);
    const fault = world.fault(method);
    try {
      if (world.isAway || fault === 'before') throw away();
      if (fault === 'refuse') throw refusal(method);
      if (fault === 'lost') return await silence(method);
      if (owner.registry === '' && method !== 'ping') owner = await ownerOf();
      const result = await act();
      if (fault === 'after') throw away();
      return fault === 'hung' ? await silence(method) : result;
    } catch (error) {
      if (about !== '') world.refused(method, about, error);
      throw error;
    }
  };

  const silence = async (method: string): Promise<never> => {
    await new Promise<void>((resolve) => clock.after(world.patienceMs(method), resolve));
    throw away();
  };

  const ours = (): SimContainer[] =>
    [...containers.values()].filter(({ facts }) => isOwn(owner, facts.labels));

  const imageOf = (reference: string): Image | undefined => {
    const image = world.images.get(
      world.tags.get(reference) ?? world.tags.get(`${reference}:latest`) ?? reference,
    );
    return image && { id: image.id, labels: { ...image.labels } };
  };

  return {
    ping: (timeoutMs) => call('ping', () => undefined, { pingMs: timeoutMs }),
    info: () =>
      call('info', () => ({
        ...{ id: 'sim', version: '0', runtimes: ['runc', 'runsc'] },
        startedAtMs: world.startedAtMs,
      })),

    listContainers: (program) =>
      call('listContainers', () =>
        ours()
          .filter(({ facts }) => program === undefined || facts.program === program)
          .map(({ facts }) => summaryOf(facts)),
      ),

    hasSandboxes: async () => world.hasSandboxes,
    inspectContainer: (id) =>
      call('inspectContainer', () => {
        const facts = containers.get(id)?.facts;
        return (
          facts && {
            ...facts,
            labels: { ...facts.labels },
            settings: { ...facts.settings },
            ...(facts.sandbox && { sandbox: { ...facts.sandbox } }),
            ...(facts.servedPort !== 0 && { address: '192.0.2.1' }),
          }
        );
      }),

    createContainer: (request) =>
      call(
        'createContainer',
        async () => {
          const image = world.images.get(request.image);
          if (image === undefined) throw new AppError('ImageNotFound', `no image ${request.image}`);
          claim(world, image, owner);
          hold(world, image, owner);
          const holder = [...containers.values()].find(({ facts }) => facts.name === request.name);
          if (holder !== undefined) {
            const { id, labels } = holder.facts;
            const whose = describeOther(owner, labels);
            throw new AppError(
              'StartFailed',
              `the name ${request.name} is taken by container ${id} (of ${whose || 'this host'})`,
            );
          }
          const env = { ...image.env, ...request.env };
          const volume = world.volumes.get(request.volume);
          const other = describeOther(owner, volume?.labels ?? {});
          if (other !== '') throw new AppError('StartFailed', `volume ${request.volume} belongs to ${other}`);
          if (volume === undefined) {
            const labels = { ...request.volumeLabels, ...labelsOf(owner) };
            world.volumes.set(request.volume, { id: world.newId(), labels });
          }
          const container: SimContainer = {
            facts: newFacts(world.newId(), request, env, owner, clock.now()),
            env: { ...env },
            volume: request.volume,
            lines: [],
            listening: false,
            readers: new Set(),
            cancelTimers: [],
          };
          if (request.sandboxed) world.sandboxes.join(container, owner, request.notIn);
          containers.set(container.facts.id, container);
          world.emit(container, 'create');
          return container.facts.id;
        },
        { about: request.program },
      ),

    startContainer: (id) =>
      call(
        'startContainer',
        () => {
          const container = containers.get(id);
          if (container === undefined) return 'gone' as const;
          const { facts } = container;
          if (facts.state === 'running') return 'started' as const;
          if (facts.state === 'removing' || facts.state === 'dead') return 'gone' as const;
          if (facts.state === 'paused') throw new AppError('StartFailed', 'cannot start a paused container');
          clearSpares(world, owner, facts.publishPort);
          if (!world.sandboxes.raise(container)) return 'gone' as const;
          const port = facts.publishPort;
          const rival = [...containers.values()].some(
            (other) => other.facts.servedPort === port && isUp(other) && other !== container,
          );
          const isJoined = facts.sandbox !== undefined;
          const isOnNetwork = facts.settings.networks.includes(facts.settings.network);
          if (
            isOnNetwork &&
            !isJoined &&
            (rival || world.foreignPorts.has(port) || world.sandboxes.holds(port))
          ) {
            if (world.forgetsNetworks) facts.settings.networks = [];
            facts.startError = rival
              ? `Bind for 127.0.0.1:${port} failed: port is already allocated`
              : `listen tcp4 127.0.0.1:${port}: bind: address already in use`;
            throw new AppError('PortConflict', facts.startError);
          }
          world.run(container);
          return 'started' as const;
        },
        { about: containers.get(id)?.facts.program },
      ),

    async stopContainer(id, graceSeconds) {
      await call('stopContainer', async () => {
        const container = containers.get(id);
        if (container === undefined || !isUp(container)) return;
        if (container.env.IGNORE_TERM !== '1') {
          world.end(container, 0);
          return;
        }
        const run = container.facts.startedAtMs;
        await new Promise<void>((resolve) => clock.after(graceSeconds * 1000, resolve));
        if (isUp(container) && container.facts.startedAtMs === run) world.end(container, 137);
      });
    },

    unpauseContainer: (id) =>
      call('unpauseContainer', () => {
        const container = containers.get(id);
        world.sandboxes.unpause(container);
        if (container?.facts.state !== 'paused') return;
        container.facts.state = 'running';
        world.emit(container, 'unpause');
      }),

    renameContainer: (id, name) =>
      call('renameContainer', () => {
        const container = containers.get(id);
        if (container === undefined || container.facts.name === name) return;
        const holder = [...containers.values()].find(({ facts }) => facts.name === name);
        if (holder !== undefined) throw new AppError('StartFailed', `the name ${name} is taken`);
        if (container.facts.state === 'removing' || container.facts.state === 'dead')
          throw new AppError('StartFailed', `container ${id} is marked for removal`);
        container.facts.name = name;
        world.emit(container, 'rename');
      }),

    removeContainer: (id) =>
      call('removeContainer', async () => {
        const container = containers.get(id);
        if (container === undefined) return;
        if (container.removed === undefined && world.removalFails()) {
          if (isUp(container)) world.end(container, 137);
          container.facts.state = 'dead';
          throw new AppError(
            'StartFailed',
            'driver failed to remove root filesystem: device or resource busy',
          );
        }
        await world.remove(container);
      }),

    listSandboxes: (program) => call('listSandboxes', () => world.sandboxes.list(owner, program)),
    removeSandbox: (id) => call('removeSandbox', () => world.sandboxes.remove(id)),
    ...simSpares(world, () => owner, call),

    inspectImage: (reference) => call('inspectImage', () => imageOf(reference)),

    build: (request, onLog, signal) =>
      call('build', () => simBuild(world, owner, request, onLog, signal), {
        about: request.labels[LABELS.build],
      }),

    pull: (reference, onProgress, signal) =>
      call(
        'pull',
        () => {
          if (signal.aborted) throw aborted();
          world.pulls.push(reference);
          if (world.networkDown || !world.remoteImages.has(reference)) {
            throw new AppError('ImageNotFound', `${reference} could not be pulled`);
          }
          if (world.diskFull) throw diskFull(`${reference} could not be pulled: no space left on device`);
          onProgress(`Pulling ${reference}\n`);
          const version = world.remoteVersions.get(reference);
          return world.addImage(reference, version === undefined ? {} : { labels: { version } });
        },
        { about: reference },
      ),

    logs: (id, logOptions) =>
      call('logs', () => {
        const container = containers.get(id);
        return container === undefined ? nothing() : readLines(world, container, logOptions);
      }),

    watch(onEvent, onConnect, onDisconnect) {
      const watcher: SimWatcher = {
        isOurs: (labels) => isOwn(owner, labels),
        onEvent,
        onConnect,
        onDisconnect,
      };
      world.watchers.add(watcher);
      queueMicrotask(() => {
        if (!world.watchers.has(watcher)) return;
        if (world.isAway) onDisconnect(away());
        else onConnect();
      });
      return {
        async close() {
          world.watchers.delete(watcher);
        },
      };
    },

    removeVolume: (name) =>
      call('removeVolume', () => {
        const user = [...containers.values()].find(({ volume }) => volume === name);
        if (user !== undefined)
          throw new AppError('StartFailed', `volume ${name} is in use by ${user.facts.id}`);
        return world.volumes.delete(name);
      }),

    ...simVolumeContent(world, instance, call),
    hasVolume: (name) => call('hasVolume', () => world.volumes.has(name)),

    listVolumes: () =>
      call('listVolumes', () =>
        [...world.volumes]
          .filter(([, { labels }]) => isOwn(owner, labels))
          .map(([name, { labels }]) => ({ name, labels: { ...labels } })),
      ),

    ...simImages(world, () => owner, call),
    ...simUsage(world, call),
    ...simExec(world, call),
  };
}

/** Reasons the adapter gives a 500; of what only looks it is `InternalError`. */
const REFUSALS: readonly [RegExp, Reason][] = [
  [/^(ping|info)$/, 'EngineUnavailable'],
  [/^build$/, 'BuildFailed'],
  [/^pull$/, 'ImageNotFound'],
  [
    /^(list|inspect|logs|volumeSizes|removeImage|holdImage|releaseImage|placeOf|usageOf|exec)/,
    'InternalError',
  ],
];

function refusal(method: string): AppError {
  const [, reason] = REFUSALS.find(([methods]) => methods.test(method)) ?? [
    undefined,
    'StartFailed' as const,
  ];
  return new AppError(reason, `${method}: the simulated engine refuses`);
}

function away(): AppError {
  return new AppError('EngineUnavailable', 'the simulated engine does not answer');
}

function isUp({ facts }: SimContainer): boolean {
  return facts.state === 'running' || facts.state === 'paused';
}
