import type { Clock } from '../../schemas/clock.ts';
import type { ContainerSummary, Stranger } from '../../schemas/container.ts';
import type { Closable, Engine, EngineEvent } from '../engine/engine.ts';
import type { ControllerLog } from '../log.ts';
import { type ContainersSeen, createContainersSeen } from './containers-seen.ts';
import { createEnginePresence } from './engine-presence.ts';
import { createTimers } from './timers.ts';

/**
 * Containers are listed this often under the events (design: numbers). An engine that falls silent between two lists
 * is thus told to be away within 15 s: these 10, and the 5 that a call waits for an answer (`engine/docker/ping.ts`).
 */
const RELIST_MS = 10_000;

export interface EngineHealth {
  /** Why the engine can not be asked, or `""`. */
  trouble: string;
  /** Since when; epoch milliseconds, 0 where it can be asked. */
  awaySinceMs: number;
  /** One complete list came from the engine. */
  listed: boolean;
  /** Containers of this instance that belong to no program known here; `why` is `""` where it is the program that is not known. */
  strays: readonly Stranger[];
}

/** Knows whether the engine is there, and tells which programs' containers changed. */
export interface EngineMonitor extends Closable {
  health(): EngineHealth;
  /** Lists all containers now; changes are told as ever. */
  relist(): Promise<void>;
  /** Removes the containers that belong to no program. Gives their names. */
  removeStrays(): Promise<string[]>;
  /** What a look at one program found: the next list is compared with it. */
  saw(program: string, containers: readonly ContainerSummary[]): void;
  /** Containers of a program are about to be made. */
  touched(program: string): void;
  /** Whether it has no containers, by the last list and what came since: as good as a question of its own, but for an event that was lost. */
  hasNone(program: string): boolean;
  /** A call just failed: look whether the engine is gone. */
  suspect(): void;
  /** Whether the engine was away at a time, or just going, or has started since. @param atMs epoch milliseconds */
  wasAway(atMs: number): boolean;
}

export interface EngineMonitorDeps {
  engine: Engine;
  clock: Clock;
  log: ControllerLog;
  /** Why a container belongs to no program, `""` where it bears the name of none; undefined where it does. */
  whyStray: (one: ContainerSummary) => string | undefined;
  /** Whether that program is to be left alone, and what bears its name with it. */
  isPaused: (program: string) => boolean;
  /** The first list of all, before any program is looked at by it. */
  onFirst: (containers: readonly ContainerSummary[]) => void;
  /** A program's containers changed. @param atMs when, by this machine's clock; undefined where a list tells it */
  onProgram: (program: string, atMs?: number) => void;
  /** The engine came or went: every program has to be looked at. */
  onTurn: () => void;
}

export function startEngineMonitor(deps: EngineMonitorDeps): EngineMonitor {
  const { engine, log } = deps;
  const timers = createTimers(deps.clock);
  const seen = createContainersSeen(deps.clock);
  const presence = createEnginePresence({ ...deps, timers, list });
  let listed = false;
  let containers: readonly ContainerSummary[] = [];
  /** As the last list had them: what goes with its program, and is listed still, is none. */
  let lost: Stranger[] = [];
  const strays = () => [...lost, ...straysOf(containers, deps.whyStray).filter(({ why }) => why !== '')];

  /**
   * Finds what the events did not tell.
   * @returns whether the engine gave its list
   */
  async function list(): Promise<boolean> {
    const take = seen.asked();
    try {
      containers = await engine.listContainers();
    } catch (error) {
      presence.down(error);
      return false;
    }
    if (!listed) deps.onFirst(containers);
    for (const name of take(containers)) deps.onProgram(name);
    const before = lost.length;
    lost = straysOf(containers, deps.whyStray).filter(({ why }) => why === '');
    if (lost.length > before) {
      const names = lost.map(({ name }) => name);
      log.warn({ strays: names }, 'containers belong to no program; POST /registry/prune removes them');
    }
    listed = true;
    return true;
  }

  /** Asked first whether it is there at all: a list that hangs would be waited for much longer. */
  async function look(): Promise<void> {
    if (presence.away().trouble !== '') return;
    try {
      await engine.ping();
    } catch (error) {
      return presence.down(error);
    }
    await list();
  }

  const events = engine.watch(
    byProgram(seen, deps.onProgram),
    () => void presence.up(),
    (error) => presence.down(error),
  );
  timers.every(RELIST_MS, look);
  presence.suspect();

  return {
    health: () => ({ ...presence.away(), listed, strays: strays() }),
    relist: async () => void (await list()),
    async removeStrays() {
      await list();
      const found = straysOf(strays(), deps.whyStray).filter(({ program }) => !deps.isPaused(program));
      for (const { id } of found) await engine.removeContainer(id);
      await list();
      return found.map(({ name }) => name);
    },
    suspect: presence.suspect,
    wasAway: presence.wasAway,
    ...{ saw: seen.saw, touched: seen.touched },
    hasNone: (program) => presence.away().trouble === '' && seen.hasNone(program),
    async close() {
      presence.close();
      timers.close();
      await events.close();
    },
  };
}

/** Events tell of containers, and some of them by their id alone. */
function byProgram(
  seen: ContainersSeen,
  onProgram: EngineMonitorDeps['onProgram'],
): (event: EngineEvent) => void {
  return ({ program, containerId, atMs }) => {
    const name = program || seen.ownerOf(containerId);
    if (name === undefined) return;
    seen.touched(name);
    onProgram(name, atMs);
  };
}

/** By what is known of each now. */
function straysOf(
  containers: readonly ContainerSummary[],
  whyStray: EngineMonitorDeps['whyStray'],
): Stranger[] {
  return containers.flatMap((one) => {
    const why = whyStray(one);
    return why === undefined ? [] : { ...one, why };
  });
}
