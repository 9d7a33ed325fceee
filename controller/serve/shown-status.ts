import { setCondition } from '../../schemas/conditions.ts';
import type { Condition } from '../../schemas/program.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { Asked } from '../../schemas/wanted.ts';
import { stateAskedFor } from '../program/asked-for.ts';

/**
 * What is shown of a status that the loop has not caught up with: it must not say of an older run, or of an older
 * host's look, what people take for the answer to what they just asked for. Pure.
 * @param asked what the manifest wants now; undefined where that is not known, or nothing is done about it
 * @param isObserved whether this host has looked at the program
 * @param nowMs epoch milliseconds
 */
export function shownStatus(
  status: ProgramStatus,
  asked: Asked | undefined,
  isObserved: boolean,
  nowMs: number,
): ProgramStatus {
  const state = asked && stateAskedFor(status, asked);
  const withReady = (ready: Pick<Condition, 'status' | 'reason' | 'message'>) =>
    setCondition(status.conditions, { type: 'Ready', ...ready }, nowMs);
  if (state !== undefined) {
    const message = `${state === 'Stopping' ? 'its container is stopped' : 'it is started'}, as was asked for`;
    const conditions = withReady({ status: 'False', reason: 'NotRunning', message });
    return { ...status, state, conditions, reason: '', errorMsg: '', trouble: null };
  }
  if (isObserved || status.state !== 'Ready') return status;
  const message = 'it was when the host last ran, and has not been looked at since';
  const conditions = withReady({ status: 'Unknown', reason: 'NotYetObserved', message });
  return { ...status, state: 'Running', conditions };
}
