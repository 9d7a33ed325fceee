import { isUpState, type ProgramState } from '../../schemas/program.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { Asked } from '../../schemas/wanted.ts';

/**
 * The state that a stop, a start or a restart brings which the status has not taken up: nobody is to take what it says
 * of the old run for the answer to what was just asked for. Undefined where there is none.
 */
export function stateAskedFor({ state, memory }: ProgramStatus, asked: Asked): ProgramState | undefined {
  const { inForce, restartedAtSeen } = memory.program;
  if (inForce === undefined) return undefined;
  const wasStopped = inForce.spec.desiredState === 'Stopped';
  if (asked.desiredState === 'Stopped') {
    const rests = state === 'Created' || state === 'Stopped';
    return wasStopped || rests ? undefined : 'Stopping';
  }
  if (!wasStopped && (asked.restartedAt ?? '') === restartedAtSeen) return undefined;
  return isUpState(state) || state === 'Starting' || state === 'Stopping' ? 'Stopping' : 'Building';
}
