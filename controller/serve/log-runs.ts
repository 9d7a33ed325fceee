import type { StatusStore } from '../../registry/records/status-store.ts';
import { type Container, isUp, revisionOf, runKey, short } from '../../schemas/container.ts';
import { describeExit, type LastExit } from '../../schemas/last-exit.ts';
import type { LogRun } from '../../schemas/log-line.ts';
import { nanosOf } from '../../schemas/log-piece.ts';
import { timestamp } from '../../schemas/program.ts';
import { borderBefore } from './program-run.ts';

/** Ended runs that are remembered of each program: about 300 bytes each. */
const RUNS_MAX = 50;
/** What a run printed last may get its time so long after its end, in milliseconds: pipes are emptied by then. */
const LATE_MS = 1_000;

type Ended = Pick<LastExit, 'run' | 'finishedAt' | 'exitCode'> & { exit: string };

export interface EndedRuns {
  /** Those that ended since this host started, and the last one before; oldest first. */
  of(name: string): readonly Ended[];
  /**
   * When the run before that one ended in the same container, epoch milliseconds: 0 where it was the container's first,
   * undefined where that is not known.
   */
  endBefore(name: string, container: Container, startedAtMs: number): number | undefined;
  close(): void;
}

/**
 * Remembers how runs ended: engines know only the last one of a container, and status only the last one of a program.
 * It is of this process, and what ended before is told as not known.
 * @param sinceMs when this host started, epoch milliseconds
 */
export function rememberRuns(statuses: Pick<StatusStore, 'get' | 'subscribe'>, sinceMs: number): EndedRuns {
  const ended = new Map<string, Ended[]>();
  const note = (name: string): Ended[] => {
    const status = statuses.get(name);
    const known = ended.get(name) ?? [];
    if (status === undefined) {
      ended.delete(name);
      return [];
    }
    const exit = status.lastExit;
    if (exit === null) return known;
    const { run, finishedAt, exitCode } = exit;
    const at = known.findIndex((one) => one.run === run);
    // The newest word on it counts: what ended it may be told later than that it has ended.
    if (at === -1) known.push({ run, finishedAt, exitCode, exit: describeExit(exit) });
    else known[at] = { run, finishedAt, exitCode, exit: describeExit(exit) };
    if (known.length > RUNS_MAX) known.shift();
    ended.set(name, known);
    return known;
  };
  const unsubscribe = statuses.subscribe(note);
  return {
    of: note,
    endBefore(name, container, startedAtMs) {
      const known = note(name);
      const before = known.findLast(({ run }) => {
        const [id, started] = run.split('@');
        return id === container.id && Number(started) < startedAtMs;
      });
      if (before !== undefined) return Date.parse(before.finishedAt) || undefined;
      return container.createdAtMs >= sinceMs && known.length < RUNS_MAX ? 0 : undefined;
    },
    close: unsubscribe,
  };
}

/** The `id` of the run of that `runKey`: its container's 12 digits, and its start. */
export function runIdOf(key: string): string {
  const [id = '', startedAt = ''] = key.split('@');
  return `${short(id)}@${startedAt}`;
}

/**
 * The runs that are known, oldest first. Pure.
 * @param container the program's, as the engine has it; undefined where there is none
 * @param last how the last run ended, with what was kept of its output
 */
export function runsOf(
  container: Container | undefined,
  ended: readonly Ended[],
  last: LastExit | null,
): LogRun[] {
  const runs = new Map<string, LogRun>();
  for (const { run, finishedAt, exitCode, exit } of ended) {
    const [containerId = '', startedAtMs = ''] = run.split('@');
    const isHere = containerId === container?.id;
    runs.set(run, {
      id: runIdOf(run),
      container_id: containerId,
      // All runs of a container are of one revision, which its label tells.
      revision: isHere && container !== undefined ? revisionOf(container) || null : null,
      ...{ started: timestamp(Number(startedAtMs) || 0), finished: finishedAt || null },
      ...{ exit_code: exitCode, exit },
      kept: !isHere && run === last?.run ? last.logTail : null,
    });
  }
  if (container !== undefined && container.startedAtMs > 0) {
    const key = runKey(container);
    const known = runs.get(key);
    if (known === undefined || isUp(container)) runs.set(key, newestOf(container));
  }
  return [...runs.values()].sort((a, b) => (a.started < b.started ? -1 : a.started > b.started ? 1 : 0));
}

/** Of a container the engine knows its last run. */
function newestOf(container: Container): LogRun {
  const { id, startedAtMs, finishedAtMs, exitCode } = container;
  const isOver = !isUp(container) && finishedAtMs >= startedAtMs;
  return {
    id: runIdOf(runKey(container)),
    container_id: id,
    revision: revisionOf(container) || null,
    started: timestamp(startedAtMs),
    finished: isOver ? timestamp(finishedAtMs) : null,
    exit_code: isOver ? exitCode : null,
    exit: isOver ? `exit code ${exitCode}` : '',
    kept: null,
  };
}

export type RunAt = (time: string) => string | null;

/**
 * Tells in which run a line of that container was printed: null where that is none that is known. Pure.
 * @param runs oldest first
 */
export function createRunAt(runs: readonly LogRun[], containerId: string): RunAt {
  const spans = runs
    .filter((run) => run.container_id === containerId)
    .map(({ id, started, finished }) => ({
      id,
      startMs: Date.parse(started),
      endMs: finished === null ? undefined : Date.parse(finished),
    }));
  const borders = spans.map(({ startMs }, at) => borderBefore(startMs, spans[at - 1]?.endMs));
  return (time) => {
    const ms = Number((nanosOf(time) ?? 0n) / 1_000n) / 1_000;
    const at = borders.findLastIndex((border) => border <= ms);
    const span = spans[at];
    if (span === undefined) return null;
    // Later than its end and before the next that is known: a run of which nothing is known.
    return span.endMs !== undefined && ms > span.endMs + LATE_MS ? null : span.id;
  };
}
