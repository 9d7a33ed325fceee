import type { ProgramDetails, ProgramView } from '../../api/program-answers.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Clock } from '../../schemas/clock.ts';
import { AppError } from '../../schemas/errors.ts';
import { isUpState } from '../../schemas/program.ts';
import { emptyStatus, type ProgramStatus, restartsInHour } from '../../schemas/status.ts';
import type { Asked, ManifestEntry } from '../../schemas/wanted.ts';
import type { Observed } from '../loop/observed.ts';
import { createFewerRestarts } from './fewer-restarts.ts';
import { programDetails } from './program-details.ts';
import { createRevisionCommits } from './revision-commits.ts';
import { shownStatus } from './shown-status.ts';

/** Each program as manifest and status together show it; made anew when one of them changes. */
export interface ProgramViews {
  /** Undefined for one that is not there, or is on its way out. */
  get(name: string): ProgramView | undefined;
  /** Throws `NotFound`. */
  mustGet(name: string): ProgramView;
  /** Sorted by name. */
  list(): readonly ProgramView[];
  /** Changes whenever any view does. */
  version(): number;
  /** Calls whenever the view of that program changes, until what it gives is called. */
  onChange(name: string, listener: () => void): () => void;
  /** The same for any program. */
  onAnyChange(listener: (name: string) => void): () => void;
}

export function createProgramViews(
  registry: Registry,
  clock: Clock,
  observed: Pick<Observed, 'has' | 'subscribe'>,
): ProgramViews {
  const views = new Map<string, ProgramView>();
  const listeners = new Map<string, Set<() => void>>();
  const anyListeners = new Set<(name: string) => void>();
  let version = 0;
  let sorted: { version: number; list: ProgramView[] } = { version: -1, list: [] };

  const invalidate = (name: string) => {
    views.delete(name);
    version++;
    for (const listener of listeners.get(name) ?? []) listener();
    for (const listener of anyListeners) listener(name);
  };
  const commits = createRevisionCommits(registry.revisions, invalidate);
  const fewer = createFewerRestarts(clock, invalidate);
  registry.subscribe(({ names }) => {
    for (const name of names) invalidate(name);
  });
  registry.status.subscribe(invalidate);
  observed.subscribe(invalidate);

  function get(name: string): ProgramView | undefined {
    const known = views.get(name);
    if (known !== undefined) return known;
    const entry = registry.get(name);
    const status = registry.status.get(name);
    if (entry === undefined && (status === undefined || registry.wanted(name).kind === 'gone')) {
      commits.forget(name);
      return undefined;
    }
    const nowMs = clock.now();
    const written = status ?? emptyStatus(name, nowMs);
    const paused = registry.pauses.of(name);
    const shown = shownStatus(written, paused ? undefined : askedBy(entry), observed.has(name), nowMs);
    const { count, untilMs } = restartsInHour(shown, nowMs);
    if (untilMs !== undefined) fewer.at(name, untilMs);
    // Where there is no git there is no commit to look for.
    const commitOf = (revision: number) => (shown.observedRevision === '' ? '' : commits.of(name, revision));
    const details = programDetails(shown, commitOf, count, nowMs, paused);
    const view = viewOf(name, entry, shown, details, isUpState(written.state));
    views.set(name, view);
    return view;
  }

  return {
    get,
    version: () => version,
    onAnyChange(listener) {
      anyListeners.add(listener);
      return () => void anyListeners.delete(listener);
    },
    onChange(name, listener) {
      const own = listeners.get(name) ?? new Set();
      listeners.set(name, own.add(listener));
      return () => {
        own.delete(listener);
        if (own.size === 0 && listeners.get(name) === own) listeners.delete(name);
      };
    },
    mustGet(name) {
      const view = get(name);
      if (view === undefined) throw new AppError('NotFound', `program ${name} not found`);
      return view;
    },
    list() {
      if (sorted.version !== version) {
        const names = [...registry.list().map(({ name }) => name), ...registry.missing()].sort();
        sorted = { version, list: names.flatMap((name) => get(name) ?? []) };
      }
      return sorted.list;
    },
  };
}

/** What a manifest asks for, also one that is not valid but was changed by a call since. */
function askedBy(entry: ManifestEntry | undefined): Asked | undefined {
  if (entry === undefined) return undefined;
  return entry.program?.rawSpec ?? entry.asked;
}

/** Where one of them says nothing, the other counts. What was given away is not yet the other's while its data stands. */
function ownerOf(known: string, asked: string): string | undefined {
  if (known !== '' && asked !== '' && known !== asked) return undefined;
  return known || asked || undefined;
}

function viewOf(
  name: string,
  entry: ManifestEntry | undefined,
  status: ProgramStatus,
  details: ProgramDetails,
  isUp: boolean,
): ProgramView {
  const written = entry?.program?.rawSpec;
  const asked = String(written?.userId ?? '');
  const userId = status.userId || asked;
  const wanted =
    written === undefined ? status.memory.program.inForce?.spec.desiredState : written.desiredState;
  return {
    name,
    owner: ownerOf(status.userId, asked),
    desiredState: wanted === 'Stopped' ? 'Stopped' : 'Running',
    finished: status.reason === 'Completed',
    status: { ...status, userId },
    ...{ details, isUp },
    problems: entry?.problems ?? [],
  };
}
