import type { Leftovers } from '../../registry/records/leftovers.ts';
import type { Registry } from '../../registry/registry.ts';
import { messageOf } from '../../schemas/errors.ts';
import { LABELS } from '../../schemas/program.ts';
import { type Engine, isEngineAway } from '../engine/engine.ts';
import type { ControllerLog } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { type CollectLimits, collectable, isReferenced, type References } from './collectable.ts';
import { countedBytes } from './disk-limit.ts';
import { findAll } from './found.ts';
import type { Found, Removal } from './item.ts';
import { type Kept, keptIn, namedImages, referencesOf } from './references.ts';
import { remove } from './remove.ts';
import type { RightOfWay } from './right-of-way.ts';
import type { Troubles } from './troubles.ts';

export interface LookDeps {
  registry: Registry;
  engine: Engine;
  log: ControllerLog;
  metrics: Metrics;
  limits: CollectLimits;
  /** Whole hashes of builds that are under way, or wait for their turn. */
  building: () => Iterable<string>;
  /** Volumes that are being filled, which no ledger has yet. */
  filling: () => Iterable<string>;
  /** Why the engine can not be asked, or `""`. */
  engineTrouble: () => string;
}

/** What lasts from one look to the next. */
export interface LookParts extends LookDeps {
  leftovers: Leftovers;
  troubles: Troubles;
  way: RightOfWay;
  /** Puts in since when nothing refers to each. */
  unusedSince: (listed: readonly Found[], refs: References) => Promise<Found[]>;
  /** Epoch milliseconds. */
  now: () => number;
  isClosed: () => boolean;
  /** Told what the look found, needed or not. */
  onFound: (found: readonly Found[]) => void;
}

/** `in the way`: it gave way to somebody. `unknown`: what refers to things could not be known just now. */
export type LookOutcome = 'done' | 'in the way' | 'unknown';

/**
 * Finds everything, asks what refers to it and removes what may go. Does nothing where it can not be known what
 * refers to it. Rejects where a part can not be listed, and when the engine goes away.
 */
export async function look(parts: LookParts): Promise<LookOutcome> {
  const { registry, engine, limits, leftovers, way, isClosed } = parts;
  const { scanned, message } = registry.health();
  if (isClosed()) return 'done';
  if (!scanned || message !== '' || parts.engineTrouble() !== '') return 'unknown';
  const isInTheWay = way.watch();
  const listed = await findAll(leftovers, engine, limits.diskBytes !== undefined);
  parts.onFound(listed);
  // Read after the list, so that whatever is listed and came into use since is seen to be in use.
  const kept = await readKept(leftovers);
  const containers = await engine.listContainers();
  const running = containers.flatMap(({ labels }) => labels[LABELS.build] ?? []);
  const withContainers = containers.map(({ program }) => program);
  const refs = () =>
    referencesNow(parts, withContainers, [...running, ...parts.building(), ...way.inUse()], kept);
  await holdNamed(parts, listed);
  const found = await parts.unusedSince(listed, refs());
  const removals = collectable(refs(), found, parts.now(), limits);
  for (const removal of removals) {
    if (isClosed()) return 'done';
    if (isInTheWay()) return 'in the way';
    if (isPaused(registry, removal.item)) continue;
    if (!removal.recordOnly && isReferenced(refs(), removal.item)) continue;
    await removeOne(parts, removal);
  }
  tellOfLimit(parts, found, removals);
  return 'done';
}

/** Nothing goes while the host is paused, and nothing under the name of a program that is. */
function isPaused({ pauses }: Registry, item: Found): boolean {
  return pauses.of('name' in item ? item.name : '') !== undefined;
}

/**
 * Holds what is needed and is not held yet: an older host made the container, or somebody took the tag away. Of the
 * past, what is in the ledgers: older revisions were held when they were made.
 */
async function holdNamed({ registry, engine, troubles }: LookParts, listed: readonly Found[]): Promise<void> {
  const known = new Set(listed.flatMap((item) => ('id' in item ? item.id : [])));
  const memories = registry.status.names().flatMap((name) => registry.status.get(name)?.memory ?? []);
  for (const id of new Set(memories.flatMap(namedImages))) {
    if (known.has(id)) continue;
    const what = `image ${id} can not be held`;
    try {
      await engine.holdImage(id);
      troubles.isOver(what);
    } catch (error) {
      if (isEngineAway(error)) throw error;
      troubles.tell(what, { error: messageOf(error) });
    }
  }
}

async function removeOne(parts: LookParts, { item, recordOnly, why }: Removal): Promise<void> {
  const { leftovers, log, metrics, troubles, way } = parts;
  const what = `${item.key} can not be removed`;
  const work = recordOnly ? leftovers.remove(item.key).then(() => true) : remove(parts, item);
  const ended = work.then(
    (isGone) => {
      troubles.isOver(what);
      if (!isGone) return;
      const fields = { kind: recordOnly ? 'record' : item.kind, what: item.key, bytes: item.bytes, why };
      log.info(fields, 'collected');
      metrics.host.collected(fields.kind, recordOnly ? 0 : (item.bytes ?? 0));
    },
    (error: unknown) => {
      if (isEngineAway(error)) throw error;
      troubles.tell(what, { error: messageOf(error) });
    },
  );
  await way.removal('buildId' in item ? item.buildId : '', ended);
}

function tellOfLimit(
  { limits, troubles }: LookParts,
  found: readonly Found[],
  removals: readonly Removal[],
): void {
  if (limits.diskBytes === undefined) return;
  const gone = removals.map(({ item }) => item);
  const bytes = countedBytes(found) - countedBytes(gone);
  const what = 'the disk limit is exceeded by what is in use';
  if (bytes > limits.diskBytes) troubles.tell(what, { bytes, limit: limits.diskBytes });
  else troubles.isOver(what);
}

function referencesNow(
  { registry, filling }: Pick<LookParts, 'registry' | 'filling'>,
  withContainers: readonly string[],
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
    ...{ hashes, withContainers, revisions, filling: filling() },
  });
}

async function readKept(leftovers: Leftovers): Promise<Map<string, Kept>> {
  const texts = await leftovers.revisionTexts();
  return new Map([...texts].map(([name, all]) => [name, keptIn(all.join('\n'))]));
}
