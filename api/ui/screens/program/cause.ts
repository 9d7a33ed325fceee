import type { RevisionView } from '../../../program-answers.ts';
import type { ProgramBody } from '../../../routes/view.ts';
import type { EventBody } from '../../words/event-body.ts';
import { reasonOf } from '../../words/kind.ts';
import { msOf } from '../../words/span.ts';
import { type Change, changesOf } from '../timeline/changes.ts';
import { specChanges } from './spec-changes.ts';

/** What was changed before something went wrong, as far as it is known. */
export interface Cause {
  /** What it began with; undefined where no revision is that new. */
  revision: RevisionView | undefined;
  /** Whether it is the oldest that is kept. */
  isFirst: boolean;
  /** The one before it that was ready. */
  good: RevisionView | undefined;
  /** How they differ. */
  changed: readonly string[];
  /** The one that is wanted, where it is no news. */
  steady: RevisionView | undefined;
  /** The one that is wanted, where those before it were never ready either. */
  never: RevisionView | undefined;
  /** What was asked for in the hour before, the newest last. */
  changes: readonly Change[];
}

/** A revision is taken for what it began with where it is so new, in milliseconds. */
const NEW_MS = 15 * 60_000;
const BEFORE_MS = 60 * 60_000;
/** A condition is written some moments before or behind what it is about. */
const SAME_MS = 5_000;
const CHANGES_MAX = 4;

/** Where the host is at fault, and nothing that was done to the program. */
const OF_HOST = new Set([
  'EngineUnavailable',
  'RegistryUnavailable',
  'PortsExhausted',
  'InternalError',
  'DiskFull',
]);
/** What is wrong has become no revision yet. */
const OF_NO_REVISION = new Set([
  'ManifestMissing',
  'InvalidManifest',
  'BuildFailed',
  'ImageNotFound',
  'ImageRefused',
]);
/** What changes that which a revision is made of. */
const OF_MAKING = new Set([
  ...['ManifestChanged', 'SourcesChanged', 'ManifestReplaced', 'SourcesReplaced', 'RollbackRequested'],
  ...['PullRequested', 'Pulled', 'ImageChanged'],
]);

const NO_REVISION = {
  ...{ revision: undefined, isFirst: false, good: undefined, changed: [], steady: undefined },
  never: undefined,
};

/** Undefined where there is nothing to say. Pure. */
export function causeOf(
  p: ProgramBody,
  revisions: readonly RevisionView[],
  events: readonly EventBody[],
  sinceMs: number | undefined,
): Cause | undefined {
  const wanted = revisions.find(({ revision }) => revision === (p.wanted_revision || p.revision));
  const reason = reasonOf(p);
  if (OF_HOST.has(reason)) return undefined;
  const isOfNone = OF_NO_REVISION.has(reason);
  // Before the first revision there is nothing that it was changed from.
  if (isOfNone && revisions.length === 0) return undefined;
  const asked = isOfNone ? events.filter((event) => OF_MAKING.has(event.reason)) : events;
  const changes = sinceMs === undefined ? [] : changesBefore(asked, sinceMs);
  if (isOfNone || wanted === undefined) {
    return changes.length === 0 ? undefined : { ...NO_REVISION, changes };
  }
  const created = msOf(wanted.created_at);
  const ageMs = created === undefined || sinceMs === undefined ? undefined : sinceMs - created;
  const isNew = ageMs !== undefined && ageMs > -SAME_MS && ageMs < NEW_MS;
  if (wanted.outcome === 'Ready' && !isNew) return { ...NO_REVISION, steady: wanted, changes };
  const good = revisions.findLast(
    ({ revision, outcome }) => revision < wanted.revision && outcome === 'Ready',
  );
  // One that never ran was not well, and not ill either.
  const wasIll = revisions.some(
    ({ revision, outcome }) => revision < wanted.revision && outcome !== 'Superseded',
  );
  if (good === undefined && wasIll) return { ...NO_REVISION, never: wanted, changes };
  const changed = good === undefined ? [] : specChanges(good, wanted);
  const isFirst = revisions[0] === wanted;
  return { revision: wanted, isFirst, good, changed, steady: undefined, never: undefined, changes };
}

function changesBefore(events: readonly EventBody[], sinceMs: number): Change[] {
  return changesOf(events, [])
    .filter(({ at }) => at <= sinceMs + SAME_MS && at > sinceMs - BEFORE_MS)
    .slice(-CHANGES_MAX);
}
