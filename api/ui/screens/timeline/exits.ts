import type { LogRun } from '../../../../schemas/log-line.ts';
import type { LastExitBody } from '../../../routes/view.ts';
import type { EventBody } from '../../words/event-body.ts';
import { msOf } from '../../words/span.ts';

/** How a run ended by itself. */
export interface Exit {
  at: number;
  /** `exit code 2`, `out of memory`. */
  what: string;
  isGood: boolean;
  /** Of the run; undefined where it is not known. */
  from: number | undefined;
}

/** An event of an exit of which the start is not known comes within this of it, in milliseconds. */
const SAME_MS = 3_000;

/**
 * The exits that are known: of the runs that the host remembers, and, before those, of events. One that was asked for
 * is none.
 */
export function exitsOf(
  events: readonly EventBody[],
  runs: readonly LogRun[],
  last: LastExitBody | null,
): Exit[] {
  const known = runs.flatMap((run, at): Exit[] => {
    const finished = msOf(run.finished);
    // Of all that ended by themselves the newest is told with the program; what ended later was stopped.
    const isAsked = at === runs.length - 1 && run.finished !== last?.finished_at;
    if (finished === undefined || isAsked) return [];
    return [{ at: finished, what: run.exit, isGood: run.exit_code === 0, from: msOf(run.started) }];
  });
  const lastAt = msOf(last?.finished_at);
  if (last !== null && lastAt !== undefined && !known.some(({ at }) => at === lastAt))
    known.push({ at: lastAt, what: last.message, isGood: last.code === 0, from: undefined });
  // From the first run that is known on all are, and an event may come some time behind its exit.
  const fromRuns = Math.min(...known.map(({ at, from = at - SAME_MS }) => from));
  const told = exitsIn(events).filter(({ at }) => at < fromRuns);
  return [...known, ...told].sort((a, b) => a.at - b.at);
}

/**
 * What events tell: `CrashLoopBackOff` comes with the exit, and `Restarted` tells of one that was not waited after.
 */
function exitsIn(events: readonly EventBody[]): Exit[] {
  const exits: Exit[] = [];
  let count = '';
  let isTold = false;
  for (const { reason, message, time } of events) {
    const at = msOf(time);
    if (at === undefined) continue;
    const told = (what: string) => exits.push({ at, what, isGood: isZero(what), from: undefined });
    if (reason === 'CrashLoopBackOff') {
      const [, times = '', what = ''] = /^exited (\d+) times in a row(?: \(([^)]*)\))?/.exec(message) ?? [];
      // The same one again, with another wait.
      if (times === '' || times === count) continue;
      [count, isTold] = [times, true];
      told(what || 'exit');
    } else if (reason === 'Restarted') {
      const what = / after (.+)$/.exec(message)?.[1] ?? 'exit';
      if (!isTold) told(what);
      isTold = false;
    } else if (reason === 'Completed') told(/ended with (exit code \d+)/.exec(message)?.[1] ?? 'exit code 0');
  }
  return exits;
}

const isZero = (what: string) => what === 'exit code 0';
