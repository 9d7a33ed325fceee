import type { PauseStore } from '../../api/deps.ts';
import type { CollectLimits } from '../../controller/collect/collectable.ts';
import type { Engine } from '../../controller/engine/engine.ts';
import type { RegistryIdentity } from '../../controller/engine/owner.ts';
import type { ControllerLog } from '../../controller/log.ts';
import { type Controller, startController } from '../../controller/loop/controller.ts';
import type { ProbeOnce } from '../../controller/loop/probe-once.ts';
import { createMetrics, type Metrics } from '../../controller/metrics.ts';
import { createReservations, type Reservations } from '../../controller/ports/reservations.ts';
import { createPauseStore } from '../../controller/serve/pauses.ts';
import { createProgramStore } from '../../controller/serve/program-store.ts';
import type { PassRecord } from '../../controller/trace/pass.ts';
import { openGit } from '../../registry/git/git.ts';
import { openRegistry } from '../../registry/open-registry.ts';
import { openRegistryId, type RegistryIdOptions } from '../../registry/records/registry-id.ts';
import type { Registry, RegistryOptions } from '../../registry/registry.ts';
import type { Clock } from '../../schemas/clock.ts';
import { unexpected } from '../../schemas/status-range.ts';
import { createSimEngine } from './engine.ts';
import type { SimWorld } from './engine-world.ts';
import type { ManualClock } from './manual-clock.ts';
import { closeFiles, type FileRules, followFiles } from './mortal-files.ts';
import { advance, advanceWhile, filesAtRest, skipSyncs } from './pace.ts';

/** Where a host can die: at a call to the engine or a write to the registry, before it or when it has acted. */
export interface Step {
  /** `engine.startContainer`, `status.put`, `file.rename`, … */
  name: string;
  /** What it concerns: a container's name, a program, a path in the registry, or `""`. */
  about: string;
  moment: 'before' | 'after';
}

export interface SimHostOptions {
  world: SimWorld;
  clock: ManualClock;
  /** Folder of the registry: real files. */
  root: string;
  instance?: string;
  /** Which registry it is; by default what the folder's own `data/` says, or comes to say. */
  identity?: RegistryIdentity;
  portRange?: { min: number; max: number };
  /** Whether programs have network sandboxes. */
  sandboxed?: boolean;
  /** How many of these stand ready; by default nobody looks after any. */
  spares?: number;
  /** When what nothing refers to goes. */
  collect?: Partial<CollectLimits>;
  /** Hints of changed files; those of the real watch come in real time. */
  watchFiles?: RegistryOptions['watchFiles'];
  /** When the machine started; epoch milliseconds. */
  bootedAtMs?: number;
  /** Whether the folder is taken for the git work tree it is; off by default, since it costs processes. */
  git?: boolean;
  /** What befalls the files; without it the host dies around its own steps alone, and always has room. */
  disk?: Pick<FileRules, 'isFull' | 'leavesHalf'>;
  /** Told of every step; a `kill()` in it ends the host at exactly this point. */
  onStep?: (step: Step, host: Pick<SimHost, 'kill'>) => void;
  /** Told of every pass. */
  onPass?: (pass: PassRecord) => void;
}

export interface SimHost {
  registry: Registry;
  controller: Controller;
  metrics: Metrics;
  /** The registry as the API sees it. */
  programs: ReturnType<typeof createProgramStore>;
  reservations: Reservations;
  pauses: PauseStore;
  /** Calls to the engine that change something, `startContainer hersh-program-x`, in order. */
  calls: string[];
  /** What the host logged, at any level. */
  log: { atMs: number; level: string; message: string; fields: Record<string, unknown> }[];
  /** Lets so much simulated time pass; the files come to rest between any two timers. */
  advance(ms: number): Promise<void>;
  /** Lets time pass until the condition holds, timer by timer. Rejects when that takes longer than `limitMs`. */
  until(what: string, condition: () => boolean, limitMs?: number): Promise<void>;
  /** As kill -9 does: nothing it was about to do happens any more, and what it left stays as it is. */
  kill(): Promise<void>;
  /** As SIGTERM does. */
  close(): Promise<void>;
}

const NEVER = new Promise<never>(() => undefined);

/**
 * The host without its process: the real registry in a real folder and the real controller, over a simulated
 * engine and a clock that is turned by hand. Several can follow one another on one folder and world.
 */
