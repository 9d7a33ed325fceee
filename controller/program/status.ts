import { buildIdOf } from '../../schemas/build-id.ts';
import { setCondition } from '../../schemas/conditions.ts';
import { type Container, hashOf, isUp, revisionOf, unreachable } from '../../schemas/container.ts';
import { describeProblem } from '../../schemas/errors.ts';
import { describeExit, describeMemory } from '../../schemas/last-exit.ts';
import { describeDeletion, describeLostState, finishedOf, type ProgramMemory } from '../../schemas/memory.ts';
import type { Paused } from '../../schemas/pause.ts';
import { type Condition, LABELS, proxyUrl, timestamp } from '../../schemas/program.ts';
import { type Situation, specOf } from '../../schemas/situation.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { Action } from './action.ts';
import { stateAskedFor } from './asked-for.ts';
import type { GoalResult } from './goal.ts';
import { pausedCondition, withPause, withPausedCondition } from './paused.ts';
import { asRunning, isFinished, isLate, isReady, type Running } from './roles.ts';
import { probesFor } from './rollback.ts';
import { failed, going, type NewCondition, resting, type Seen, type Told } from './seen.ts';
import { troubleAfter } from './trouble.ts';
import { backOffMs, startWaitMs } from './waits.ts';

/** A restart that comes sooner than this is not worth the word Error (contract: states). */
const BACK_OFF_SHOWN_MS = 1_000;
const LATE = 'ProgressDeadlineExceeded';

/** Conditions that are there only as long as they hold. */
const PASSING: ReadonlySet<Condition['type']> = new Set([
  'EngineUnavailable',
  'RemoteUnavailable',
  'StateLost',
  'Paused',
]);

/** What `status` needs beside the situation. */
export interface StatusContext extends Pick<GoalResult, 'problems' | 'generation' | 'missing'> {
  /** Of the git commit, or `""`. */
  commit: string;
  /** Why what is wanted is not fetched from where it is kept; undefined where it is, or is kept here. */
  remote: { reason: string; message: string } | undefined;
}

/** What people see, from the situation and what is about to be done about it. Pure. */
export function status(
  before: ProgramStatus,
  situation: Situation,
  actions: readonly Action[],
  context: StatusContext,
): ProgramStatus {
  const { goal, containers, nowMs, probes, image, shownPort, lastExit, memory } = situation;
  const running = asRunning(situation);
  const last = containers.at(-1);
  const shown = running ? running.shown : (goal.kind !== 'remove' && containers.find(isUp)) || last;
  const doing = running ? doingOf(running, actions, before) : idle(situation, actions, before);
  const known = withManifest(withRollback(doing, situation), situation, before, context);
  const seen = withPause(known, situation, shown);
  const { state, reason } = seen;
  const hasRun = shown !== undefined && shown.startedAtMs > 0;
  const startedAt = hasRun ? timestamp(shown.startedAtMs) : before.startedAt;
  const isSameRun = (shown?.id ?? '') === before.containerId && startedAt === before.startedAt;
  const isReadyAnew = state === 'Ready' && !(isSameRun && before.state === 'Ready');
  const probe = (shown && probes.get(shown.id)?.message) ?? '';
  const { paused, asWished } = situation;
  const told = [
    ...conditionsOf(seen, probe, context),
    ...stateLost(memory),
    ...(paused ? [pausedCondition(paused)] : []),
  ];
  const kept = before.conditions.filter(
    ({ type }) => !PASSING.has(type) || told.some((one) => one.type === type),
  );
  const next: ProgramStatus = {
    ...before,
    ...{ state, reason, errorMsg: seen.message, lastExit, startedAt },
    // What is learnt while it is left alone is learnt anew when it is resumed, but for what was ready, and what was to
    // be stopped and is: no crash counts.
    memory: asWished ?? memory,
    trouble: troubleAfter(before, reason, situation),
    observedGeneration: context.generation,
    observedRevision: context.commit,
    currentRevision: (shown !== undefined && revisionOf(shown)) || before.currentRevision,
    conditions: told.reduce((all, condition) => setCondition(all, condition, nowMs), kept),
    userId: specOf(goal)?.userId ?? before.userId,
    buildId: shownBuildId(before, situation, shown),
    imageId: shown?.imageId ?? (image.kind === 'present' ? image.id : before.imageId),
    containerId: shown?.id ?? '',
    publishPort: shownPort,
    proxyUrl: proxyUrl(shownPort),
    readyAt: isReadyAnew ? timestamp(nowMs) : isSameRun ? before.readyAt : '',
  };
  const moves = ['state', 'reason', 'buildId', 'imageId', 'containerId'] as const;
  return moves.some((key) => next[key] !== before[key]) ? { ...next, updatedAt: timestamp(nowMs) } : next;
}

