import type { LogRun } from '../../../../schemas/log-line.ts';
import type { RevisionView } from '../../../program-answers.ts';
import type { ProgramBody } from '../../../routes/view.ts';
import type { EventBody } from '../../words/event-body.ts';
import { type Role, roleOf } from '../../words/kind.ts';
import { msOf } from '../../words/span.ts';
import { type Change, changesOf } from './changes.ts';
import { type Exit, exitsOf } from './exits.ts';

/** A while in which something was the same; epoch milliseconds. */
export interface While {
  from: number;
  to: number;
}

export interface StateWhile extends While {
  state: string;
  role: Role;
}

export interface RevisionWhile extends While {
  revision: number;
  /** `""` for none, or where it is not kept. */
  commit: string;
  isNow: boolean;
}

/** `waits`: it runs, and was not ready yet in this run. */
export interface ProbeWhile extends While {
  probe: 'answers' | 'fails' | 'waits';
}

/** What is known of a program's past, lane by lane. Nothing in it is guessed: before `knownFrom` nothing is told. */
export interface Story {
  /** The oldest event that is kept; undefined where there is none. */
  knownFrom: number | undefined;
  /** When nobody looked, since no host ran: how it stood then is not known. */
  unwatched: readonly While[];
  states: readonly StateWhile[];
  revisions: readonly RevisionWhile[];
  /** Revisions that failed, when they began. */
  failed: readonly { at: number; revision: number; message: string }[];
  probes: readonly ProbeWhile[];
  exits: readonly Exit[];
  changes: readonly Change[];
}

export interface Known {
  p: ProgramBody;
  /** Oldest first, as all of these. */
  events: readonly EventBody[];
  revisions: readonly RevisionView[];
  runs: readonly LogRun[];
  unwatched?: readonly While[];
}

/** The story of a program as lanes of one time. Pure. */
export function storyOf({ p, events, revisions, runs, unwatched = [] }: Known, nowMs: number): Story {
  const points = pointsOf(events, p);
  const states = watched(
    whiles(points, nowMs, ({ state, isBad }) => `${state} ${isBad}`),
    unwatched,
  );
  const knownFrom = points[0]?.at;
  return {
    knownFrom,
    unwatched: unwatched.filter(({ to }) => knownFrom !== undefined && to > knownFrom),
    states: states.map(({ from, to, state, isBad }) => ({
      ...{ from, to, state },
      role: isBad ? 'bad' : roleOf(state),
    })),
    revisions: whiles(points, nowMs, ({ revision }) => String(revision))
      .filter(({ revision }) => revision > 0)
      .map(({ from, to, revision }) => ({
        ...{ from, to, revision },
        commit: revisions.find((one) => one.revision === revision)?.commit ?? '',
        isNow: to === nowMs,
      })),
    failed: revisions
      .filter(({ outcome, current }) => outcome === 'Failed' && !current)
      .flatMap(({ revision, message, created_at }) => {
        const at = msOf(created_at);
        return at === undefined ? [] : [{ at, revision, message }];
      }),
    probes: states.flatMap(({ from, to, state, isBad }): ProbeWhile[] => {
      if (state === 'Ready') return [{ from, to, probe: 'answers' }];
      return state === 'Running' ? [{ from, to, probe: isBad ? 'fails' : 'waits' }] : [];
    }),
    exits: exitsOf(events, runs, p.last_exit),
    changes: changesOf(events, revisions),
  };
}

interface Point {
  at: number;
  state: string;
  revision: number;
  /** It runs, and does not answer though it should. */
  isBad: boolean;
}

const UNANSWERED = new Set(['Unready', 'ProgressDeadlineExceeded']);

/** How it stood behind each event, and how it stands. */
function pointsOf(events: readonly EventBody[], p: ProgramBody): Point[] {
  const points: Point[] = [];
  for (const { time, state, reason, revision } of events) {
    const at = msOf(time);
    if (at === undefined) continue;
    const before = points.at(-1);
    const isOn = before?.state === state && before.isBad;
    const isBad = state === 'Running' && (isOn || UNANSWERED.has(reason));
    // The event of a state that goes before that of its reason, or behind it, is of the same moment.
    if (before !== undefined && isBad && before.state === state && at - before.at < 50) before.isBad = true;
    points.push({ at, state, revision, isBad });
  }
  const last = points.at(-1);
  const updated = msOf(p.updated_at);
  if (last !== undefined && updated !== undefined && updated > last.at && p.state !== last.state)
    points.push({ at: updated, state: p.state, revision: p.revision, isBad: false });
  return points;
}

/** Neighbours that are the same are one; each lasts until the next. */
function whiles(points: readonly Point[], nowMs: number, keyOf: (point: Point) => string) {
  const found: (Point & While)[] = [];
  for (const point of points) {
    const before = found.at(-1);
    if (before !== undefined && keyOf(before) === keyOf(point)) continue;
    if (before !== undefined) before.to = point.at;
    found.push({ ...point, from: point.at, to: nowMs });
  }
  for (const one of found) one.to = Math.max(one.to, one.from);
  return found;
}

/** Without the time in which nobody looked. */
function watched<T extends While>(all: readonly T[], gaps: readonly While[]): T[] {
  let left = [...all];
  for (const gap of gaps)
    left = left.flatMap((one) => {
      if (gap.to <= one.from || gap.from >= one.to) return [one];
      const parts = [
        { ...one, to: gap.from },
        { ...one, from: gap.to },
      ];
      return parts.filter(({ from, to }) => from < to);
    });
  return left;
}
