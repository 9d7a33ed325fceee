import { pullError } from '../../schemas/memory.ts';
import type { ConditionType, EventType, ProgramEvent } from '../../schemas/program.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import { oomNews } from './out-of-memory.ts';
import { portLossNews } from './port-loss.ts';
import { stateNews } from './state.ts';

export type EventDraft = Pick<ProgramEvent, 'type' | 'reason' | 'message' | 'author'>;

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
 * @param change the commit that brought it, and whose it is, where `isCommitted`
 */
export function eventsBetween(
  before: ProgramStatus,
  after: ProgramStatus,
  { commit, author } = { commit: '', author: '' },
): EventDraft[] {
  const { state, reason, errorMsg, memory } = after;
  const events: EventDraft[] = [];
  const tell = (type: EventType, what: string, message: string) =>
    events.push({ type, reason: what, message });
  const about = (wanted: ConditionType) =>
    after.conditions.find(({ type }) => type === wanted)?.message ?? '';
  const generation = `generation ${after.observedGeneration} of its spec is that of commit ${commit}`;
  const by = author === '' ? {} : { author };
  const bring = (what: string, message: string) =>
    events.push({ type: 'Normal', reason: what, message, ...by });
  if (commit !== '' && isOtherSpec(before, after)) bring('ManifestChanged', generation);
  const sources = `${memory.program.lastBuild} is made of its sources in commit ${commit}`;
  if (commit !== '' && isOtherBuild(before, after)) bring('SourcesChanged', sources);
  const isFirstError = state === 'Error' && before.state !== 'Error';
  const isNews = reason !== before.reason || errorMsg !== before.errorMsg || isFirstError;
  const isNormal = ['Building', 'Completed', 'Paused'].includes(reason);
  if (reason !== '' && isNews)
    tell(isNormal ? 'Normal' : 'Warning', reason, errorMsg || about('Progressing'));
  // What should rest was started by somebody.
  const isByHand =
    state === 'Stopping' && before.state === 'Stopped' && memory.program.deletion === undefined;
  if (state !== before.state && state !== 'Error')
    tell(isByHand ? 'Warning' : 'Normal', state, STATE_MESSAGES[state] ?? about('Progressing'));
  for (const news of oomNews(before.memory, memory)) tell('Warning', 'OutOfMemory', news);
  const lost = portLossNews(before.memory, memory, before.publishPort);
  if (lost !== '') tell('Warning', 'PortLost', lost);
  const notTaken = stateNews(before.memory, memory);
  if (notTaken !== '') tell('Warning', 'StateNotTaken', notTaken);
  const { failedImage, rollout } = memory;
  const why = pullError(rollout);
  // Where there is none to go on with, that is what the status says.
  if (why !== '' && why !== pullError(before.memory.rollout) && failedImage === undefined)
    tell('Warning', 'PullFailed', `${why}; the image that is here is used`);
  const isLost = before.state === 'Ready' && state === 'Running' && before.containerId === after.containerId;
  if (isLost) tell('Warning', 'Unready', about('Ready') || 'its readiness probe fails');
  return events;
}
