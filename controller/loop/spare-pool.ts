import type { Clock } from '../../schemas/clock.ts';
import { messageOf } from '../../schemas/errors.ts';
import { type Closable, isEngineAway } from '../engine/engine.ts';
import type { EngineSandboxes, Spare } from '../engine/engine-sandboxes.ts';
import type { Slots } from '../engine/slots.ts';
import type { ControllerLog } from '../log.ts';
import type { PortRange, Ports } from '../ports/ports.ts';
import type { Queue } from './queue.ts';

/** Somebody may have done something to one: all are looked at this often, whatever is told. */
const LOOK_MS = 60_000;
/** Others go before: then this is waited for. */
const BUSY_MS = 1_000;
/** A program that has not taken the one on its port after so long gives it back, and keeps the port. */
export const SPARE_HELD_MS = 60_000;

/**
 * Network sandboxes that stand ready on ports of the range for programs that are to come (ADR 23). Which there are the
 * engine says, and whose the port of one is the ledgers do: nothing is noted beside that.
 */
export interface SparePool extends Closable {
  /** Looks which there are, removes those of no use, and makes what is missing as soon as nothing waits. */
  look(): void;
}

export interface SparePoolDeps {
  engine: Pick<EngineSandboxes, 'hasSandboxes' | 'listSpares' | 'makeSpare' | 'removeSpare'>;
  ports: Pick<Ports, 'holder' | 'addSpare' | 'setSpares'>;
  clock: Clock;
  log: Pick<ControllerLog, 'warn'>;
  range: PortRange;
  /** How many. */
  wanted: number;
  /** Whether no program waits for anything. */
  isIdle: () => boolean;
}

/** What waits shows in the queue, and in places that are taken. */
export function sparePoolOf(
  {
    portRange: range,
    engine,
    clock,
    log,
  }: Pick<SparePoolDeps, 'engine' | 'clock' | 'log'> & { portRange: PortRange },
  wanted: number,
  ports: Ports,
  queue: Pick<Queue, 'depth'>,
  slots: Pick<Slots, 'counts'>,
): SparePool {
  const isIdle = () => {
    const { running, waiting } = slots.counts();
    return queue.depth + running + waiting === 0;
  };
  return startSparePool({ engine, clock, log, ports, range, wanted, isIdle });
}

/** Does nothing before it is told to look. */
export function startSparePool(deps: SparePoolDeps): SparePool {
  const { engine, ports, clock, wanted, isIdle } = deps;
  const sorted = createSorting(deps);
  const complain = createComplaint(deps.log);
  let kept: number[] = [];
  let under: Promise<void> | undefined;
  let isAsked = false;
  let isClosed = false;
  let cancel = (): void => undefined;

  const isShort = () => kept.filter((port) => ports.holder(port) === undefined).length < wanted;

  /** @returns after how long the next look is due */
  async function lookOnce(): Promise<number> {
    const found = await engine.listSpares();
    const sorting = sorted(found);
    kept = sorting.kept;
    ports.setSpares(kept);
    for (const port of sorting.useless) await engine.removeSpare(port);
    while (!isClosed && isShort() && (await engine.hasSandboxes())) {
      if (!isIdle()) return BUSY_MS;
      const port = await ports.addSpare();
      if (port === undefined) break;
      await engine.makeSpare(port);
      kept.push(port);
    }
    return Math.min(LOOK_MS, sorting.dueMs);
  }

  async function run(): Promise<void> {
    let ms = LOOK_MS;
    do {
      isAsked = false;
      ms = await lookOnce().then(
        (due) => {
          complain(undefined);
          return due;
        },
        (error: unknown) => {
          ports.setSpares(kept);
          complain(error);
          return LOOK_MS;
        },
      );
    } while (isAsked && !isClosed);
    under = undefined;
    if (!isClosed) cancel = clock.after(ms, look);
  }

  function look(): void {
    if (isClosed) return;
    isAsked = true;
    cancel();
    under ??= run();
  }

  return {
    look,
    async close() {
      isClosed = true;
      cancel();
      await under;
    },
  };
}

/** Which are kept, and after how long one of these may be no more. */
function createSorting({ ports, clock, range: { min, max }, wanted }: SparePoolDeps) {
  /** Since when a program holds the port of one, on the clock that does not jump. */
  const heldSince = new Map<number, number>();
  return (found: readonly Spare[]) => {
    const nowMs = clock.monotonic();
    const all = found.map(({ publishPort }) => publishPort);
    const ready = found.filter(({ isReady }) => isReady).map(({ publishPort }) => publishPort);
    const held = ready.filter((port) => ports.holder(port) !== undefined);
    for (const port of heldSince.keys()) if (!held.includes(port)) heldSince.delete(port);
    for (const port of held) heldSince.set(port, heldSince.get(port) ?? nowMs);
    const leftMs = (port: number) => (heldSince.get(port) ?? nowMs) + SPARE_HELD_MS - nowMs;
    const waiting = held.filter((port) => leftMs(port) > 0);
    const free = ready.filter((port) => !held.includes(port) && port >= min && port <= max);
    const kept = wanted === 0 ? [] : [...free.sort((a, b) => a - b).slice(0, wanted), ...waiting];
    const useless = all.filter((port) => !kept.includes(port));
    return { kept, useless, dueMs: Math.max(BUSY_MS, Math.min(LOOK_MS, ...waiting.map(leftMs))) };
  };
}

/** Says once what is wrong, until it is right. An engine that is away others tell of. */
function createComplaint(log: SparePoolDeps['log']): (error: unknown) => void {
  let told = '';
  return (error) => {
    if (isEngineAway(error)) return;
    const message = error === undefined ? '' : messageOf(error);
    if (message !== '' && message !== told)
      log.warn({ error: message }, 'spare sandboxes could not be seen to; programs make their own meanwhile');
    told = message;
  };
}
