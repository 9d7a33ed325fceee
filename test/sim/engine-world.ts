import { createHash } from 'node:crypto';
import type { EngineEvent, Image } from '../../controller/engine/engine.ts';
import type { Clock } from '../../schemas/clock.ts';
import type { Container } from '../../schemas/container.ts';
import { createSimSandboxes, type SimSandboxes } from './engine-sandboxes.ts';

/**
 * What stands behind simulated engines: containers, images, volumes and ports in memory, with the accidents
 * tests ask for. Deterministic: ids are counted, time is the clock's, nothing is random.
 *
 * A container behaves as its environment says, in the words of test/setup/test-server: EXIT,
 * EXIT_AFTER_MS, IGNORE_TERM, LISTEN, LISTEN_AFTER_MS, STATUS; and NO_COMMAND, of an image whose command is not there.
 */
export interface SimWorld {
  readonly clock: Clock;
  readonly containers: Map<string, SimContainer>;
  readonly sandboxes: SimSandboxes;
  /** By id. */
  readonly images: Map<string, SimImage>;
  /** Reference → image id. */
  readonly tags: Map<string, string>;
  readonly volumes: Map<string, SimVolume>;
  /** Host ports that other processes listen on. */
  readonly foreignPorts: Set<number>;
  /** Containers and sandboxes that are published no more though the engine says so, until they are started again. */
  readonly lostProxies: Set<string>;
  /** What a registry would give; without a network nothing can be had. */
  readonly remoteImages: Set<string>;
  /** Which build of it a registry has under a name that moves there. */
  remoteVersions: Map<string, string>;
  /** What was asked of registries, the oldest first. */
  readonly pulls: string[];
  networkDown: boolean;
  /** Of the engine's machine. */
  hasSandboxes: boolean;
  /** No image can be built or pulled any more. */
  diskFull: boolean;
  /** Milliseconds a call takes, by method. */
  callMs: (method: string) => number;
  /**
   * Asked at each call: the engine breaks `before` it acts, or `after`, when only the answer is lost; it answers that
   * it will not, as a 500 says; or it gives no answer at all, `lost` without and `hung` after having acted.
   */
  fault: (method: string) => Fault;
  /** Milliseconds after which a call without an answer is given up. */
  patienceMs: (method: string) => number;
  /** Milliseconds that the removal of a container takes; until then its state is `removing`. */
  removalMs: () => number;
  /** Whether a removal fails half way, which leaves a container that is `dead`. */
  removalFails: () => boolean;
  /** Told of each call to make an image or to make or start a container that failed, and for which one or program. */
  refused: (method: string, about: string, error: unknown) => void;
  /** Asked for each event and watcher; a number is a delay in milliseconds, which may let later ones overtake. */
  eventFate: (event: EngineEvent) => 'deliver' | 'lose' | 'double' | number;
  readonly watchers: Set<SimWatcher>;
  readonly isAway: boolean;
  /** When it last came back and had taken along what ran with it; 0 before. */
  readonly startedAtMs: number;
  /** Resolves at the thaw; undefined where it is not frozen. */
  readonly frozen: Promise<void> | undefined;

  /** Makes an image there is no Dockerfile for. */
  addImage(tag: string, more?: { labels?: Record<string, string>; env?: Record<string, string> }): Image;
  /** As `docker tag`, a build or a pull gives a name to another image. */
  moveTag(tag: string, id: string): void;
  /** Tags of an image, those of hosts that hold it among them. */
  namesOf(id: string): string[];
  newId(): string;
  emit(container: SimContainer, action: string): void;
  /** Tells of a change of what bears those labels. */
  tell(of: Pick<Container, 'program' | 'id' | 'labels'>, action: string): void;
  /** Runs a container that does not run. */
  run(container: SimContainer): void;
  /** Ends a running container; `child`: a process of it was killed for want of memory before. */
  end(container: SimContainer, exitCode: number, oomKilled?: boolean | 'child'): void;
  /** A process of a container is killed for want of memory, and the container runs on. */
  oom(container: SimContainer): void;
  /** Ends a container and removes it; resolves when it is gone. Whoever else asks waits with the first. */
  remove(container: SimContainer): Promise<void>;
  print(container: SimContainer, line: string): void;
  /** The status a GET of the readiness path gets on a host port; `undefined` where nothing listens. */
  answer(port: number): number | undefined;
  /** Whether what is published there listens, and is not reached by it. */
  isPortLost(port: number): boolean;
  /** The engine stops answering; `containers: 'end'` takes what runs with it, as an engine's restart does. */
  goAway(containers: 'keep' | 'end'): void;
  comeBack(): void;
  /** The engine takes calls and neither acts nor answers, and tells no events, until it thaws; what runs goes on. */
  freeze(): void;
  thaw(): void;
  /** As Docker 29 does: a start that fails on networking makes it forget the container's networks. */
  forgetsNetworks: boolean;
  /** As on containerd's image store: an image whose last tag another takes is gone, used or not. */
  forgetsUntagged: boolean;
}

