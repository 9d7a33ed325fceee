import { createReadStream } from 'node:fs';
import type { BuildContext } from '../registry/context.ts';
import type { Registry } from '../registry/registry.ts';
import type { Clock } from '../schemas/clock.ts';
import { AppError, messageOf } from '../schemas/errors.ts';
import type { BuildSpec, Runtime } from '../schemas/program.ts';
import type { Closable, ContainerSummary, Engine } from './engine/engine.ts';
import { createImageTasks } from './image-tasks.ts';
import type { ControllerLog } from './log.ts';
import type { Metrics } from './metrics.ts';
import { createPorts, type PortRange, type Ports } from './ports.ts';
import { createProber, type ProbeOnce } from './probe.ts';
import { createQueue } from './queue.ts';
import { type ReconcileDeps, reconcile } from './reconcile.ts';
import { createSlots } from './slots.ts';

/** Containers are listed this often under the events (design: numbers). */
const RELIST_MS = 10_000;
/** Every program is looked at whole this often, its configuration and sources included. */
const RESYNC_MS = 60_000;
/** A context that gave no hint is looked at again after this. */
const CONTEXT_FRESH_MS = 10_000;
/** A context that never stands still is taken as it is after this. */
const CONTEXT_SETTLE_MS_MAX = 2_000;
/** Waits between tries of an engine that does not answer. */
const ENGINE_RETRY_MS_MIN = 250;
const ENGINE_RETRY_MS_MAX = 5_000;
/** Waits after a pass that failed. */
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 30_000;
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
  portRange: PortRange;
  isPortFree: (port: number) => Promise<boolean>;
  probeOnce: ProbeOnce;
}

export interface ControllerHealth {
  /** Why the engine can not be asked, or `""`. */
  engineTrouble: string;
  /** One complete list came from the engine. */
  listed: boolean;
  /** Containers of this instance that belong to no program known here. */
  strays: readonly ContainerSummary[];
}

export interface Controller extends Closable {
  ports: Ports;
  health(): ControllerHealth;
  /** Removes the containers that belong to no program. Gives their names. */
  removeStrays(): Promise<string[]>;
}

