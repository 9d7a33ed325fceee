import { dropCondition, setCondition } from '../../schemas/conditions.ts';
import { type Container, revisionOf } from '../../schemas/container.ts';
import { describeProblem, type Problem } from '../../schemas/errors.ts';
import { type Condition, LABELS, proxyUrl, timestamp } from '../../schemas/program.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { Action } from './action.ts';
import { type Seen, seenOf } from './seen.ts';
import { type Situation, specOf } from './situation.ts';

/** What `status` needs beside the situation. */
export interface StatusContext {
  problems: readonly Problem[];
  generation: number;
  /** Of the git commit, or `""`. */
  commit: string;
  /** Why what is wanted is not fetched from where it is kept; undefined where it is, or is kept here. */
  remote: { reason: string; message: string } | undefined;
  /** Why the program's manifest is not there while that is not believed, or `""`. */
  missing: string;
}

/** What people see, from the situation and what is about to be done about it. Pure. */
export function status(
  before: ProgramStatus,
  situation: Situation,
  actions: readonly Action[],
  context: StatusContext,
): ProgramStatus {
  const { nowMs, image, shownPort, lastExit, memory } = situation;
  const seen = withManifest(seenOf(situation, actions, before), situation, before, context);
  const { state, reason, shown } = seen;
  const hasRun = shown !== undefined && shown.startedAtMs > 0;
  const startedAt = hasRun ? timestamp(shown.startedAtMs) : before.startedAt;
  const isSameRun = (shown?.id ?? '') === before.containerId && startedAt === before.startedAt;
  const isReadyAnew = state === 'Ready' && !(isSameRun && before.state === 'Ready');
  const next: ProgramStatus = {
    ...before,
    ...{ state, reason, errorMsg: seen.message, lastExit, startedAt, memory },
    observedGeneration: context.generation,
    observedRevision: context.commit,
    currentRevision: (shown !== undefined && revisionOf(shown)) || before.currentRevision,
    conditions: conditions(before, situation, seen, context),
    userId: specOf(situation.goal)?.userId ?? before.userId,
    buildId: buildIdOf(before, situation, shown),
    imageId: shown?.imageId ?? (image.kind === 'present' ? image.id : before.imageId),
    containerId: shown?.id ?? '',
    publishPort: shownPort,
    proxyUrl: proxyUrl(shownPort),
    readyAt: isReadyAnew ? timestamp(nowMs) : isSameRun ? before.readyAt : '',
  };
  const moves = ['state', 'reason', 'buildId', 'imageId', 'containerId'] as const;
  return moves.some((key) => next[key] !== before[key]) ? { ...next, updatedAt: timestamp(nowMs) } : next;
}

/** The same, when the engine does not answer: the last known state stays, and a condition says why. */
export function statusWithoutEngine(before: ProgramStatus, message: string, nowMs: number): ProgramStatus {
  const reason = 'EngineUnavailable';
  const condition = { type: reason, status: 'True', reason, message } as const;
  return { ...before, conditions: setCondition(before.conditions, condition, nowMs) };
}

/** A broken manifest is told beside what serves; where nothing valid was ever known it is the state. */
function withManifest(
  seen: Seen,
  { goal }: Situation,
  before: ProgramStatus,
  { problems, missing }: StatusContext,
): Seen {
  const [problem] = problems;
  if (seen.reason !== '') return seen;
  // Where nothing valid was known and now the manifest is missing too, what was wrong with it stays told.
  const isLost = missing !== '' && goal.kind === 'hold' && before.reason !== '';
  if (isLost) return { ...seen, reason: before.reason, message: before.errorMsg };
  if (problem === undefined) return seen;
  const told = { ...seen, reason: 'InvalidManifest', message: describeProblem(problem) };
  return goal.kind === 'hold' && seen.shown === undefined ? { ...told, state: 'Error' } : told;
}

function buildIdOf(before: ProgramStatus, situation: Situation, shown: Container | undefined): string {
  const hash = shown?.labels[LABELS.build];
  if (hash !== undefined) return hash === '' ? '' : `build-${hash.slice(0, 12)}`;
  return situation.imageKey === '' ? before.buildId : situation.buildId;
}

function conditions(
  before: ProgramStatus,
  { nowMs, probes }: Situation,
  { state, shown, progressing }: Seen,
  { problems, missing, remote }: StatusContext,
): Condition[] {
  const probe = shown === undefined ? '' : (probes.get(shown.id)?.message ?? '');
  const why = state === 'Running' ? 'ProbeFailed' : 'NotRunning';
  const list: Omit<Condition, 'lastTransitionTime'>[] = [
    state === 'Ready'
      ? { type: 'Ready', status: 'True', reason: 'ProbeSucceeded', message: '' }
      : { type: 'Ready', status: 'False', reason: why, message: probe },
    { type: 'Progressing', ...progressing },
    { type: 'Valid', ...validity(problems[0], missing) },
    ...(remote === undefined ? [] : [{ type: 'RemoteUnavailable', status: 'True', ...remote } as const]),
  ];
  const known = dropCondition(before.conditions, 'EngineUnavailable');
  const kept = remote === undefined ? dropCondition(known, 'RemoteUnavailable') : known;
  return list.reduce((all, condition) => setCondition(all, condition, nowMs), kept);
}

function validity(
  problem: Problem | undefined,
  missing: string,
): Omit<Condition, 'lastTransitionTime' | 'type'> {
  if (problem !== undefined)
    return { status: 'False', reason: 'InvalidManifest', message: describeProblem(problem) };
  if (missing !== '') return { status: 'Unknown', reason: 'ManifestMissing', message: missing };
  return { status: 'True', reason: 'Valid', message: '' };
}