export interface SimContainer {
  facts: Container;
  env: Record<string, string>;
  volume: string;
  lines: { atMs: number; text: string }[];
  listening: boolean;
  /** Called at every line and at the end. */
  readonly readers: Set<() => void>;
  cancelTimers: (() => void)[];
  /** In which run of the sandbox that it joins it was started. */
  joinedRun?: number;
  /** Resolves when it is removed, where that is under way. */
  removed?: Promise<void>;
}

export type Fault = 'none' | 'before' | 'after' | 'refuse' | 'lost' | 'hung';

export interface SimImage extends Image {
  env: Record<string, string>;
  /** Instances that have a use for it. */
  claims: Set<string>;
  /** Lowest first. */
  layers: readonly { chain: string; bytes: number }[];
}

/** What every image of the simulation takes up, but for what it copies and what it is built on. */
export const SIM_IMAGE_BYTES = 100 * 2 ** 20;

export interface SimVolume {
  /** What was unpacked into it, as tar; empty of one that was made with a container. */
  content?: Uint8Array;
  /** Tells a volume from one that was made later under the same name. */
  id: string;
  labels: Record<string, string>;
}

export interface SimWatcher {
  isOurs(labels: Readonly<Record<string, string>>): boolean;
  onEvent(event: EngineEvent): void;
  onConnect(): void;
  onDisconnect(error: Error): void;
}

