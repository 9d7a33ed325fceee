import { dropCondition, setCondition } from '../../schemas/conditions.ts';
import { type Container, hashOf, isUp, revisionOf } from '../../schemas/container.ts';
import { describeProblem, type Problem } from '../../schemas/errors.ts';
import { describeExit } from '../../schemas/last-exit.ts';
import { describeDeletion } from '../../schemas/memory.ts';
import type { Condition, ProgramSpec, ProgramState } from '../../schemas/program.ts';
import { LABELS, proxyUrl, timestamp } from '../../schemas/program.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { Action } from './action.ts';
import { finishedOf } from './memory.ts';
import { assignRoles, isFinished, isLate, isReady } from './roles.ts';
import { probesFor } from './rollback.ts';
import { type Situation, specOf } from './situation.ts';
import { backOffMs, startWaitMs } from './waits.ts';

/** A restart that comes sooner than this is not worth the word Error (contract: states). */
const BACK_OFF_SHOWN_MS = 1_000;

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
  if (missing !== '' && goal.kind === 'hold' && before.reason !== '')
    return { ...seen, reason: before.reason, message: before.errorMsg };
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

/** What people see of a program: its state, and why. */
interface Seen {
  state: ProgramState;
  reason: string;
  message: string;
  /** The container that serves, or last did. */
  shown: Container | undefined;
  progressing: Omit<Condition, 'lastTransitionTime' | 'type'>;
}

/** Of what is being done, whichever container is shown. */
type Doing = Omit<Seen, 'shown'>;

/** The state is that of the revision which serves; what a newer one is doing is told beside it. */
function seenOf(situation: Situation, actions: readonly Action[], before: ProgramStatus): Seen {
  const { goal, containers, memory } = situation;
  const shown = containers.find(isUp) ?? containers.at(-1);
  switch (goal.kind) {
    case 'hold':
      return { ...resting(before.state, 'Held', 'nothing is done about this program at present'), shown };
    case 'remove':
      return { ...resting('Stopping', 'Deleted', describeDeletion(memory)), shown: containers.at(-1) };
    case 'stop':
      return { ...stopped(situation, actions, before), shown };
    case 'run':
      return withRollback(running(situation, actions, goal.spec, before), situation);
  }
}

/** The older revision serves, or is on its way back; why the newer one does not is told beside it. */
function withRollback(seen: Seen, { rollback }: Situation): Seen {
  if (rollback === undefined) return seen;
  const message = `revision ${rollback.bad} was rolled back to ${rollback.revision}: ${rollback.message}`;
  const told = failed('RolledBack', message, seen.state);
  return seen.reason === '' ? { ...seen, ...told } : { ...seen, progressing: told.progressing };
}

/** Nothing is wrong, and nothing is done. */
function resting(state: ProgramState, reason: string, message: string): Doing {
  return { state, reason: '', message: '', progressing: { status: 'False', reason, message } };
}

function going(state: ProgramState, reason: string, message: string): Doing {
  return { state, reason: '', message: '', progressing: { status: 'True', reason, message } };
}

function failed(reason: string, message: string, state: ProgramState = 'Error'): Doing {
  return { state, reason, message, progressing: { status: 'False', reason, message } };
}

function stopped({ stopping, memory }: Situation, actions: readonly Action[], before: ProgramStatus): Doing {
  if (actions.some(({ kind }) => kind === 'stop') || stopping.size > 0) {
    const byHand = 'somebody started its container; it is being stopped';
    const isResting = before.state === 'Stopped';
    return resting('Stopping', 'Stopping', isResting ? byHand : 'the program is being stopped');
  }
  return memory.program.startRequested
    ? resting('Stopped', 'Stopped', 'desiredState is Stopped')
    : resting('Created', 'Created', 'it was never started');
}

