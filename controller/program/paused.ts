import { dropCondition, setCondition } from '../../schemas/conditions.ts';
import { type Container, isUp } from '../../schemas/container.ts';
import { describeExit } from '../../schemas/last-exit.ts';
import { describePaused, type Paused } from '../../schemas/pause.ts';
import { type Condition, isUpState } from '../../schemas/program.ts';
import type { Situation } from '../../schemas/situation.ts';
import type { NewCondition, Seen } from './seen.ts';

/** What stands for as long as nothing is done about a program. */
export function pausedCondition(paused: Paused): NewCondition {
  const message = `${describePaused(paused)}; nothing is done about it until it is resumed`;
  return {
    type: 'Paused',
    status: 'True',
    reason: paused.of === 'host' ? 'HostPaused' : 'ProgramPaused',
    message,
  };
}

/** The same among others, or without it. @param nowMs epoch milliseconds */
export function withPausedCondition(
  conditions: readonly Condition[],
  paused: Paused | undefined,
  nowMs: number,
): Condition[] {
  if (paused === undefined) return dropCondition(conditions, 'Paused');
  return setCondition(conditions, pausedCondition(paused), nowMs);
}

/**
 * What people see of a program that is left alone: what is, without a word of what is about to be done, since nothing
 * is. What should run and does not is Stopped, by the wish of whoever paused it; what is known to be wrong stays so.
 */
export function withPause(seen: Seen, situation: Situation, shown: Container | undefined): Seen {
  const { paused, goal, lastExit } = situation;
  if (paused === undefined) return seen;
  const message = pausedCondition(paused).message;
  const progressing = { status: 'False', reason: 'Paused', message } as const;
  if (goal.kind === 'hold' || goal.kind === 'remove') return { ...seen, progressing };
  if (shown !== undefined && isUp(shown)) {
    const state = isUpState(seen.state) ? seen.state : 'Running';
    // What stands in the way of another revision is true; that it is being made is not.
    const said = seen.reason === 'Building' ? { reason: '', message: '' } : {};
    return { ...seen, ...said, state, progressing };
  }
  if (seen.state === 'Error') {
    const later = '; nothing is tried again until it is resumed';
    return { ...seen, message: `${seen.message}${later}`, progressing };
  }
  if (goal.kind === 'stop' || seen.state === 'Stopped') return { ...seen, progressing };
  const how = lastExit === null ? '' : ` (${describeExit(lastExit)})`;
  return {
    ...{ state: 'Stopped', reason: 'Paused', progressing },
    message: `it does not run${how}, and is not started until it is resumed`,
  };
}
