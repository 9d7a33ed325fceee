/** The room of figures: what each program uses, taken every 15 s beside all other work, which it never disturbs. */

import { mapLimit } from '../../registry/files/map-limit.ts';
import { FINE_MS } from '../../registry/records/usage-ring.ts';
import type { UsageStore } from '../../registry/records/usage-store.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Clock } from '../../schemas/clock.ts';
import { messageOf } from '../../schemas/errors.ts';
import type { ProgramState } from '../../schemas/program.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { UsageFigures, UsageSeries } from '../../schemas/usage.ts';
import { type Closable, type Engine, isEngineAway } from '../engine/engine.ts';
import type { ControllerLog } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { createCgroupReader, type KernelFiles } from './cgroup-reader.ts';
import { createMeter, type Meter } from './meter.ts';
import { type Counters, figuresOf, type Reading, unknownFigures } from './rates.ts';

/** The first look; the host has more urgent things to do when it starts. */
const FIRST_MS = 5_000;
/** Two looks are at least this far apart, however late the first was. */
const APART_MS_MIN = 2_000;
/** Programs that are read in one go: a millisecond or two, in which nothing else is done. */
const SLICE = 25;
/** Questions to the engine at a time. */
const ASKED_AT_ONCE = 4;

/** States in which a container may run. */
const UP: ReadonlySet<ProgramState> = new Set(['Starting', 'Running', 'Ready', 'Stopping']);
const NOT_RUNNING = 'it does not run';
const NOT_YET = `figures are taken every ${FINE_MS / 1000} s, and have not been yet`;

export interface UsageDeps {
  registry: { status: Pick<Registry['status'], 'names' | 'get'>; usage: UsageStore };
  engine: Pick<Engine, 'placeOf' | 'usageOf'>;
  clock: Clock;
  log: Pick<ControllerLog, 'warn'>;
  metrics: { programs: Pick<Metrics['programs'], 'watchUsage'> };
  /** Why the engine can not be asked, or `""`. */
  engineTrouble: () => string;
  /** Default: those of this machine. */
  kernel?: KernelFiles;
}

export interface Usage extends Closable {
  /** Changes whenever a figure does. */
  version(): number;
  /** The newest figures of a program. */
  figures(name: string): UsageFigures;
  /** Its last hour, in steps of 15 s or of a multiple that divides 240. */
  hour(name: string, stepsInOne?: number): UsageSeries;
  /** Its last week, in steps of 5 minutes. Rejects `RegistryUnavailable` where the file can not be read. */
  week(name: string): Promise<UsageSeries>;
}

interface Target {
  name: string;
  id: string;
  run: string;
}

/** What is known since the last look of a program that may run; `reading` where it was counted. */
interface Known {
  figures: UsageFigures;
  reading: Reading | undefined;
}

/** Takes figures from now on, until closed; then writes what was not written. */
export function startUsage(deps: UsageDeps): Usage {
  const { registry, clock, log } = deps;
  const store = registry.usage;
  const known = new Map<string, Known>();
  const look = createLook(deps, known);
  let version = 0;
  let lookedMs = 0;
  let isClosed = false;
  let cancel = clock.after(FIRST_MS, () => void again());

  async function again(): Promise<void> {
    const atMs = clock.now();
    try {
      await look(atMs, () => isClosed);
      lookedMs = atMs;
      version++;
      if (!isClosed) await store.writeDue(atMs);
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'the figures of programs could not be taken; tried again');
    }
    if (!isClosed) cancel = clock.after(untilNext(clock.now()), () => void again());
  }

  deps.metrics.programs.watchUsage(() =>
    [...known].flatMap(([program, { reading }]) =>
      reading === undefined
        ? []
        : [{ program, cpuNanos: reading.cpuNanos, memoryBytes: reading.memoryBytes }],
    ),
  );
  const upToMs = () => lookedMs || clock.now();
  /** Of those that the last look had no container to read of. */
  const figuresOfOthers = (name: string): UsageFigures => {
    const status = registry.status.get(name);
    const isDown = lookedMs > 0 && status !== undefined && targetOf(status) === undefined;
    return isDown ? unknownFigures(NOT_RUNNING, lookedMs) : unknownFigures(NOT_YET, 0);
  };
  return {
    version: () => version,
    figures: (name) => known.get(name)?.figures ?? figuresOfOthers(name),
    hour: (name, stepsInOne) => store.hour(name, upToMs(), stepsInOne),
    week: (name) => store.week(name, upToMs()),
    async close() {
      isClosed = true;
      cancel();
      // A look that waits for the engine is not waited for: it keeps nothing any more.
      await store.writeAll(clock.now());
    },
  };
}

