/**
 * The room of the loop: a queue of names, what puts them there, and one look at one program after another. Here it
 * is put together with the rooms below it.
 */

import type { Registry } from '../../registry/registry.ts';
import type { Clock } from '../../schemas/clock.ts';
import type { Runtime } from '../../schemas/program.ts';
import type { BuildPolicy } from '../build-policy/build-policy.ts';
import { COLLECT_LIMITS, type Collector, startCollector } from '../collect/collect.ts';
import type { CollectLimits } from '../collect/collectable.ts';
import type { CredentialSource } from '../credentials/credentials.ts';
import type { Closable, Engine } from '../engine/engine.ts';
import { createSlots, type Slots } from '../engine/slots.ts';
import { type ContextCache, createContextCache } from '../images/context-cache.ts';
import type { ImageTasks } from '../images/once-an-image.ts';
import type { ControllerLog } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { holdKnownPorts, holdServedPorts } from '../ports/hold-known.ts';
import { createPorts, type PortRange, type Ports } from '../ports/ports.ts';
import type { EventDraft } from '../program/events.ts';
import type { PassRecord } from '../trace/pass.ts';
import { type EngineHealth, type EngineMonitor, startEngineMonitor } from './engine-monitor.ts';
import { imageTasksOf } from './image-tasks.ts';
import { emit } from './ledger.ts';
import { createObserved, type Observed } from './observed.ts';
import { containerName, failedOver, seemsGone, whyStray } from './of-programs.ts';
import { createPasses } from './passes.ts';
import { type Asking, createProber, type Prober } from './prober.ts';
import { createQueue, type Queue } from './queue.ts';
import { type ReconcileDeps, reconcile } from './reconcile.ts';
import { createResync, type Resync } from './resync.ts';
import { keptRevisions } from './revisions.ts';
import { createRolloutTimer } from './rollout-timer.ts';
import { createSourceChanges } from './source-changes.ts';
import { type SparePool, sparePoolOf } from './spare-pool.ts';
import { stateFacts } from './state.ts';
import { createStateSwaps, type StateSwaps } from './state-swaps.ts';
import { createStops, type Stops } from './stops.ts';
import { createTimers } from './timers.ts';
import { watchParts } from './watch-parts.ts';

/** What has objects is looked at whole this often, whatever the events say (design: numbers). */
const RESYNC_MS = 60_000;
/** Source trees are looked at this often under the events. */
const RELOOK_MS = 10_000;
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
  /** Whether programs of runc have network sandboxes; by default not. */
  sandboxed?: boolean;
  /** How many of these stand ready for programs to come; by default nobody looks after any. */
  spares?: number;
  /** When this machine started; epoch milliseconds. */
  bootedAtMs?: number;
  portRange: PortRange;
  isPortFree: (port: number) => Promise<boolean>;
  probes: Asking;
  /** With what images are pulled; by default nothing. */
  credentials?: CredentialSource;
  /** What builds and pulls may fetch; the default is `DEFAULT_POLICY`. */
  buildPolicy?: BuildPolicy;
  /** When what nothing refers to goes; the defaults are those of `COLLECT_LIMITS`. */
  collect?: Partial<CollectLimits>;
  /** See `ReconcileDeps`. */
  onPass?: (pass: PassRecord) => void;
}

export interface Controller extends Closable {
  ports: Ports;
  health(): EngineHealth;
  /** Calls back when the log of a build is opened. Gives the function that ends it. */
  onBuildStart(listener: (buildId: string) => void): () => void;
  /** Removes the containers that belong to no program. Gives their names. */
  removeStrays(): Promise<string[]>;
  collector: Pick<Collector, 'hold' | 'run' | 'lastFound'>;
  images: Pick<ImageTasks, 'pullNow' | 'list'>;
  queue: Pick<Queue, 'depth'>;
  slots: Pick<Slots, 'counts'>;
  /** Writes an event of a program. Resolves when it is written; never rejects. */
  tell(name: string, event: EventDraft): Promise<void>;
  observed: Pick<Observed, 'has' | 'subscribe'>;
  swaps: Pick<StateSwaps, 'ask' | 'hold'>;
}