/**
 * The same, when the engine does not answer: a condition says so, and the last known state stays unless another was
 * asked for, which no container is in yet.
 */
export function statusWithoutEngine(
  before: ProgramStatus,
  { goal, memory, generation }: GoalResult,
  message: string,
  nowMs: number,
  paused?: Paused,
): ProgramStatus {
  const reason = 'EngineUnavailable';
  const condition = { type: reason, status: 'True', reason, message } as const;
  const spec = specOf(goal);
  const asked = paused === undefined && spec ? stateAskedFor(before, spec) : undefined;
  const unready = { type: 'Ready', status: 'False', reason: 'NotRunning', message } as const;
  const told = withPausedCondition(before.conditions, paused, nowMs);
  const known = asked ? setCondition(told, unready, nowMs) : told;
  // What was taken in goes into the memory, so it has to count as observed too.
  const taken = { memory, observedGeneration: generation, conditions: setCondition(known, condition, nowMs) };
  return { ...before, ...taken, ...(asked && { state: asked, reason: '', errorMsg: '', trouble: null }) };
}

/** A broken manifest is told beside what serves; where nothing valid was ever known it is the state. */
function withManifest(seen: Seen, situation: Situation, before: ProgramStatus, context: StatusContext): Seen {
  if (seen.reason !== '') return seen;
  const { goal, containers } = situation;
  // Where nothing valid was known and now the manifest is missing too, what was wrong with it stays told.
  if (context.missing !== '' && goal.kind === 'hold' && before.reason !== '')
    return { ...seen, reason: before.reason, message: before.errorMsg };
  const problem = context.problems[0];
  if (problem === undefined) return seen;
  const told = { ...seen, reason: 'InvalidManifest', message: describeProblem(problem) };
  return goal.kind === 'hold' && containers.length === 0 ? { ...told, state: 'Error' } : told;
}

function shownBuildId(before: ProgramStatus, situation: Situation, shown: Container | undefined): string {
  const hash = shown?.labels[LABELS.build];
  if (hash !== undefined) return hash === '' ? '' : buildIdOf(hash);
  return situation.imageKey === '' ? before.buildId : situation.buildId;
}

function conditionsOf(
  { state, progressing, unready }: Seen,
  probe: string,
  context: StatusContext,
): NewCondition[] {
  const { remote } = context;
  const why = unready !== undefined ? 'RestartPending' : state === 'Running' ? 'ProbeFailed' : 'NotRunning';
  return [
    state === 'Ready'
      ? { type: 'Ready', status: 'True', reason: 'ProbeSucceeded', message: '' }
      : { type: 'Ready', status: 'False', reason: why, message: unready ?? probe },
    { type: 'Progressing', ...progressing },
    { type: 'Valid', ...validity(context) },
    ...(remote === undefined ? [] : [{ type: 'RemoteUnavailable', status: 'True', ...remote } as const]),
  ];
}

/** Told until something else is wanted, or a restart. */
function stateLost({ program: { stateLost: lost, volume = '' }, rollout }: ProgramMemory): NewCondition[] {
  if (lost === undefined || lost.attempt !== rollout.attempt) return [];
  const message = `${describeLostState(volume)} (${lost.at})`;
  return [{ type: 'StateLost', status: 'True', reason: 'VolumeGone', message }];
}