/** To the middle of the next step, so that a timer which is a little early or late is in the step that is meant. */
function untilNext(nowMs: number): number {
  const sinceMiddle = (nowMs + FINE_MS / 2) % FINE_MS;
  const ms = FINE_MS - sinceMiddle;
  return ms < APART_MS_MIN ? ms + FINE_MS : ms;
}

type Look = (atMs: number, isOver: () => boolean) => Promise<void>;

/** One look at all programs. What goes wrong with one of them is its reason, and nobody else's. */
function createLook(deps: UsageDeps, known: Map<string, Known>): Look {
  const { registry, engine, clock, engineTrouble } = deps;
  const { status, usage: store } = registry;
  const meter = createMeter(engine, createCgroupReader(deps.kernel), clock);

  const cannot = (name: string, why: string, atMs: number) =>
    known.set(name, { figures: unknownFigures(why, atMs), reading: undefined });
  const take = ({ name, run }: Target, counters: Counters, atMs: number): void => {
    const reading = { ...counters, run };
    const figures = figuresOf(known.get(name)?.reading, reading, atMs);
    known.set(name, { figures, reading });
    store.put(name, atMs, figures);
  };

  /** Those that the kernel of this machine did not tell of. */
  async function ask(targets: readonly Target[], atMs: number, isOver: () => boolean): Promise<void> {
    let trouble = targets.length === 0 ? '' : engineTrouble();
    await mapLimit(targets, ASKED_AT_ONCE, async (target) => {
      try {
        const counters = trouble === '' ? await meter.ask(target.id) : meter.read(target.id);
        if (isOver()) return;
        if (counters !== undefined) take(target, counters, atMs);
        else cannot(target.name, trouble === '' ? NOT_RUNNING : notAsked(trouble), atMs);
      } catch (error) {
        // One that does not answer is not asked for all others too.
        if (isEngineAway(error)) trouble = messageOf(error);
        cannot(target.name, notAsked(messageOf(error)), atMs);
      }
    });
  }

  let isFirst = true;
  return async (atMs, isOver) => {
    const targets = status.names().flatMap((name) => targetOf(status.get(name)) ?? []);
    const running = new Set(targets.map(({ name }) => name));
    for (const name of known.keys()) if (!running.has(name)) known.delete(name);
    for (const name of idleOf(deps, running, atMs)) await store.release(name, atMs);
    const recent = isFirst ? await store.recent(atMs) : [];
    isFirst = false;
    await store.load([...recent.filter((name) => status.get(name) !== undefined), ...running]);
    meter.keep(new Set(targets.map(({ id }) => id)));
    const untold = await readAll(meter, targets, isOver, (target, counters) => take(target, counters, atMs));
    if (!isOver()) await ask(untold, atMs, isOver);
  };
}

const notAsked = (why: string) => `the engine could not be asked: ${why}`;

/** Lets others have their turn after each slice. @returns those that could not be read */
async function readAll(
  meter: Meter,
  targets: readonly Target[],
  isOver: () => boolean,
  take: (target: Target, counters: Counters) => void,
): Promise<Target[]> {
  const untold: Target[] = [];
  for (let at = 0; at < targets.length && !isOver(); at += SLICE) {
    for (const target of targets.slice(at, at + SLICE)) {
      const counters = meter.read(target.id);
      if (counters === undefined) untold.push(target);
      else take(target, counters);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return untold;
}

/** What is loaded, and shows nothing any more: hundreds of stopped programs are not to be held for that. */
function idleOf(
  { registry: { status, usage } }: UsageDeps,
  running: ReadonlySet<string>,
  atMs: number,
): string[] {
  const isOver = (name: string) => !running.has(name) && !usage.hasHour(name, atMs);
  return usage.names().filter((name) => status.get(name) === undefined || isOver(name));
}

/** Undefined of one without a container that may run. */
function targetOf(status: ProgramStatus | undefined): Target | undefined {
  if (status === undefined || status.containerId === '' || !UP.has(status.state)) return undefined;
  const { name, containerId: id, startedAt } = status;
  return { name, id, run: `${id}@${startedAt}` };
}
