import { createReadStream } from 'node:fs';
import { SourcesHeld } from '../../registry/git/sources-held.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Clock } from '../../schemas/clock.ts';
import { AppError, messageOf } from '../../schemas/errors.ts';
import type { BuildSpec, Runtime } from '../../schemas/program.ts';
import { COLLECT_LIMITS, type Collector, startCollector } from '../collect/collect.ts';
import type { CollectLimits } from '../collect/collectable.ts';
import type { Closable, Engine } from '../engine/engine.ts';
import { createSlots } from '../engine/slots.ts';
import { ContextNotSettled, concerns, createContextCache } from '../images/context-cache.ts';
import { createImageTasks } from '../images/tasks.ts';
import type { ControllerLog } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { createPorts, type PortRange, type Ports } from '../ports/ports.ts';
import { keptRevisions } from '../program/rebuild.ts';
import { type EngineHealth, startEngineMonitor } from './engine-monitor.ts';
import { createProber } from './probe.ts';
import type { ProbeOnce } from './probe-once.ts';
import { createQueue } from './queue.ts';
import { type ReconcileDeps, reconcile } from './reconcile.ts';
import { createRolloutTimer } from './rollout-timer.ts';

/** Every program is looked at whole this often, whatever the events say (design: numbers). */
const RESYNC_MS = 60_000;
/** Source trees are looked at this often under the events. */
const RELOOK_MS = 10_000;
/** Waits after a pass that failed. */
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 30_000;
/** Wait after a stop that failed. */
const STOP_RETRY_MS = 1_000;
/** Container operations at a time, and how many of them crash loops may not use (design: numbers). */
const OPERATIONS_MAX = 4;
const OPERATIONS_RESERVED = 1;

export interface ControllerDeps {
  registry: Registry;
  engine: Engine;
  clock: Clock;
  log: ControllerLog;
  metrics: Metrics;
  instance: string;
  runtime: Runtime;
  /** When this machine started; epoch milliseconds. */
  bootedAtMs?: number;
  portRange: PortRange;
  isPortFree: (port: number) => Promise<boolean>;
  probeOnce: ProbeOnce;
  /** When what nothing refers to goes; the defaults are those of `COLLECT_LIMITS`. */
  collect?: Partial<CollectLimits>;
}

export interface Controller extends Closable {
  ports: Ports;
  health(): EngineHealth;
  /** Calls back when the log of a build is opened. Gives the function that ends it. */
  onBuildStart(listener: (buildId: string) => void): () => void;
  /** Removes the containers that belong to no program. Gives their names. */
  removeStrays(): Promise<string[]>;
  collector: Pick<Collector, 'hold' | 'run'>;
}

