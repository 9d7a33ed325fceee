import { type Leftovers, openLeftovers } from '../../registry/records/leftovers.ts';
import type { Registry } from '../../registry/registry.ts';
import { buildIdOf } from '../../schemas/build-id.ts';
import type { Clock } from '../../schemas/clock.ts';
import { AppError, messageOf } from '../../schemas/errors.ts';
import { LABELS } from '../../schemas/program.ts';
import type { Closable, Engine } from '../engine/engine.ts';
import type { ControllerLog } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import {
  type CollectLimits,
  collectable,
  countedBytes,
  type Found,
  isReferenced,
  type References,
  type Removal,
} from './collectable.ts';
import { findAll } from './found.ts';
import { type Kept, keptIn, referencesOf } from './references.ts';

/** The first look leaves the programs their time to be looked at; then one every ten minutes. */
const FIRST_MS = 30_000;
const EVERY_MS = 600_000;
/** A look that was in somebody's way is made again after this. */
const AGAIN_MS = 1_000;
/** A build that somebody asked about stays this long: from the look at its sources to the container. */
const IN_USE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** What holds where nothing else is said (contract: a week for volumes and trash). */
export const COLLECT_LIMITS: CollectLimits = {
  graceMs: HOUR_MS,
  trashMs: 7 * 24 * HOUR_MS,
  diskBytes: undefined,
};

export interface CollectorDeps {
  registry: Registry;
  engine: Engine;
  clock: Clock;
  log: ControllerLog;
  metrics: Metrics;
  limits: CollectLimits;
  /** Whole hashes of builds that are under way, or wait for their turn. */
  building: () => Iterable<string>;
  /** Why the engine can not be asked, or `""`. */
  engineTrouble: () => string;
}

/** Removes what nothing refers to, by and by. Never fails, and never stands in a program's way. */
export interface Collector extends Closable {
  /** Looks now, after a look that is under way; resolves when it is done. */
  run(): Promise<void>;
  /** Called after a build: looks now where there is a limit on the disk. */
  built(): void;
  /** Runs the work while nothing is removed: what it reads is there, and what it then refers to stays. */
  hold<T>(work: () => Promise<T>): Promise<T>;
  /** Says that a build is wanted: what there is of it stays for a while. Resolves when nothing of it is just going. */
  use(hash: string): Promise<void>;
}