function validity({ problems: [problem], missing }: StatusContext): Told {
  if (problem !== undefined)
    return { status: 'False', reason: 'InvalidManifest', message: describeProblem(problem) };
  if (missing !== '') return { status: 'Unknown', reason: 'ManifestMissing', message: missing };
  return { status: 'True', reason: 'Valid', message: '' };
}

/** Of a program that should not run. */
function idle(situation: Situation, actions: readonly Action[], before: ProgramStatus): Seen {
  const { goal, memory, stopping } = situation;
  if (goal.kind === 'remove') return resting('Stopping', 'Deleted', describeDeletion(memory));
  if (goal.kind === 'hold')
    return resting(before.state, 'Held', 'nothing is done about this program at present');
  if (actions.some(({ kind }) => kind === 'stop') || stopping.size > 0) {
    const byHand = 'somebody started its container; it is being stopped';
    const isByHand = before.state === 'Stopped';
    return resting('Stopping', 'Stopping', isByHand ? byHand : 'the program is being stopped');
  }
  return memory.program.startRequested
    ? resting('Stopped', 'Stopped', 'desiredState is Stopped')
    : resting('Created', 'Created', 'it was never started');
}

/** The state is that of the revision which serves; what a newer one is doing is told beside it. */
function doingOf(situation: Running, actions: readonly Action[], before: ProgramStatus): Seen {
  const { current, shown, stopping } = situation;
  if (current !== undefined && shown === current) return own(situation, current, before);
  const rollout = rolloutOf(situation, actions);
  if (shown === undefined || !isUp(shown)) return rollout;
  const isReadyNow = isReady(situation, shown, probesFor(situation, shown));
  // Nobody is to be sent to a port that somebody else may have.
  const isGoing = stopping.has(shown.id) || unreachable(shown) !== '';
  const state = isGoing ? 'Starting' : isReadyNow ? 'Ready' : 'Running';
  const reason = rollout.state === 'Building' ? 'Building' : rollout.reason;
  if (state === 'Starting' || isOfRestart(situation, shown)) return { ...rollout, state, reason };
  // Nobody who asked for a restart is to take the old run for the new one; it serves on while it has to be waited for.
  const unready = 'the restart that was asked for is still to come';
  return { ...rollout, state: reason === '' ? 'Stopping' : 'Running', reason, unready };
}

/** Whether what runs is no older than the restart that is wanted, where any is: made for it, or started since. */
function isOfRestart({ spec: { restartedAt } }: Running, { labels, startedAtMs }: Container): boolean {
  const isMadeForIt = restartedAt === '' || (labels[LABELS.restartedAt] ?? '') === restartedAt;
  return isMadeForIt || startedAtMs > Date.parse(restartedAt);
}

/** The older revision serves, or is on its way back; why the newer one does not is told beside it. */
function withRollback(seen: Seen, { rollback }: Situation): Seen {
  if (rollback === undefined) return seen;
  const message = `revision ${rollback.bad} was rolled back to ${rollback.revision}: ${rollback.message}`;
  const told = failed('RolledBack', message, seen.state);
  return seen.reason === '' ? told : { ...seen, progressing: told.progressing };
}

/** Whether the container was ready in the run that it is in, as far as the status knows. */
export function hasBeenReady(status: ProgramStatus, one: Container): boolean {
  return status.readyAt !== '' && isRunOfStatus(status, one);
}

/** Whether the status is of the run that the container is in. */
function isRunOfStatus({ containerId, startedAt }: ProgramStatus, one: Container): boolean {
  return containerId === one.id && startedAt === timestamp(one.startedAtMs);
}

