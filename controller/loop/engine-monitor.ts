import type { Clock } from '../../schemas/clock.ts';
import type { ContainerSummary } from '../../schemas/container.ts';
import { withHint } from '../../schemas/errors.ts';
import type { Closable, Engine } from '../engine/engine.ts';
import type { ControllerLog } from '../log.ts';

/** Containers are listed this often under the events (design: numbers). */
const RELIST_MS = 10_000;
/** Waits between tries of an engine that does not answer. */
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 5_000;

/** Absences that are remembered, and how long before it is noticed that one may have begun. */
const ABSENCES_KEPT = 20;
const NOTICED_MS = 2_000;

export interface EngineHealth {
  /** Why the engine can not be asked, or `""`. */
  trouble: string;
  /** One complete list came from the engine. */
  listed: boolean;
  /** Containers of this instance that belong to no program known here. */
  strays: readonly ContainerSummary[];
}

/** Knows whether the engine is there, and tells which programs' containers changed. */
export interface EngineMonitor extends Closable {
  health(): EngineHealth;
  /** Lists all containers now; changes are told as ever. */
  relist(): Promise<void>;
  /** What a look at one program found: the next list is compared with it. */
  saw(program: string, containers: readonly ContainerSummary[]): void;
  /** A call just failed: look whether the engine is gone. */
  suspect(): void;
  /** Whether the engine was away at a time, or just going. @param atMs epoch milliseconds */
  wasAway(atMs: number): boolean;
}

export interface EngineMonitorDeps {
  engine: Engine;
  clock: Clock;
  log: ControllerLog;
  isKnown: (program: string) => boolean;
  /** A program's containers changed. @param atMs when, by this machine's clock; undefined where a list tells it */
  onProgram: (program: string, atMs?: number) => void;
  /** The engine came or went: every program has to be looked at. */
  onTurn: () => void;
}

export function startEngineMonitor(deps: EngineMonitorDeps): EngineMonitor {
  const { engine, clock, log } = deps;
  let health: EngineHealth = { trouble: 'it was not asked yet', listed: false, strays: [] };
  /** What the last list, or a look at the program since, said of each. */
  let listed = new Map<string, string>();
  /** Programs by container, as of the last list and the looks since: for events that name the container alone. */
  let owners = new Map<string, string>();
  let retryMs = RETRY_MS_MIN;
  let wasTold = false;
  /** When it went and came back; epoch milliseconds, newest last. */
  const absences: { fromMs: number; toMs: number }[] = [];
  let checking = false;
  let closed = false;
  const cancels = new Set<() => void>();

  function later(ms: number, run: () => unknown): void {
    const cancel = clock.after(ms, () => {
      cancels.delete(cancel);
      if (!closed) run();
    });
    cancels.add(cancel);
  }

  /** It answers; whether it can be worked with shows by a list. */
  async function up(): Promise<void> {
    if (closed || !(await list()) || closed) return;
    if (health.trouble !== '') log.info({}, 'the engine answers');
    health = { ...health, trouble: '' };
    retryMs = RETRY_MS_MIN;
    const last = absences.at(-1);
    if (wasTold && last !== undefined) last.toMs = clock.now();
    wasTold = false;
    deps.onTurn();
  }

  /** Told once for each absence, however many calls fail meanwhile. */
  function down(message: string): void {
    if (closed) return;
    if (!wasTold) {
      wasTold = true;
      absences.push({ fromMs: clock.now(), toMs: Number.POSITIVE_INFINITY });
      if (absences.length > ABSENCES_KEPT) absences.shift();
      log.warn({ reason: 'EngineUnavailable', error: message }, 'the engine does not answer; trying again');
      health = { ...health, trouble: message };
      deps.onTurn();
    }
    suspect();
  }

  function suspect(): void {
    if (checking || closed) return;
    checking = true;
    later(retryMs, async () => {
      // Grows until a list has come: an engine that says it is there, and no more, is not asked without end.
      retryMs = Math.min(RETRY_MS_MAX, retryMs * 2);
      const failure = await engine.ping().catch((error: unknown) => ({ error }));
      checking = false;
      if (failure !== undefined) down(withHint(failure.error));
      else if (health.trouble !== '') await up();
      else retryMs = RETRY_MS_MIN;
    });
  }

  /**
   * Finds what the events did not tell: containers that came, went or changed state.
   * @returns whether the engine gave its list
   */
  async function list(): Promise<boolean> {
    let containers: ContainerSummary[];
    try {
      containers = await engine.listContainers();
    } catch (error) {
      down(withHint(error));
      return false;
    }
    const now = new Map<string, string>();
    for (const program of new Set(containers.map((one) => one.program))) {
      now.set(program, digestOf(containers.filter((one) => one.program === program)));
    }
    for (const name of new Set([...now.keys(), ...listed.keys()])) {
      if ((now.get(name) ?? '') !== (listed.get(name) ?? '')) deps.onProgram(name);
    }
    listed = now;
    owners = new Map(containers.map(({ id, program }) => [id, program]));
    const strays = containers.filter(({ program }) => !deps.isKnown(program));
    if (strays.length > health.strays.length) {
      const names = strays.map(({ name }) => name);
      log.warn({ strays: names }, 'containers belong to no program; POST /registry/prune removes them');
    }
    health = { ...health, listed: true, strays };
    return true;
  }

  async function relist(): Promise<void> {
    await list();
  }

  /** Asked first whether it is there at all: a list that hangs would be waited for much longer. */
  async function look(): Promise<void> {
    try {
      await engine.ping();
    } catch (error) {
      down(withHint(error));
      return;
    }
    await relist();
  }

  function tick(): void {
    const work = health.trouble === '' ? look() : Promise.resolve();
    void work.finally(() => later(RELIST_MS, tick));
  }

  const events = engine.watch(
    ({ program, containerId, atMs }) => {
      const name = program || owners.get(containerId);
      if (name !== undefined) deps.onProgram(name, atMs);
    },
    () => void up(),
    (error) => down(withHint(error)),
  );
  later(RELIST_MS, tick);
  suspect();

  return {
    health: () => health,
    relist,
    suspect,
    wasAway: (atMs) => absences.some(({ fromMs, toMs }) => atMs >= fromMs - NOTICED_MS && atMs <= toMs),
    // A program that was down at the last list, started since and is down again looks unchanged to the lists.
    saw(program, containers) {
      listed.set(program, digestOf(containers));
      for (const { id } of containers) owners.set(id, program);
    },
    async close() {
      closed = true;
      for (const cancel of cancels) cancel();
      await events.close();
    },
  };
}

/** Equal for equal containers in equal states, in any order. */
function digestOf(containers: readonly ContainerSummary[]): string {
  return containers
    .map(({ id, state }) => `${id}:${state}`)
    .sort()
    .join(' ');
}