/** Looks at once after a while and then again and again, until closed. Build caches are the engine's to collect. */
export function startCollector(deps: CollectorDeps): Collector {
  const { registry, engine, clock, log, limits } = deps;
  const leftovers = openLeftovers(registry.paths);
  // A clock that jumps while the host runs makes nothing old.
  const offsetMs = clock.now() - clock.monotonic();
  const now = () => offsetMs + clock.monotonic();
  /** Build ids of which something is just being removed. */
  const removing = new Map<string, Promise<void>>();
  /** Build hashes that were asked about, and when. */
  const used = new Map<string, number>();
  /** Troubles that were told and are not over. */
  const told = new Set<string>();
  let unused: Map<string, number> | undefined;
  let holds = 0;
  let holdsEver = 0;
  let current: Promise<unknown> = Promise.resolve();
  let tail: Promise<void> = Promise.resolve();
  let waiting = false;
  let cancel: () => void = () => undefined;
  let closed = false;

  const warnOnce = (what: string, fields: object) => {
    if (!told.has(what)) log.warn(fields, what);
    told.add(what);
  };

  async function look(): Promise<void> {
    const { scanned, message } = registry.health();
    if (closed || !scanned || message !== '' || deps.engineTrouble() !== '') return;
    const began = holdsEver;
    const listed = await findAll(leftovers, engine, limits.diskBytes !== undefined);
    // Read after the list, so that whatever is listed and came into use since is seen to be in use.
    const kept = await readKept(leftovers);
    const containers = await engine.listContainers();
    const running = containers.flatMap(({ labels }) => labels[LABELS.build] ?? []);
    const refs = () => referencesNow(deps, [...running, ...deps.building(), ...inUse()], kept);
    const found = await since(listed, refs());
    const removals = collectable(refs(), found, now(), limits);
    for (const removal of removals) {
      if (closed) return;
      if (holds > 0 || holdsEver !== began) return schedule(AGAIN_MS);
      if (!removal.recordOnly && isReferenced(refs(), removal.item)) continue;
      await removeOne(removal);
    }
    tellOfLimit(found, removals);
  }

  function inUse(): string[] {
    for (const [hash, atMs] of used) if (clock.monotonic() - atMs >= IN_USE_MS) used.delete(hash);
    return [...used.keys()];
  }

  /** Since when nothing refers to each; remembered, so that a restart of the host does not begin anew. */
  async function since(listed: readonly Found[], refs: References): Promise<Found[]> {
    unused ??= await leftovers.readUnused();
    const before = unused;
    const nowMs = now();
    const next = new Map<string, number>();
    const found = listed.map((item) => {
      // One that was stamped with a time to come, by a clock that was wrong, is counted as any other.
      if (item.sinceMs > 0 && item.sinceMs <= nowMs) return item;
      if (isReferenced(refs, item)) return { ...item, sinceMs: nowMs };
      const sinceMs = Math.min(nowMs, before.get(item.key) ?? nowMs);
      next.set(item.key, sinceMs);
      return { ...item, sinceMs };
    });
    unused = next;
    if (!isSame(before, next)) {
      const what = 'what is out of use can not be written down; it is counted from the next start';
      await leftovers.writeUnused(next).then(
        () => told.delete(what),
        (error: unknown) => warnOnce(what, { error: messageOf(error) }),
      );
    }
    return found;
  }

  async function removeOne({ item, recordOnly, why }: Removal): Promise<void> {
    const what = `${item.key} can not be removed`;
    const work = recordOnly ? leftovers.remove(item.key).then(() => true) : remove(item);
    const ended = work.then(
      (isGone) => {
        told.delete(what);
        if (!isGone) return;
        const fields = { kind: recordOnly ? 'record' : item.kind, what: item.key, bytes: item.bytes, why };
        log.info(fields, 'collected');
        deps.metrics.collected(fields.kind, recordOnly ? 0 : item.bytes);
      },
      (error: unknown) => {
        if (error instanceof AppError && error.reason === 'EngineUnavailable') throw error;
        warnOnce(what, { error: messageOf(error) });
      },
    );
    const buildId = 'buildId' in item ? item.buildId : '';
    const settled = ended.catch(() => undefined);
    current = settled;
    removing.set(buildId, settled);
    try {
      await ended;
    } finally {
      removing.delete(buildId);
    }
  }

  /** @returns whether it is gone */
  async function remove(item: Found): Promise<boolean> {
    switch (item.kind) {
      case 'image':
        return (await engine.removeImage(item.id)) === 'removed';
      case 'sources':
        return registry.trashSources(item.folder);
      case 'history':
        await registry.revisions.remove(item.name);
        await registry.events.remove(item.name);
        return true;
      case 'volume':
        // One that is gone already is as good. One that a container uses is refused by the engine.
        await engine.removeVolume(item.volume);
        await leftovers.remove(item.key);
        return true;
      case 'buildLog':
        if (registry.buildLogs.isOpen(item.buildId)) return false;
        await leftovers.remove(item.key);
        return true;
      case 'context':
      case 'trash':
        await leftovers.remove(item.key);
        return true;
    }
  }

  function tellOfLimit(found: readonly Found[], removals: readonly Removal[]): void {
    if (limits.diskBytes === undefined) return;
    const gone = removals.map(({ item }) => item);
    const bytes = countedBytes(found) - countedBytes(gone);
    const what = 'the disk limit is exceeded by what is in use';
    if (bytes > limits.diskBytes) warnOnce(what, { bytes, limit: limits.diskBytes });
    else told.delete(what);
  }

  function run(): Promise<void> {
    if (closed) return tail;
    tail = tail.then(async () => {
      const what = 'a look for what can be collected failed';
      try {
        await look();
        told.delete(what);
      } catch (error) {
        const isAway = error instanceof AppError && error.reason === 'EngineUnavailable';
        if (!isAway && !closed) warnOnce(what, { error: messageOf(error) });
      }
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
    built() {
      if (limits.diskBytes === undefined || waiting) return;
      waiting = true;
      clock.after(AGAIN_MS, () => {
        waiting = false;
        void run();
      });
    },
    async hold(work) {
      holds++;
      holdsEver++;
      try {
        await current;
        return await work();
      } finally {
        holds--;
      }
    },
    async use(hash) {
      used.set(hash, clock.monotonic());
      await removing.get(buildIdOf(hash));
    },
    async close() {
      closed = true;
      cancel();
      await tail;
    },
  };
}

function referencesNow(
  { registry }: CollectorDeps,
  hashes: readonly string[],
  revisions: ReadonlyMap<string, Kept>,
): References {
  const manifests = registry.list().map(({ name, text, program }) => {
    const context = (program?.rawSpec.build as { context?: unknown } | undefined)?.context;
    return {
      ...{ name, text },
      userId: String(program?.rawSpec.userId ?? ''),
      context: typeof context === 'string' ? context : undefined,
    };
  });
  return referencesOf({
    manifests,
    statuses: registry.status.names().flatMap((name) => registry.status.get(name) ?? []),
    unsure: [...registry.status.damaged().keys(), ...registry.missing()],
    hashes,
    revisions,
  });
}

async function readKept(leftovers: Leftovers): Promise<Map<string, Kept>> {
  const texts = await leftovers.revisionTexts();
  return new Map([...texts].map(([name, all]) => [name, keptIn(all.join('\n'))]));
}

function isSame(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