/** The state of the wanted container itself. */
function own(situation: Running, current: Container, before: ProgramStatus): Seen {
  const { spec } = situation;
  if (!isUp(current)) {
    if (isFinished(situation, hashOf(current))) return finished(situation);
    const starts = going('Starting', 'Starting', 'its container is being started');
    return startTrouble(situation) ?? portTrouble(situation) ?? starts;
  }
  if (isReady(situation, current, spec))
    return going('Ready', 'RolloutComplete', 'the wanted revision is ready');
  const { ready, message = '' } = situation.probes.get(current.id) ?? {};
  // What an earlier host found of this run holds until the probe of this one has said its first word.
  if (ready === undefined && before.reason === LATE && isRunOfStatus(before, current))
    return failed(LATE, before.errorMsg, 'Running');
  // A rollout that was complete has no deadline any more, whatever its probe says later in the same run.
  const late = !hasBeenReady(before, current) && isLate(situation, current, spec, situation.rolloutMs);
  if (!late) return going('Running', 'WaitingForReadiness', message);
  const found = message || 'the readiness probe did not succeed';
  const told = `not ready within ${spec.progressDeadlineSeconds} s: ${found}`;
  return failed(LATE, told, 'Running');
}

/** It ran to its end, and its restartPolicy leaves it there. */
function finished({ memory, lastExit, spec: { restartPolicy } }: Running): Seen {
  const code = finishedOf(memory)?.exitCode ?? 0;
  const why = lastExit?.exitCode === code ? describeMemory(lastExit) : '';
  const also = why === '' ? '' : ` (${why})`;
  const message = `it ended with exit code ${code}${also} and its restartPolicy is ${restartPolicy}`;
  return { ...failed('Completed', message, 'Stopped'), message: code === 0 ? '' : message };
}

/** What is being done, or stands in the way, for a revision that has no container yet. */
function rolloutOf(situation: Running, actions: readonly Action[]): Seen {
  const { image, imageKey, buildId, memory, specHash } = situation;
  if (image.kind === 'unknown') return failed(image.reason, image.message);
  if (
    image.kind === 'pending' ||
    image.kind === 'unpulled' ||
    actions.some(({ kind }) => kind === 'build' || kind === 'pull')
  )
    return going('Building', 'Building', `${buildId || imageKey} is being made`);
  const { failedImage } = memory;
  if (image.kind === 'absent' && failedImage?.key === imageKey)
    return failed(failedImage.reason, `${failedImage.message}${again(failedImage.nextAt)}`);
  const lacking = portTrouble(situation) ?? stateTrouble(situation);
  if (lacking !== undefined) return lacking;
  const built = going('Built', 'Built', 'its image is there');
  return startTrouble(situation) ?? (isFinished(situation, specHash) ? finished(situation) : built);
}

/** Why it has no port, where that is so. */
function portTrouble({ portProblem }: Situation): Seen | undefined {
  if (portProblem === undefined) return undefined;
  const { reason, message, isPassing } = portProblem;
  return isPassing ? going('Built', 'WaitingForPort', message) : failed(reason, message);
}

/** Why it has no /state, where that is so. */
function stateTrouble({ state }: Situation): Seen | undefined {
  if (state?.kind !== 'refused') return undefined;
  const { isPassing, message } = state;
  return isPassing ? going('Built', 'WaitingForState', message) : failed('StateNotTaken', message);
}

const again = (nextAt: string): string => (nextAt === '' ? '' : `; tried again at ${nextAt}`);

/** Why the container is not started just now, when that takes long enough to be told. */
function startTrouble({ memory, nowMs, lastExit }: Situation): Seen | undefined {
  const { failed: last, crashes } = memory.starts;
  if (last !== undefined) return failed(last.reason, `${last.message}${again(last.nextAt)}`);
  const { count, nextAt } = crashes ?? { count: 0, nextAt: '' };
  if (backOffMs(count) < BACK_OFF_SHOWN_MS || startWaitMs(memory, nowMs) === 0) return undefined;
  const how = lastExit === null ? '' : ` (${describeExit(lastExit)})`;
  const tail = lastExit === null || lastExit.logTail === '' ? '' : `\n${lastExit.logTail}`;
  const message = `exited ${count} times in a row${how}; started again at ${nextAt}${tail}`;
  return failed('CrashLoopBackOff', message);
}