/** Starts keeping programs as their manifests want them, until closed. Closing leaves them running. */
export function startController(deps: ControllerDeps): Controller {
  const { registry, clock, log, metrics } = deps;
  const parts = startParts(deps, (name) => passes.run(name));
  const { ports, queue, monitor, contexts, collector, buildListeners } = parts;
  const reconcileDeps = reconcileDepsOf(deps, parts, (name) => {
    passes.forget(name);
    metrics.programs.forget(name);
  });
  const passes = createPasses({
    ...{ registry, clock, log, metrics },
    reconcile: (name) => reconcile(reconcileDeps, name),
    again: queue.addAfter,
    suspect: monitor.suspect,
  });

  const sources = createSourceChanges(registry.status, contexts, queue.add);
  const unsubscribe = registry.subscribe(({ names, paths }) => {
    for (const name of names) queue.add(name);
    sources.hint(paths);
  });
  const timers = createTimers(clock);
  const told = (error: unknown) => log.error({ err: error }, 'a periodic look failed');
  timers.every(RELOOK_MS, () => sources.relook().catch(told));
  timers.every(RESYNC_MS, async () => parts.resync.due());
  watchParts(metrics, registry, parts);

  return {
    ...{ ports, collector, queue, swaps: parts.swaps },
    ...{ observed: parts.observed, images: parts.images, slots: parts.slots },
    tell: (name, event) => tellOf(deps, name, event),
    health: monitor.health,
    removeStrays: monitor.removeStrays,
    onBuildStart(listener) {
      buildListeners.add(listener);
      return () => buildListeners.delete(listener);
    },
    async close() {
      passes.close();
      parts.swaps.close();
      unsubscribe();
      timers.close();
      await monitor.close();
      // First, since a pass that still runs may start a probe or a build.
      await queue.close();
      await parts.spares?.close();
      parts.prober.close();
      await parts.images.close();
      await collector.close();
    },
  };
}

interface Parts {
  ports: Ports;
  queue: Queue;
  monitor: EngineMonitor;
  prober: Prober;
  contexts: ContextCache;
  images: ImageTasks;
  collector: Collector;
  stops: Stops;
  slots: Slots;
  swaps: StateSwaps;
  spares: SparePool | undefined;
  resync: Resync;
  /** When the last pass over each program began; epoch milliseconds. */
  looked: Map<string, number>;
  observed: Observed;
  buildListeners: Set<(buildId: string) => void>;
}

/** All that works beside the passes; each of them queues the programs that have to be looked at. */
function startParts(deps: ControllerDeps, work: (name: string) => Promise<void>): Parts {
  const { registry, engine, clock, log, metrics } = deps;
  const ports = createPorts({
    ...{ range: deps.portRange, isFree: deps.isPortFree },
    isGoing: (name) => seemsGone(registry, name),
    onTurn: (name) => queue.add(name),
    onSpareHeld: () => spares?.look(),
  });
  holdKnownPorts(registry, ports, log);
  const [looked, buildListeners] = [new Map<string, number>(), new Set<(buildId: string) => void>()];
  const queue = createQueue(clock, work, metrics.loop.waited);
  const resync = createResync(registry, queue.add);
  const slots = createSlots(OPERATIONS_MAX, OPERATIONS_RESERVED);
  const spares = deps.spares === undefined ? undefined : sparePoolOf(deps, deps.spares, ports, queue, slots);
  const monitor = startEngineMonitor({
    ...{ engine, clock, log },
    whyStray: ({ id, program }) => whyStray(registry, id, program),
    isPaused: (program) => registry.pauses.of(program) !== undefined,
    onFirst: (containers) => holdServedPorts(containers, ports),
    onProgram(name, atMs) {
      const lookedMs = looked.get(name) ?? 0;
      // A look that began since knows of it, unless the clock has jumped back.
      if (atMs !== undefined && atMs < lookedMs && lookedMs <= clock.now()) return;
      queue.add(name);
    },
    onTurn() {
      resync.all();
      spares?.look();
    },
  });
  const prober = createProber({
    ...{ ...deps.probes, clock, onChange: queue.add, onFailure: metrics.programs.probeFailed },
    isEngineThere: () => monitor.health().trouble === '',
  });
  const contexts = createContextCache(registry.contexts, clock);
  const images = imageTasksOf(deps, {
    snapshot: contexts.snapshot,
    // What is pulled without them may be had all the same.
    onTrouble: (name, message) =>
      void tellOf(deps, name, { type: 'Warning', reason: 'CredentialsUnavailable', message }),
    onBuildStart(buildId) {
      for (const listener of buildListeners) listener(buildId);
    },
    onDone(name, key) {
      queue.add(name);
      // Whose own try failed, for good perhaps, has its image by another's.
      for (const other of failedOver(registry, key)) queue.add(other);
      collector.built();
    },
  });
  const swaps = createStateSwaps(queue.add);
  const collector = startCollector({
    ...{ registry, engine, clock, log, metrics },
    limits: { ...COLLECT_LIMITS, ...deps.collect },
    building: images.keys,
    filling: swaps.held,
    engineTrouble: () => monitor.health().trouble,
  });
  const observed = createObserved((error) => log.error({ err: error }, 'a listener failed'));
  const stops = createStops({ engine, clock, log, onEnd: queue.add, suspect: monitor.suspect });
  return {
    ...{ ports, queue, monitor, prober, contexts, images, collector, stops, swaps, resync },
    ...{ looked, observed, buildListeners, slots, spares },
  };
}