/** Starts keeping programs as their manifests want them, until closed. Closing leaves them running. */
export function startController(deps: ControllerDeps): Controller {
  const { registry, engine, clock, log, metrics } = deps;
  const ports = createPorts(deps.portRange, deps.isPortFree);
  const stops = new Map<string, Map<string, Promise<void>>>();
  const contexts = new Map<string, { look: BuildContext; generation: number; atMs: number }>();
  const unsettled = new Map<string, number>();
  const failures = new Map<string, number>();
  /** What the last list said of each program. */
  const listed = new Map<string, string>();
  const cancels = new Set<() => void>();
  let health: ControllerHealth = { engineTrouble: 'it was not asked yet', listed: false, strays: [] };
  let closed = false;
  let engineRetryMs = ENGINE_RETRY_MS_MIN;

  for (const name of registry.status.names()) {
    const port = registry.status.get(name)?.publishPort ?? 0;
    if (port > 0 && !ports.hold(name, port))
      log.warn({ program: name, port }, 'its port is held by another program');
  }

  const queue = createQueue(clock, work);
  const prober = createProber(clock, deps.probeOnce, (name) => queue.add(name));
  const images = createImageTasks({
    engine,
    clock,
    log,
    snapshot: (build, hash) => registry.contexts.snapshot(build, hash),
    openSnapshot: (path) => createReadStream(path),
    startLog: (buildId) => registry.buildLogs.start(buildId),
    onDone: (name) => queue.add(name),
  });
  const reconcileDeps: ReconcileDeps = {
    ...deps,
    ports,
    images,
    prober,
    slots: createSlots(OPERATIONS_MAX, OPERATIONS_RESERVED),
    lookAtContext,
    stop,
    stopping: (name) => new Set(stops.get(name)?.keys()),
    probes: (name) => prober.states(name),
    containerName: (name) => containerName(deps.instance, name),
    engineTrouble: () => health.engineTrouble,
    again: (name, ms) => queue.addAfter(name, ms),
    onForgotten: (name) => {
      queue.forget(name);
      failures.delete(name);
      listed.delete(name);
    },
  };

  async function work(name: string): Promise<void> {
    const startedMs = clock.monotonic();
    try {
      await reconcile(reconcileDeps, name);
      failures.delete(name);
      metrics.reconciled('ok', clock.monotonic() - startedMs);
    } catch (error) {
      if (error instanceof NotSettled) {
        queue.addAfter(name, error.againMs);
        return;
      }
      if (closed) return;
      const count = (failures.get(name) ?? 0) + 1;
      failures.set(name, count);
      metrics.reconciled('error', clock.monotonic() - startedMs);
      await report(name, error);
      queue.addAfter(name, Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(count, 10)));
    }
  }

  /** Operational errors are the program's condition; anything else is a bug of ours, and said to be one. */
  async function report(name: string, error: unknown): Promise<void> {
    if (error instanceof AppError) {
      log.warn(
        { program: name, reason: error.reason, error: error.message },
        'the pass failed and is tried again',
      );
      if (error.reason === 'EngineUnavailable') checkEngineSoon();
      return;
    }
    log.error({ program: name, err: error }, 'InternalError: a bug of Hersh Host; the other programs go on');
    const before = registry.status.get(name);
    if (before === undefined) return;
    const message = `a bug of Hersh Host: ${messageOf(error)}; see its log`;
    await registry.status
      .put({ ...before, reason: 'InternalError', errorMsg: message })
      .catch(() => undefined);
  }

  async function lookAtContext(build: BuildSpec, generation: number): Promise<BuildContext> {
    const key = JSON.stringify(build);
    const before = contexts.get(key);
    const now = clock.monotonic();
    if (before !== undefined && before.generation === generation && now - before.atMs < CONTEXT_FRESH_MS) {
      return before.look;
    }
    const look = await registry.contexts.look(build);
    if (look.againMs > 0) {
      const since = unsettled.get(key) ?? now;
      unsettled.set(key, since);
      if (now - since < CONTEXT_SETTLE_MS_MAX) throw new NotSettled(look.againMs);
    }
    unsettled.delete(key);
    contexts.set(key, { look, generation, atMs: now });
    return look;
  }

  function stop(name: string, containerId: string, graceSeconds: number): void {
    const running = stops.get(name) ?? new Map<string, Promise<void>>();
    if (running.has(containerId)) return;
    stops.set(name, running);
    const done = engine
      .stopContainer(containerId, graceSeconds)
      .catch((error: unknown) => {
        log.warn({ program: name, container: containerId, error: messageOf(error) }, 'the stop failed');
        queue.addAfter(name, RETRY_MS_MIN);
      })
      .finally(() => {
        running.delete(containerId);
        if (running.size === 0 && stops.get(name) === running) stops.delete(name);
        queue.add(name);
      });
    running.set(containerId, done);
  }

  const unsubscribe = registry.subscribe(({ names, paths }) => {
    for (const name of names) queue.add(name);
    if (paths.size === 0) return;
    const touched = [...contexts.keys()].filter((key) => concerns(key, paths));
    for (const key of touched) contexts.delete(key);
    for (const name of registry.status.names()) {
      const build = registry.status.get(name)?.memory.inForce?.spec.build;
      if (build !== null && build !== undefined && concerns(JSON.stringify(build), paths)) queue.add(name);
    }
  });

  const events = engine.watch(
    ({ program }) => queue.add(program),
    () => void engineIsUp(),
    (error) => engineIsDown(messageOf(error)),
  );

  function allNames(): string[] {
    return [...new Set([...registry.list().map(({ name }) => name), ...registry.status.names()])];
  }

  async function engineIsUp(): Promise<void> {
    if (closed) return;
    if (health.engineTrouble !== '') log.info({}, 'the engine answers');
    health = { ...health, engineTrouble: '' };
    engineRetryMs = ENGINE_RETRY_MS_MIN;
    await relist();
    for (const name of allNames()) queue.add(name);
  }

  function engineIsDown(message: string): void {
    if (closed) return;
    if (health.engineTrouble === '' || !toldOnce) {
      toldOnce = true;
      log.warn({ reason: 'EngineUnavailable', error: message }, 'the engine does not answer; trying again');
      health = { ...health, engineTrouble: message };
      for (const name of allNames()) queue.add(name);
    }
    checkEngineSoon();
  }
  let toldOnce = false;
  let checking = false;

  function checkEngineSoon(): void {
    if (checking || closed) return;
    checking = true;
    later(engineRetryMs, () => {
      engine.ping().then(
        () => {
          checking = false;
          if (health.engineTrouble !== '') void engineIsUp();
        },
        (error: unknown) => {
          checking = false;
          engineRetryMs = Math.min(ENGINE_RETRY_MS_MAX, engineRetryMs * 2);
          engineIsDown(messageOf(error));
        },
      );
    });
  }

  /** Finds what the events did not tell: containers that came, went or changed state. */
  async function relist(): Promise<void> {
    let containers: ContainerSummary[];
    try {
      containers = await engine.listContainers();
    } catch (error) {
      engineIsDown(messageOf(error));
      return;
    }
    const now = new Map<string, string>();
    for (const { program, id, state } of containers)
      now.set(program, `${now.get(program) ?? ''}${id}:${state} `);
    for (const name of new Set([...now.keys(), ...listed.keys()])) {
      if (now.get(name) !== listed.get(name)) queue.add(name);
    }
    listed.clear();
    for (const [name, signature] of now) listed.set(name, signature);
    const strays = containers.filter(({ program }) => !isKnown(program));
    if (strays.length > health.strays.length) {
      log.warn(
        { strays: strays.map(({ name }) => name) },
        'containers of this instance belong to no program; POST /registry/prune removes them',
      );
    }
    health = { ...health, listed: true, strays };
  }

  /** Finds what the file events did not tell, and forgets contexts that no program builds from any more. */
  async function relookAtContexts(): Promise<void> {
    const users = new Map<string, string[]>();
    for (const name of registry.status.names()) {
      const spec = registry.status.get(name)?.memory.inForce?.spec;
      if (spec?.desiredState !== 'Running' || spec.build === null) continue;
      const key = JSON.stringify(spec.build);
      users.set(key, [...(users.get(key) ?? []), name]);
    }
    for (const key of contexts.keys()) if (!users.has(key)) contexts.delete(key);
    for (const [key, names] of users) {
      const before = contexts.get(key)?.look.hash;
      const look = await registry.contexts.look(JSON.parse(key) as BuildSpec).catch(() => undefined);
      if (look !== undefined && look.hash === before) continue;
      contexts.delete(key);
      for (const name of names) queue.add(name);
    }
  }

  const isKnown = (name: string) =>
    registry.status.get(name) !== undefined || registry.get(name) !== undefined;

  function later(ms: number, run: () => void): void {
    const cancel = clock.after(ms, () => {
      cancels.delete(cancel);
      if (!closed) run();
    });
    cancels.add(cancel);
  }
  const every = (ms: number, run: () => Promise<void> | void): void =>
    later(ms, () => {
      Promise.resolve(run())
        .catch((error: unknown) => log.error({ err: error }, 'a periodic look failed'))
        .finally(() => every(ms, run));
    });
  every(RELIST_MS, async () => {
    if (health.engineTrouble === '') await relist();
    await relookAtContexts();
  });
  every(RESYNC_MS, () => {
    for (const name of allNames()) queue.add(name);
  });
  checkEngineSoon();
  metrics.watch({ queueDepth: () => queue.depth, statuses: () => registry.status });

  return {
    ports,
    health: () => health,
    async removeStrays() {
      await relist();
      const removed = health.strays.filter(({ program }) => !isKnown(program));
      for (const { id } of removed) await engine.removeContainer(id);
      await relist();
      return removed.map(({ name }) => name);
    },
    async close() {
      closed = true;
      unsubscribe();
      for (const cancel of cancels) cancel();
      prober.close();
      await events.close();
      await images.close();
      await queue.close();
    },
  };
}

/** The context was being written just now. */
class NotSettled extends Error {
  readonly againMs: number;
  constructor(againMs: number) {
    super('the context is being written');
    this.againMs = againMs;
  }
}

/** Whether a changed path lies in the context that the key (a BuildSpec as JSON) names. */
function concerns(key: string, paths: ReadonlySet<string>): boolean {
  const { context } = JSON.parse(key) as BuildSpec;
  if (context === '.') return true;
  return [...paths].some(
    (path) => path === context || path.startsWith(`${context}/`) || context.startsWith(`${path}/`),
  );
}

/** `hersh-program-<name>`, with the instance before it where that is not the default one. */
export function containerName(instance: string, name: string): string {
  return `${instance === 'default' ? '' : `${instance}-`}hersh-program-${name}`;
}