export async function createSimHost(options: SimHostOptions): Promise<SimHost> {
  const { world, clock, root, instance = 'default' } = options;
  await skipSyncs();
  const life = createLife(clock);
  const calls: string[] = [];
  const log: SimHost['log'] = [];
  const killing = { kill };
  const step = <A extends unknown[], R>(
    name: string,
    act: (...args: A) => Promise<R>,
    about: (...args: A) => string = () => '',
  ) =>
    life.mortal(
      (...args: A) => act(...args),
      (moment, args) => options.onStep?.({ name, about: about(...args), moment }, killing),
    );

  if (options.disk !== undefined) {
    followFiles({
      ...{ root, ...options.disk, isDead: () => life.signal.aborted },
      onStep: (name, about, moment) => options.onStep?.({ name, about, moment }, killing),
    });
  }
  const onWarning = (fields: object, message: string) => {
    log.push({ atMs: clock.monotonic(), level: 'warn', message, fields: { ...fields } });
  };
  const git = options.git === true ? await openGit({ root, clock: life.clock, onWarning }) : undefined;
  let close = async (): Promise<void> => undefined;
  const files = await openRegistry({
    ...{ root, git, onWarning },
    policy: { runtime: 'runc' },
    clock: life.clock,
    ...(options.watchFiles === undefined ? {} : { watchFiles: options.watchFiles }),
  });
  close = files.close;
  const registry: Registry = {
    ...files,
    status: {
      ...files.status,
      put: step('status.put', files.status.put, ({ name }) => name),
      remove: step('status.remove', files.status.remove, (name) => name),
    },
    events: { ...files.events, append: step('events.append', files.events.append, (name) => name) },
    revisions: { ...files.revisions, put: step('revisions.put', files.revisions.put, (name) => name) },
    contexts: { ...files.contexts, snapshot: step('contexts.snapshot', files.contexts.snapshot) },
    trashVolume: step('trashVolume', files.trashVolume, ({ name }) => name),
    claimVolume: step('claimVolume', files.claimVolume, ({ name }) => name),
  };
  const metrics = createMetrics();
  const identity = options.identity ?? (await identityOf(files, onWarning));
  const sim = createSimEngine({ world, instance, registry: identity });
  const engine = mortalEngine(world, sim, life, step, (call) => calls.push(call));
  const controller = startController({
    ...{ registry, metrics, instance, clock: life.clock, runtime: 'runc', engine },
    log: recorder(log, () => clock.monotonic()),
    portRange: options.portRange ?? { min: 19001, max: 29999 },
    ...(options.collect === undefined ? {} : { collect: options.collect }),
    ...(options.onPass === undefined ? {} : { onPass: options.onPass }),
    ...(options.bootedAtMs === undefined ? {} : { bootedAtMs: options.bootedAtMs }),
    sandboxed: options.sandboxed ?? false,
    ...(options.spares === undefined ? {} : { spares: options.spares }),
    isPortFree: async (port) =>
      !world.foreignPorts.has(port) && publisher(world, port) === undefined && !world.sandboxes.holds(port),
    probes: { once: probeWorld(world), isPortLost: async (port) => world.isPortLost(port) },
  });
  const programs = createProgramStore({
    hold: (work) => controller.collector.hold(work),
    ...{ registry, clock: life.clock, runtime: 'runc', observed: controller.observed },
    imageIdOf: async (reference) => (await engine.inspectImage(reference))?.id,
    removeStrays: () => controller.removeStrays(),
    tell: controller.tell,
    onBuildStart: (listener) => controller.onBuildStart(listener),
  });

  const reservations = createReservations(registry, controller.ports, life.clock);
  const pauses = createPauseStore(registry, programs, controller.tell);

  async function kill(): Promise<void> {
    life.end();
    // Edits are let come to their end, where they can not be cut off.
    const closed = close();
    if (options.disk === undefined) await closed;
    await filesAtRest();
    await closeFiles();
  }

  return {
    ...{ registry, controller, metrics, programs, reservations, pauses, calls, log, kill },
    advance: (ms) => advance(clock, ms),
    async until(what, condition, limitMs = 60_000) {
      const came = await advanceWhile(clock, clock.monotonic() + limitMs, () => !condition());
      if (!came)
        throw new Error(`within ${limitMs} ms it did not come about that ${what}: ${summary(registry)}`);
    },
    async close() {
      await controller.close();
      await files.close();
      await filesAtRest();
      if (options.disk !== undefined) followFiles(undefined);
    },
  };
}

/** What the host thinks of each program, for the message of a failed test. */
function summary({ status }: Registry): string {
  return status
    .names()
    .map((name) => {
      const { state, reason, errorMsg } = status.get(name) ?? {};
      return `${name} is ${state} ${reason} ${errorMsg}`.trim();
    })
    .join('; ');
}

type Wrap = <A extends unknown[], R>(
  name: string,
  act: (...args: A) => Promise<R>,
  about?: (...args: A) => string,
) => (...args: A) => Promise<R>;

/** What a host is made of ends with it: its timers, and every call it waits for. */
interface Life {
  clock: Clock;
  /** Fires at the end. */
  signal: AbortSignal;
  /** The same function while there is life; afterwards, or when `onStep` ends it, one that never answers. */
  mortal<A extends unknown[], R>(
    act: (...args: A) => Promise<R>,
    onStep: (moment: 'before' | 'after', args: A) => void,
  ): (...args: A) => Promise<R>;
  end(): void;
}