function running(
  situation: Situation,
  actions: readonly Action[],
  spec: ProgramSpec,
  before: ProgramStatus,
): Seen {
  const { current, previous, specHash } = assignRoles(situation, spec);
  const serves = previous !== undefined && isUp(previous);
  if (current !== undefined && (isUp(current) || !serves))
    return { ...own(situation, current, spec, before), shown: current };
  const rollout = rolloutOf(situation, actions, spec, specHash);
  if (!serves) return { ...rollout, shown: current ?? previous };
  // An older revision serves: its state is shown, and what the new one is doing stands beside it.
  const isReadyNow = isReady(situation, previous, probesFor(situation, previous, spec));
  const state = situation.stopping.has(previous.id) ? 'Starting' : isReadyNow ? 'Ready' : 'Running';
  const reason = rollout.state === 'Building' ? 'Building' : rollout.reason;
  return { ...rollout, state, reason, shown: previous };
}

/** Whether the container was ready in the run that it is in, as far as the status knows. */
export function hasBeenReady({ containerId, startedAt, readyAt }: ProgramStatus, one: Container): boolean {
  return readyAt !== '' && containerId === one.id && startedAt === timestamp(one.startedAtMs);
}

/** The state of the wanted container itself. */
function own(situation: Situation, current: Container, spec: ProgramSpec, before: ProgramStatus): Doing {
  if (!isUp(current)) {
    if (isFinished(situation, hashOf(current))) return finished(situation, spec);
    const starting = going('Starting', 'Starting', 'its container is being started');
    return startTrouble(situation) ?? starting;
  }
  if (isReady(situation, current, spec)) {
    return going('Ready', 'RolloutComplete', 'the wanted revision is ready');
  }
  const message = situation.probes.get(current.id)?.message ?? '';
  // A rollout that was complete has no deadline any more, whatever its probe says later in the same run.
  const late = !hasBeenReady(before, current) && isLate(situation, current, spec, situation.rolloutMs);
  if (!late) return going('Running', 'WaitingForReadiness', message);
  const found = message || 'the readiness probe did not succeed';
  const told = `not ready within ${spec.progressDeadlineSeconds} s: ${found}`;
  return failed('ProgressDeadlineExceeded', told, 'Running');
}

/** It ran to its end, and its restartPolicy leaves it there. */
function finished({ memory }: Situation, { restartPolicy }: ProgramSpec): Doing {
  const code = finishedOf(memory)?.exitCode ?? 0;
  const message = `it ended with exit code ${code} and its restartPolicy is ${restartPolicy}`;
  return { ...failed('Completed', message, 'Stopped'), message: code === 0 ? '' : message };
}

/** What is being done, or stands in the way, for a revision that has no container yet. */
function rolloutOf(
  situation: Situation,
  actions: readonly Action[],
  spec: ProgramSpec,
  specHash: string,
): Doing {
  const { image, imageKey, buildId, portProblem, memory } = situation;
  if (image.kind === 'unknown') return failed(image.reason, image.message);
  if (image.kind === 'pending' || actions.some(({ kind }) => kind === 'build' || kind === 'pull'))
    return going('Building', 'Building', `${buildId || imageKey} is being made`);
  const { failedImage } = memory;
  if (image.kind === 'absent' && failedImage?.key === imageKey)
    return failed(failedImage.reason, `${failedImage.message}${again(failedImage.nextAt)}`);
  if (portProblem !== undefined) return failed(portProblem.reason, portProblem.message);
  const built = going('Built', 'Built', 'its image is there');
  return startTrouble(situation) ?? (isFinished(situation, specHash) ? finished(situation, spec) : built);
}

const again = (nextAt: string): string => (nextAt === '' ? '' : `; tried again at ${nextAt}`);

/** Why the container is not started just now, when that takes long enough to be told. */
function startTrouble({ memory, nowMs, lastExit }: Situation): Doing | undefined {
  const { failed: last, crashes } = memory.starts;
  if (last !== undefined) return failed(last.reason, `${last.message}${again(last.nextAt)}`);
  const { count, nextAt } = crashes ?? { count: 0, nextAt: '' };
  if (backOffMs(count) < BACK_OFF_SHOWN_MS || startWaitMs(memory, nowMs) === 0) return undefined;
  const how = lastExit === null ? '' : ` (${describeExit(lastExit)})`;
  const tail = lastExit === null || lastExit.logTail === '' ? '' : `\n${lastExit.logTail}`;
  const message = `exited ${count} times in a row${how}; started again at ${nextAt}${tail}`;
  return failed('CrashLoopBackOff', message);
}
