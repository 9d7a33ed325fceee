/** The room that removes, by and by, what nothing refers to any more. */

import { openLeftovers } from '../../registry/records/leftovers.ts';
import type { Clock } from '../../schemas/clock.ts';
import { messageOf } from '../../schemas/errors.ts';
import { type Closable, isEngineAway } from '../engine/engine.ts';
import type { CollectLimits } from './collectable.ts';
import type { Found } from './item.ts';
import { type LookDeps, type LookParts, look } from './look.ts';
import { createRightOfWay, type RightOfWay } from './right-of-way.ts';
import { createTroubles } from './troubles.ts';
import { createUnusedSince } from './unused-since.ts';

/** The first look leaves the programs their time to be looked at; then one every ten minutes. */
const FIRST_MS = 30_000;
const EVERY_MS = 600_000;
/** A look that was in somebody's way is made again after this, and so is one that failed, then after twice as long … */
const AGAIN_MS = 1_000;
const HOUR_MS = 3_600_000;

/** What holds where nothing else is said (contract: a week for volumes and trash). */
export const COLLECT_LIMITS: CollectLimits = {
  graceMs: HOUR_MS,
  trashMs: 7 * 24 * HOUR_MS,
  diskBytes: undefined,
};

export interface CollectorDeps extends LookDeps {
  clock: Clock;
}

/** Removes what nothing refers to. Never fails, and never stands in a program's way. */
export interface Collector extends Closable, Pick<RightOfWay, 'hold' | 'use'> {
  /** Looks now, after a look that is under way; resolves when it is done. */
  run(): Promise<void>;
  /** What the last look found, needed or not; undefined before the first. */
  lastFound(): FoundKinds | undefined;
  /** Called after a build: looks now where there is a limit on the disk. */
  built(): void;
}

/** Sizes by kind, in bytes: null where one of the kind was not measured. */
export interface FoundKinds {
  atMs: number;
  kinds: { kind: Found['kind']; count: number; bytes: number | null }[];
}

/** Looks at once after a while and then again and again, until closed. Build caches are the engine's to collect. */
export function startCollector(deps: CollectorDeps): Collector {
  const { registry, clock, limits } = deps;
  const way = createRightOfWay(clock);
  const troubles = createTroubles(deps.log);
  const leftovers = openLeftovers(registry.paths);
  // A clock that jumps while the host runs makes nothing old.
  const offsetMs = clock.now() - clock.monotonic();
  const now = () => offsetMs + clock.monotonic();
  const unusedSince = createUnusedSince(leftovers, troubles, now);
  let last: FoundKinds | undefined;
  const parts: LookParts = {
    ...{ ...deps, leftovers, troubles, way, unusedSince, now },
    isClosed: () => closed,
    onFound: (found) => {
      last = { atMs: clock.now(), kinds: kindsOf(found) };
    },
  };
  let tail: Promise<void> = Promise.resolve();
  let waiting = false;
  let cancel: () => void = () => undefined;
  let closed = false;
  /** Looks in a row that came to nothing: an engine that is away, or refuses, mostly does so for a moment. */
  let failures = 0;

  function run(): Promise<void> {
    if (closed) return tail;
    tail = tail.then(async () => {
      const what = 'a look for what can be collected failed';
      try {
        const outcome = await look(parts);
        troubles.isOver(what);
        failures = outcome === 'unknown' ? failures + 1 : 0;
        if (outcome === 'in the way') schedule(AGAIN_MS);
      } catch (error) {
        failures++;
        if (!isEngineAway(error) && !closed) troubles.tell(what, { error: messageOf(error) });
      }
      if (failures > 0) schedule(Math.min(EVERY_MS, AGAIN_MS * 2 ** (failures - 1)));
    });
    return tail;
  }

  function schedule(ms: number): void {
    cancel();
    if (closed) return;
    cancel = clock.after(ms, () => {
      schedule(EVERY_MS);
      void run();
    });
  }

  schedule(FIRST_MS);

  return {
    run,
    lastFound: () => last,
    hold: way.hold,
    use: way.use,
    built() {
      if (limits.diskBytes === undefined || waiting) return;
      waiting = true;
      clock.after(AGAIN_MS, () => {
        waiting = false;
        void run();
      });
    },
    async close() {
      closed = true;
      cancel();
      await tail;
    },
  };
}

function kindsOf(found: readonly Found[]): FoundKinds['kinds'] {
  const kinds = new Map<Found['kind'], FoundKinds['kinds'][number]>();
  for (const { kind, bytes } of found) {
    const before = kinds.get(kind) ?? { kind, count: 0, bytes: 0 };
    const sum = before.bytes === null || bytes === null ? null : before.bytes + bytes;
    kinds.set(kind, { kind, count: before.count + 1, bytes: sum });
  }
  return [...kinds.values()];
}
