import { setCondition } from '../../schemas/conditions.ts';
import { isUpState, type ProgramState } from '../../schemas/program.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { Asked } from '../../schemas/wanted.ts';

/**
 * What is shown of a status that the loop has not caught up with: it must not say of an older run, or of an older
 * host's look, what people take for the answer to what they just asked for. Pure.
 * @param asked what the manifest wants now; undefined where that is not known
 * @param isObserved whether this host has looked at the program
 */
export function shownStatus(
  status: ProgramStatus,
  asked: Asked | undefined,
  isObserved: boolean,
  nowMs: number,
): ProgramStatus {
  const state = stateSince(status, asked);
  if (state !== undefined) {
    const message = `${state === 'Stopping' ? 'its container is stopped' : 'it is started'}, as was asked for`;
    return shownAs(status, state, { status: 'False', reason: 'NotRunning', message }, nowMs);
  }
  if (isObserved || status.state !== 'Ready') return status;
  const message = 'it was when the host last ran, and has not been looked at since';
  return shownAs(status, 'Running', { status: 'Unknown', reason: 'NotYetObserved', message }, nowMs);
}

/** The state that a stop, a start or a restart brings; undefined where none is waiting to be taken up. */
function stateSince({ state, memory }: ProgramStatus, asked: Asked | undefined): ProgramState | undefined {
  const { inForce, restartedAtSeen } = memory.program;
  if (asked === undefined || inForce === undefined) return undefined;
  const isUp = isUpState(state) || state === 'Starting';
  const wasStopped = inForce.spec.desiredState === 'Stopped';
  if (asked.desiredState === 'Stopped') {
    const rests = state === 'Created' || state === 'Stopped' || state === 'Stopping';
    return wasStopped || rests ? undefined : 'Stopping';
  }
  if (!wasStopped && (asked.restartedAt ?? '') === restartedAtSeen) return undefined;
  return isUp || state === 'Stopping' ? 'Stopping' : 'Building';
}

function shownAs(
  status: ProgramStatus,
  state: ProgramState,
  ready: { status: 'False' | 'Unknown'; reason: string; message: string },
  nowMs: number,
): ProgramStatus {
  const conditions = setCondition(status.conditions, { type: 'Ready', ...ready }, nowMs);
  const isKept = state === 'Running';
  return { ...status, state, conditions, ...(!isKept && { reason: '', errorMsg: '' }) };
}