async function tellOf(deps: ControllerDeps, name: string, event: EventDraft): Promise<void> {
  const status = deps.registry.status.get(name);
  if (status !== undefined) await emit(deps, status, event);
}

/** What one pass is given of the parts. @param onForgotten called with a program that is no more */
function reconcileDepsOf(
  deps: ControllerDeps,
  parts: Parts,
  onForgotten: (name: string) => void,
): ReconcileDeps {
  const { registry, clock } = deps;
  const { ports, queue, monitor, prober, contexts, images, collector, stops, looked, observed, resync } =
    parts;
  const rollouts = createRolloutTimer(clock);
  const good: ReconcileDeps['good'] = new Map();
  const met: ReconcileDeps['met'] = new Set();
  return {
    ...{ ...deps, sandboxed: deps.sandboxed ?? false },
    ...{ ports, images, prober, good, met, swaps: parts.swaps },
    // A hundred crash loops that wait for their turn must not keep a healthy program from being looked at.
    slots: { run: (kind, doing) => queue.parked(() => parts.slots.run(kind, doing)) },
    async lookAtContext(build, generation) {
      const look = await contexts.look(build, generation);
      await collector.use(look.hash);
      return look;
    },
    async olderHash(build, hash) {
      const older = await contexts.olderHash(build, hash);
      if (older !== undefined) await collector.use(older);
      return older;
    },
    snapshot: contexts.snapshot,
    wasDown: (atMs) => atMs < (deps.bootedAtMs ?? 0) || monitor.wasAway(atMs),
    lastChange: registry.lastChange,
    paused: registry.pauses.of,
    hasSnapshot: (build, hash) => registry.contexts.has(build, hash),
    stop: stops.stop,
    stopping: stops.underWay,
    probes: prober.states,
    containerName: (name) => containerName(deps.instance, name),
    revision: (name, number) => registry.revisions.get(name, number),
    stateFacts: (name, userId, from) => stateFacts(registry, deps.instance, name, userId, from),
    keptRevisions: (name, userId) => keptRevisions(registry, name, userId),
    rollouts,
    engineTrouble: () => monitor.health().trouble,
    ...{ saw: monitor.saw, touched: monitor.touched, hasNone: monitor.hasNone },
    begins(name) {
      looked.set(name, clock.now());
      resync.begins(name);
      queue.begin(name);
    },
    again: queue.addAfter,
    rests: resync.rests,
    observed: (name) => observed.add(name),
    onForgotten(name) {
      queue.forget(name);
      resync.forget(name);
      rollouts.forget(name);
      for (const known of [looked, observed, good, met]) known.delete(name);
      onForgotten(name);
    },
  };
}