export function createSimWorld(clock: Clock): SimWorld {
  let ids = 0;
  let away = false;
  let hasEnded = false;
  let startedAtMs = 0;
  let ice: { frozen: Promise<void>; thaw: () => void } | undefined;

  const world: SimWorld = {
    clock,
    containers: new Map(),
    get sandboxes() {
      return sandboxes;
    },
    images: new Map(),
    tags: new Map(),
    volumes: new Map(),
    ...{ foreignPorts: new Set(), lostProxies: new Set() },
    ...{ forgetsNetworks: false, forgetsUntagged: false },
    remoteImages: new Set(),
    ...{ remoteVersions: new Map(), pulls: [] },
    ...{ networkDown: false, hasSandboxes: true },
    diskFull: false,
    callMs: () => 0,
    fault: () => 'none',
    patienceMs: () => 120_000,
    removalMs: () => 0,
    removalFails: () => false,
    refused: () => undefined,
    eventFate: () => 'deliver',
    watchers: new Set(),
    get isAway() {
      return away;
    },
    get startedAtMs() {
      return startedAtMs;
    },
    get frozen() {
      return ice?.frozen;
    },

    newId() {
      ids += 1;
      return ids.toString(16).padStart(64, '0');
    },

    addImage(tag, { labels = {}, env = {} } = {}) {
      const id = `sha256:${createHash('sha256')
        .update(JSON.stringify([tag, labels, env]))
        .digest('hex')}`;
      world.images.set(id, {
        id,
        labels,
        env,
        claims: world.images.get(id)?.claims ?? new Set(),
        layers: [{ chain: id, bytes: SIM_IMAGE_BYTES }],
      });
      world.moveTag(tag, id);
      return { id, labels };
    },

    namesOf: (id) => [...world.tags].flatMap(([name, of]) => (of === id ? [name] : [])),

    moveTag(tag, id) {
      const before = world.tags.get(tag) ?? '';
      world.tags.set(tag, id);
      const isLost = world.forgetsUntagged && world.namesOf(before).length === 0;
      if (isLost && !world.images.get(before)?.claims.size) world.images.delete(before);
    },

    emit: (container, action) => world.tell(container.facts, action),

    tell({ program, id, labels }, action) {
      const event = { program, containerId: id, action, atMs: clock.now() };
      for (const watcher of world.watchers) {
        if (!watcher.isOurs(labels) || away) continue;
        const fate = world.eventFate(event);
        const copies = fate === 'lose' ? 0 : fate === 'double' ? 2 : 1;
        const tell = (): void => {
          if (!away && world.watchers.has(watcher)) watcher.onEvent({ ...event });
        };
        for (let n = 0; n < copies; n++) {
          if (ice !== undefined) void ice.frozen.then(tell);
          else if (typeof fate === 'number') clock.after(fate, tell);
          else queueMicrotask(tell);
        }
      }
    },

    run(container) {
      const { facts, env } = container;
      // No engine starts a container twice in a millisecond; simulated time can stand still.
      const startedAtMs = Math.max(clock.now(), facts.startedAtMs + 1);
      Object.assign(facts, { state: 'running', startedAtMs, finishedAtMs: 0, startError: '' });
      const isOnNetwork = facts.settings.networks.includes(facts.settings.network);
      Object.assign(facts, {
        exitCode: 0,
        oomKilled: false,
        servedPort: isOnNetwork ? facts.publishPort : 0,
      });
      sandboxes.enter(container);
      world.lostProxies.delete(facts.id);
      world.emit(container, 'start');
      const later = (ms: number, run: () => void): void => {
        container.cancelTimers.push(clock.after(ms, run));
      };
      if (env.NO_COMMAND !== undefined) {
        later(0, () => {
          world.print(container, '[FATAL tini (7)] exec /nowhere failed: No such file or directory');
          world.end(container, 127);
        });
        return;
      }
      if (env.EXIT !== undefined) {
        later(0, () => {
          world.print(container, 'exiting as told by EXIT');
          world.end(container, Number(env.EXIT));
        });
        return;
      }
      const exitAfterMs = Number(env.EXIT_AFTER_MS ?? 0);
      if (exitAfterMs > 0) {
        later(exitAfterMs, () => {
          world.print(container, 'exiting as told by EXIT_AFTER_MS');
          world.end(container, 1);
        });
      }
      if (env.LISTEN === '0') {
        world.print(container, 'not listening');
        return;
      }
      later(Number(env.LISTEN_AFTER_MS ?? 0), () => {
        container.listening = true;
        world.print(container, 'listening on 8080');
      });
    },

    end(container, exitCode, oomKilled = false) {
      for (const cancel of container.cancelTimers) cancel();
      container.cancelTimers = [];
      container.listening = false;
      const ends = { state: 'exited', exitCode, servedPort: 0, finishedAtMs: clock.now() };
      Object.assign(container.facts, { ...ends, oomKilled: oomKilled !== false });
      if (oomKilled === true) {
        container.facts.oomToldMs = clock.now();
        world.emit(container, 'oom');
      }
      world.emit(container, 'die');
      wake(container);
    },

    oom(container) {
      container.facts.oomToldMs = clock.now();
      world.emit(container, 'oom');
    },

    remove(container) {
      if (container.removed !== undefined) return container.removed;
      const { facts } = container;
      if (facts.state === 'running' || facts.state === 'paused') world.end(container, 137);
      const drop = (): void => {
        world.containers.delete(facts.id);
        world.emit(container, 'destroy');
      };
      const ms = world.removalMs();
      if (ms === 0) drop();
      else {
        facts.state = 'removing';
        container.removed = new Promise((resolve) => {
          clock.after(ms, () => {
            drop();
            resolve();
          });
        });
      }
      return container.removed ?? Promise.resolve();
    },

    print(container, line) {
      container.lines.push({ atMs: clock.now(), text: `${line}\n` });
      wake(container);
    },

    answer(port) {
      // A stranger answers whoever asks.
      if (world.foreignPorts.has(port)) return 200;
      const one = listensOn(port);
      if (one === undefined || isCut(one)) return undefined;
      return Number(one.env.STATUS ?? 200);
    },
    isPortLost: (port) => !world.foreignPorts.has(port) && isCut(listensOn(port)),

    goAway(containers) {
      if (away) return;
      away = true;
      for (const watcher of world.watchers) watcher.onDisconnect(new Error('the engine went away'));
      if (containers === 'keep') return;
      hasEnded = true;
      for (const container of world.containers.values()) {
        if (container.facts.state === 'running') world.end(container, container.env.IGNORE_TERM ? 137 : 0);
      }
      for (const sandbox of sandboxes.all.values()) sandboxes.end(sandbox);
    },

    comeBack() {
      if (!away) return;
      away = false;
      if (hasEnded) startedAtMs = clock.now();
      hasEnded = false;
      for (const watcher of world.watchers) watcher.onConnect();
    },

    freeze() {
      if (ice !== undefined) return;
      let thaw = () => {};
      const frozen = new Promise<void>((resolve) => {
        thaw = resolve;
      });
      ice = { frozen, thaw };
    },

    thaw() {
      ice?.thaw();
      ice = undefined;
    },
  };
  const listensOn = (port: number) =>
    [...world.containers.values()].find(
      ({ facts, listening }) => facts.servedPort === port && facts.state === 'running' && listening,
    );
  const isCut = (one: SimContainer | undefined) =>
    one !== undefined && world.lostProxies.has(one.facts.sandbox?.id ?? one.facts.id);
  const sandboxes = createSimSandboxes(world);
  return world;
}

function wake(container: SimContainer): void {
  for (const reader of container.readers) reader();
}