/** Starts keeping programs as their manifests want them, until closed. Closing leaves them running. */
export function startController(deps: ControllerDeps): Controller {
  const { registry, engine, clock, log, metrics } = deps;
  const ports = createPorts(deps.portRange, deps.isPortFree);
  const contexts = createContextCache(registry.contexts, clock);
  /** Stops under way, by program and container. */
  const stops = new Map<string, Set<string>>();
  const rollouts = createRolloutTimer(clock);
  /** Passes that failed in a row. */
  const failures = new Map<string, number>();
  /** When the last pass over each began; epoch milliseconds. */
  const looked = new Map<string, number>();
  const cancels = new Set<() => void>();
  const buildListeners = new Set<(buildId: string) => void>();
  let closed = false;

  const isKnown = (name: string) =>
    registry.status.get(name) !== undefined || registry.get(name) !== undefined;
  const allNames = () => new Set([...registry.list().map(({ name }) => name), ...registry.status.names()]);
  const addAll = () => {
    for (const name of allNames()) queue.add(name);
  };

  holdKnownPorts(registry, ports, log);
  const queue = createQueue(clock, work);
  const monitor = startEngineMonitor({
    ...{ engine, clock, log, isKnown },
    onProgram(name, atMs) {
      const lookedMs = looked.get(name) ?? 0;
      // A look that began since knows of it, unless the clock has jumped back.
      if (atMs !== undefined && atMs < lookedMs && lookedMs <= clock.now()) return;
      queue.add(name);
    },
    onTurn: addAll,
  });
  const prober = createProber(clock, deps.probeOnce, (name) => queue.add(name));
  const images = createImageTasks({
    ...{ engine, clock, log },
    snapshot,
    openSnapshot: (path) => createReadStream(path),
    startLog(buildId) {
      const writer = registry.buildLogs.start(buildId);
      for (const listener of buildListeners) listener(buildId);
      return writer;
    },
    onDone: (name) => {
      queue.add(name);
      collector.built();
    },
  });
  const collector = startCollector({
    ...{ registry, engine, clock, log, metrics },
    limits: { ...COLLECT_LIMITS, ...deps.collect },
    building: () => images.keys(),
    engineTrouble: () => monitor.health().trouble,
  });
  const slots = createSlots(OPERATIONS_MAX, OPERATIONS_RESERVED);
  const reconcileDeps: ReconcileDeps = {
    ...deps,
    ports,
    images,
    prober,
    good: new Map(),
    met: new Set(),
    // A hundred crash loops that wait for their turn must not keep a healthy program from being looked at.
    slots: { run: (kind, doing) => queue.parked(() => slots.run(kind, doing)) },
    async lookAtContext(build, generation) {
      const look = await contexts.look(build, generation);
      await collector.use(look.hash);
      return look;
    },
    snapshot,
    wasDown: (atMs) => atMs < (deps.bootedAtMs ?? 0) || monitor.wasAway(atMs),
    lastChange: registry.lastChange,
    hasSnapshot: (build, hash) => registry.contexts.has(build, hash),
    stop,
    stopping: (name) => new Set(stops.get(name)),
    probes: (name) => prober.states(name),
    containerName: (name) => containerName(deps.instance, name),
    revision: (name, number) => registry.revisions.get(name, number),
    keptRevisions: (name, userId) => keptRevisions(registry, name, userId),
    rolloutMs: (name, attempt, sinceStartMs) => rollouts.elapsed(name, attempt, sinceStartMs),
    engineTrouble: () => monitor.health().trouble,
    saw: (name, containers) => monitor.saw(name, containers),
    begins(name) {
      looked.set(name, clock.now());
      queue.begin(name);
    },
    again: (name, ms) => queue.addAfter(name, ms),
    onForgotten: (name) => {
      queue.forget(name);
      failures.delete(name);
      looked.delete(name);
      rollouts.forget(name);
      reconcileDeps.good.delete(name);
      reconcileDeps.met.delete(name);
    },
  };

  async function work(name: string): Promise<void> {
    const startedMs = clock.monotonic();
    try {
      await reconcile(reconcileDeps, name);
      failures.delete(name);
      metrics.reconciled('ok', clock.monotonic() - startedMs);
    } catch (error) {
      if (closed) return;
      if (error instanceof ContextNotSettled) {
        queue.addAfter(name, error.againMs);
        return;
      }
      metrics.reconciled('error', clock.monotonic() - startedMs);
      await report(name, error);
      const count = (failures.get(name) ?? 0) + 1;
      failures.set(name, count);
      queue.addAfter(name, Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(count, 10)));
    }
  }

  /** Operational errors are tried again; anything else is a bug of ours, and said to be one. */
  async function report(name: string, error: unknown): Promise<void> {
    if (error instanceof AppError) {
      const { reason, message } = error;
      log.warn({ program: name, reason, error: message }, 'the pass failed and is tried again');
      if (reason === 'EngineUnavailable') monitor.suspect();
      return;
    }
    log.error({ program: name, err: error }, 'InternalError: a bug of Hersh Host; the other programs go on');
    const before = registry.status.get(name);
    if (before === undefined) return;
    const errorMsg = `a bug of Hersh Host: ${messageOf(error)}; see its log`;
    await registry.status.put({ ...before, reason: 'InternalError', errorMsg }).catch(() => undefined);
  }

  /** Where the sources changed since they were looked at, the next pass looks anew. */
  async function snapshot(build: BuildSpec, hash: string): Promise<string> {
    try {
      return await registry.contexts.snapshot(build, hash);
    } catch (error) {
      if (!(error instanceof SourcesHeld)) contexts.invalidate(new Set([build.context]));
      throw error;
    }
  }

  function stop(name: string, containerId: string, graceSeconds: number): void {
    const running = stops.get(name) ?? new Set<string>();
    if (running.has(containerId)) return;
    stops.set(name, running.add(containerId));
    const ended = () => {
      running.delete(containerId);
      if (running.size === 0 && stops.get(name) === running) stops.delete(name);
      queue.add(name);
    };
    engine.stopContainer(containerId, graceSeconds).then(ended, (error: unknown) => {
      const fields = { program: name, container: containerId, error: messageOf(error) };
      log.warn(fields, 'the stop failed and is tried again');
      if (error instanceof AppError && error.reason === 'EngineUnavailable') monitor.suspect();
      // It counts as under way until the next try, so that the passes in between do not try at once.
      clock.after(STOP_RETRY_MS, ended);
    });
  }

  const unsubscribe = registry.subscribe(({ names, paths }) => {
    for (const name of names) queue.add(name);
    if (paths.size === 0) return;
    contexts.invalidate(paths);
    for (const [name, build] of buildsInForce()) if (concerns(build, paths)) queue.add(name);
  });

  /** What the programs that should run are built from. */
  function buildsInForce(): [string, BuildSpec][] {
    return registry.status.names().flatMap((name): [string, BuildSpec][] => {
      const spec = registry.status.get(name)?.memory.inForce?.spec;
      return spec?.desiredState === 'Running' && spec.build !== null ? [[name, spec.build]] : [];
    });
  }

  async function relookAtContexts(): Promise<void> {
    const builds = buildsInForce();
    const changed = new Set(
      (await contexts.relook(builds.map(([, build]) => build))).map((build) => build.context),
    );
    for (const [name, build] of builds) if (changed.has(build.context)) queue.add(name);
  }

  function every(ms: number, run: () => Promise<void> | void): void {
    const cancel = clock.after(ms, () => {
      cancels.delete(cancel);
      if (closed) return;
      Promise.resolve(run())
        .catch((error: unknown) => log.error({ err: error }, 'a periodic look failed'))
        .finally(() => every(ms, run));
    });
    cancels.add(cancel);
  }
  every(RELOOK_MS, relookAtContexts);
  every(RESYNC_MS, addAll);
  metrics.watch({ queueDepth: () => queue.depth, statuses: () => registry.status });

  return {
    ...{ ports, collector },
    health: () => monitor.health(),
    onBuildStart(listener) {
      buildListeners.add(listener);
      return () => buildListeners.delete(listener);
    },
    async removeStrays() {
      await monitor.relist();
      const strays = monitor.health().strays.filter(({ program }) => !isKnown(program));
      for (const { id } of strays) await engine.removeContainer(id);
      await monitor.relist();
      return strays.map(({ name }) => name);
    },
    async close() {
      closed = true;
      unsubscribe();
      for (const cancel of cancels) cancel();
      await monitor.close();
      // First, since a pass that still runs may start a probe or a build.
      await queue.close();
      prober.close();
      await images.close();
      await collector.close();
    },
  };
}

/** Before anything is reserved, so that no program loses its port to another that is looked at first. */
function holdKnownPorts(registry: Registry, ports: Ports, log: ControllerLog): void {
  for (const name of registry.status.names()) {
    const port = registry.status.get(name)?.publishPort ?? 0;
    if (port > 0 && !ports.hold(name, port)) {
      log.warn({ program: name, port }, 'its port is held by another program');
    }
  }
}

/** `hersh-program-<name>`, with the instance before it where that is not the default one. */
export function containerName(instance: string, name: string): string {
  return `${instance === 'default' ? '' : `${instance}-`}hersh-program-${name}`;
}
