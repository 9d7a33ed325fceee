import type { ConditionType, EventType, ProgramStatus } from '../schemas/program.ts';

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
  Stopping: 'it is being stopped',
  Stopped: 'it is stopped',
};

/** What people should be told when the status goes from one to the other. Pure. */
export function eventsBetween(before: ProgramStatus, after: ProgramStatus): EventDraft[] {
  const events: EventDraft[] = [];
  const { observedRevision: commit, observedGeneration: generation } = after;
  if (commit !== '' && generation !== before.observedGeneration) {
    const message = `generation ${generation} of its spec is that of commit ${commit}`;
    events.push({ type: 'Normal', reason: 'ManifestChanged', message });
  }
  const { lastBuild: build } = after.memory;
  const { lastBuild: buildBefore } = before.memory;
  const isOtherCommit = commit !== '' && commit !== before.observedRevision;
  if (isOtherCommit && build !== buildBefore && buildBefore !== undefined) {
    const message = `${build} is made of its sources in commit ${commit}`;
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
  if (after.state === 'Stopping' && before.state === 'Stopped') {
    const message = 'somebody started its container; it is being stopped';
    events.push({ type: 'Warning', reason: after.state, message });
  } else if (after.state !== before.state && after.state !== 'Error') {
    events.push({ type: 'Normal', reason: after.state, message: STATE_MESSAGES[after.state] ?? '' });
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
