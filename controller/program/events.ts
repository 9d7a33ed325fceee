import type { ConditionType, EventType } from '../../schemas/program.ts';
import type { ProgramStatus } from '../../schemas/status.ts';

export interface EventDraft {
  type: EventType;
  reason: string;
  message: string;
}

const STATE_MESSAGES: Partial<Record<ProgramStatus['state'], string>> = {
  Building: 'its image is being made',
  Built: 'its image is there',
  Starting: 'its container is being started',
  Running: 'its container runs',
  Ready: 'it answers its readiness probe',
  Stopped: 'it is stopped',
};

/** Whether a commit brought what is wanted now: another spec, or other sources. */
export function isCommitted(before: ProgramStatus, after: ProgramStatus): boolean {
  return after.observedRevision !== '' && (isOtherSpec(before, after) || isOtherBuild(before, after));
}

function isOtherSpec(before: ProgramStatus, after: ProgramStatus): boolean {
  return after.observedGeneration !== before.observedGeneration;
}

function isOtherBuild(before: ProgramStatus, after: ProgramStatus): boolean {
  const { lastBuild } = before.memory.program;
  const isOtherCommit = after.observedRevision !== before.observedRevision;
  return isOtherCommit && lastBuild !== '' && after.memory.program.lastBuild !== lastBuild;
}

/**
 * What people should be told when the status goes from one to the other. Pure.
 * @param commit that brought it, where `isCommitted`
 */
export function eventsBetween(before: ProgramStatus, after: ProgramStatus, commit = ''): EventDraft[] {
  const events: EventDraft[] = [];
  if (commit !== '' && isOtherSpec(before, after)) {
    const message = `generation ${after.observedGeneration} of its spec is that of commit ${commit}`;
    events.push({ type: 'Normal', reason: 'ManifestChanged', message });
  }
  if (commit !== '' && isOtherBuild(before, after)) {
    const message = `${after.memory.program.lastBuild} is made of its sources in commit ${commit}`;
    events.push({ type: 'Normal', reason: 'SourcesChanged', message });
  }
  const isNews =
    after.reason !== before.reason ||
    after.errorMsg !== before.errorMsg ||
    (after.state === 'Error' && before.state !== 'Error');
  if (after.reason !== '' && isNews) {
    const type = after.reason === 'Building' || after.reason === 'Completed' ? 'Normal' : 'Warning';
    const message = after.errorMsg || conditionOf(after, 'Progressing');
    events.push({ type, reason: after.reason, message });
  }
  if (after.state !== before.state && after.state !== 'Error') {
    events.push({
      type: isStartedByHand(before, after) ? 'Warning' : 'Normal',
      reason: after.state,
      message: STATE_MESSAGES[after.state] ?? conditionOf(after, 'Progressing'),
    });
  }
  const lost =
    before.state === 'Ready' && after.state === 'Running' && before.containerId === after.containerId;
  if (lost)
    events.push({
      type: 'Warning',
      reason: 'Unready',
      message: conditionOf(after, 'Ready') || 'its readiness probe fails',
    });
  return events;
}

function conditionOf({ conditions }: ProgramStatus, wanted: ConditionType): string {
  return conditions.find(({ type }) => type === wanted)?.message ?? '';
}

/** What should rest was started by somebody. */
function isStartedByHand(before: ProgramStatus, { state, memory }: ProgramStatus): boolean {
  return state === 'Stopping' && before.state === 'Stopped' && memory.program.deletion === undefined;
}