function createLife(clock: Clock): Life {
  const timers = new Set<() => void>();
  const death = new AbortController();
  const { signal } = death;
  return {
    signal,
    clock: {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      after(ms, run) {
        if (signal.aborted) return () => undefined;
        const cancel = clock.after(ms, () => {
          timers.delete(cancel);
          run();
        });
        timers.add(cancel);
        return () => {
          timers.delete(cancel);
          cancel();
        };
      },
    },
    mortal:
      (act, onStep) =>
      async (...args) => {
        if (!signal.aborted) onStep('before', args);
        if (signal.aborted) return NEVER;
        try {
          return await act(...args);
        } finally {
          if (!signal.aborted) onStep('after', args);
          if (signal.aborted) await NEVER;
        }
      },
    end() {
      for (const cancel of timers) cancel();
      timers.clear();
      death.abort();
    },
  };
}

/** As `main.ts` opens it. */
function identityOf({ paths, get, status }: Registry, onNote: RegistryIdOptions['onNote']) {
  const hasProgram = (name: string) => get(name) !== undefined || status.get(name) !== undefined;
  return openRegistryId({ root: paths.root, hasProgram, onNote });
}

function mortalEngine(
  world: SimWorld,
  engine: Engine,
  life: Life,
  step: Wrap,
  onCall: (call: string) => void,
): Engine {
  const nameOf = (id: string) => world.containers.get(id)?.facts.name ?? id;
  /** A call that changes something. */
  const change = <A extends unknown[], R>(
    name: string,
    act: (...args: A) => Promise<R>,
    about: (...args: A) => string,
  ) =>
    step(
      `engine.${name}`,
      (...args: A) => {
        onCall(`${name} ${about(...args)}`);
        return act(...args);
      },
      about,
    );
  return {
    ...engine,
    ping: step('engine.ping', engine.ping),
    listContainers: step('engine.listContainers', engine.listContainers, (program = '') => program),
    inspectContainer: step('engine.inspectContainer', engine.inspectContainer, nameOf),
    inspectImage: step('engine.inspectImage', engine.inspectImage, (reference) => reference),
    logs: step('engine.logs', engine.logs, nameOf),
    createContainer: change('createContainer', engine.createContainer, ({ name }) => name),
    startContainer: change('startContainer', engine.startContainer, nameOf),
    stopContainer: change('stopContainer', engine.stopContainer, nameOf),
    unpauseContainer: change('unpauseContainer', engine.unpauseContainer, nameOf),
    renameContainer: change('renameContainer', engine.renameContainer, nameOf),
    removeContainer: change('removeContainer', engine.removeContainer, nameOf),
    listSandboxes: step('engine.listSandboxes', engine.listSandboxes, (program = '') => program),
    removeSandbox: change(
      'removeSandbox',
      engine.removeSandbox,
      (id) => world.sandboxes.all.get(id)?.facts.name ?? id,
    ),
    listSpares: step('engine.listSpares', engine.listSpares),
    makeSpare: change('makeSpare', engine.makeSpare, String),
    removeSpare: change('removeSpare', engine.removeSpare, String),
    removeVolume: change('removeVolume', engine.removeVolume, (name) => name),
    removeImage: change('removeImage', engine.removeImage, (id) => id),
    holdImage: change('holdImage', engine.holdImage, (id) => id),
    releaseImage: change('releaseImage', engine.releaseImage, (id) => id),
    // An engine stops a build whose client is gone.
    build: change(
      'build',
      (request, onLog, signal) => engine.build(request, onLog, AbortSignal.any([signal, life.signal])),
      ({ tag }) => tag,
    ),
    pull: change('pull', engine.pull, (reference) => reference),
    watch(...listeners) {
      const watch = engine.watch(...listeners);
      life.signal.addEventListener('abort', () => void watch.close(), { once: true });
      return watch;
    },
  };
}

function publisher(world: SimWorld, port: number) {
  return [...world.containers.values()].find(
    ({ facts }) => facts.servedPort === port && facts.state === 'running',
  );
}

function probeWorld(world: SimWorld): ProbeOnce {
  return async (port, probe) => {
    const status = world.answer(port);
    if (status === undefined) return 'nothing listens';
    const why = probe.kind === 'http' ? unexpected(status, probe.expect) : '';
    return why === '' ? '' : `answered ${why}`;
  };
}

function recorder(log: SimHost['log'], nowMs: () => number): ControllerLog {
  const at =
    (level: string) =>
    (fields: object, message = ''): void => {
      log.push({ atMs: nowMs(), level, message, fields: { ...fields } });
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  } as unknown as ControllerLog;
}
