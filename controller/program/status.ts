import { dropCondition, setCondition } from '../../schemas/conditions.ts';
import type { Container } from '../../schemas/container.ts';
import { describeProblem, type Problem } from '../../schemas/errors.ts';
import {
  type Condition,
  LABELS,
  type ProgramSpec,
  type ProgramState,
  type ProgramStatus,
  proxyUrl,
  timestamp,
} from '../../schemas/program.ts';
import type { Action } from './action.ts';
import { backOffMs, describeDeletion, describeExit } from './memory.ts';
import { isUp, type Observed, revisionOf } from './observed.ts';
import { assignRoles, isFinished, isReady, startWaitMs } from './plan.ts';
import { isLate, probesFor } from './rollback.ts';

/** A restart that comes sooner than this is not worth the word Error (contract: states). */
const BACK_OFF_SHOWN_MS = 1_000;

/** What `status` needs beside what was observed. */
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

interface Verdict {
  state: ProgramState;
  reason: string;
  message: string;
  /** The container that serves, or last did. */
  shown: Container | undefined;
  progressing: Omit<Condition, 'lastTransitionTime' | 'type'>;
}

/**
 * What people see, from what was observed and what is about to be done about it. Pure. The state is that of the
 * revision which serves; what a newer one is doing goes into `reason`, `errorMsg` and the Progressing condition.
 */
export function status(
  before: ProgramStatus,
  observed: Observed,
  actions: readonly Action[],
  context: StatusContext,
): ProgramStatus {
  const { nowMs } = observed;
  const invalid = context.problems[0];
  const base = withMissing(verdict(observed, actions, before), observed, before, context);
  const seen = invalid === undefined || base.reason !== '' ? base : withInvalid(base, observed, invalid);
  const { shown } = seen;
  const startedAt =
    shown !== undefined && shown.startedAtMs > 0 ? timestamp(shown.startedAtMs) : before.startedAt;
  const isSameRun = (shown?.id ?? '') === before.containerId && startedAt === before.startedAt;
  const isReadyAnew = seen.state === 'Ready' && !(isSameRun && before.state === 'Ready');
  const next: ProgramStatus = {
    ...before,
    state: seen.state,
    reason: seen.reason,
    errorMsg: seen.message,
    observedGeneration: context.generation,
    observedRevision: context.commit,
    currentRevision: (shown !== undefined && revisionOf(shown)) || before.currentRevision,
    conditions: conditions(before, observed, seen, context),
    userId:
      observed.goal.kind === 'run' || observed.goal.kind === 'stop'
        ? observed.goal.spec.userId
        : before.userId,
    buildId: buildIdOf(before, observed, shown),
    imageId: shown?.imageId ?? (observed.image.kind === 'present' ? observed.image.id : before.imageId),
    containerId: shown?.id ?? '',
    publishPort: observed.shownPort,
    proxyUrl: proxyUrl(observed.shownPort),
    lastExit: observed.lastExit,
    startedAt,
    readyAt: isReadyAnew ? timestamp(nowMs) : isSameRun ? before.readyAt : '',
    memory: observed.memory,
  };
  const moved =
    next.state !== before.state ||
    next.reason !== before.reason ||
    next.buildId !== before.buildId ||
    next.imageId !== before.imageId ||
    next.containerId !== before.containerId;
  return moved ? { ...next, updatedAt: timestamp(nowMs) } : next;
}

/** Where nothing valid was known and now the manifest is missing too, what was wrong with it stays told. */
function withMissing(
  base: Verdict,
  observed: Observed,
  before: ProgramStatus,
  { missing }: StatusContext,
): Verdict {
  if (missing === '' || observed.goal.kind !== 'hold' || base.reason !== '') return base;
  return { ...base, reason: before.reason, message: before.errorMsg };
}

/** A broken manifest is told beside what serves; where nothing valid was ever known it is the state. */
function withInvalid(base: Verdict, observed: Observed, problem: Problem): Verdict {
  const told = { ...base, reason: 'InvalidManifest', message: describeProblem(problem) };
  return observed.goal.kind === 'hold' && base.shown === undefined ? { ...told, state: 'Error' } : told;
}

/** Whether the container was ready in the run that it is in, as far as the status knows. */
export function hasBeenReady({ containerId, startedAt, readyAt }: ProgramStatus, one: Container): boolean {
  return readyAt !== '' && containerId === one.id && startedAt === timestamp(one.startedAtMs);
}

/** The same, when the engine does not answer: the last known state stays, and a condition says why. */
export function statusWithoutEngine(before: ProgramStatus, message: string, nowMs: number): ProgramStatus {
  const condition = {
    type: 'EngineUnavailable',
    status: 'True',
    reason: 'EngineUnavailable',
    message,
  } as const;
  return { ...before, conditions: setCondition(before.conditions, condition, nowMs) };
}

function buildIdOf(before: ProgramStatus, observed: Observed, shown: Container | undefined): string {
  const hash = shown?.labels[LABELS.build];
  if (hash !== undefined) return hash === '' ? '' : `build-${hash.slice(0, 12)}`;
  return observed.imageKey === '' ? before.buildId : observed.buildId;
}

function verdict(observed: Observed, actions: readonly Action[], before: ProgramStatus): Verdict {
  switch (observed.goal.kind) {
    case 'hold':
      return held(observed, before);
    case 'remove':
      return calm('Stopping', observed.containers.at(-1), 'Deleted', describeDeletion(observed.memory));
    case 'stop':
      return stopped(observed, actions, before);
    case 'run':
      return withRollback(running(observed, actions, observed.goal.spec, before), observed);
  }
}

/** The older revision serves, or is on its way back; why the newer one does not is told beside it. */
function withRollback(seen: Verdict, { rollback }: Observed): Verdict {
  if (rollback === undefined) return seen;
  const message = `revision ${rollback.bad} was rolled back to ${rollback.revision}: ${rollback.message}`;
  const progressing = { status: 'False' as const, reason: 'RolledBack', message };
  return seen.reason === ''
    ? { ...seen, reason: 'RolledBack', message, progressing }
    : { ...seen, progressing };
}

function calm(state: ProgramState, shown: Container | undefined, reason: string, message: string): Verdict {
  return { state, reason: '', message: '', shown, progressing: { status: 'False', reason, message } };
}

function held(observed: Observed, before: ProgramStatus): Verdict {
  const shown = observed.containers.find(isUp) ?? observed.containers.at(-1);
  return calm(before.state, shown, 'Held', 'nothing is done about this program at present');
}

function stopped(observed: Observed, actions: readonly Action[], before: ProgramStatus): Verdict {
  const shown = observed.containers.find(isUp) ?? observed.containers.at(-1);
  const stopping = actions.some(({ kind }) => kind === 'stop') || observed.stopping.size > 0;
  if (stopping) {
    const isResting = before.state === 'Stopped';
    const why = isResting
      ? 'somebody started its container; it is being stopped'
      : 'the program is being stopped';
    return calm('Stopping', shown, 'Stopping', why);
  }
  const state = observed.memory.startRequested === true ? 'Stopped' : 'Created';
  return calm(state, shown, state, state === 'Created' ? 'it was never started' : 'desiredState is Stopped');
}

function running(
  observed: Observed,
  actions: readonly Action[],
  spec: ProgramSpec,
  before: ProgramStatus,
): Verdict {
  const { current, previous, specHash } = assignRoles(observed, spec);
  const rollout = rolloutOf(observed, actions, spec, specHash);
  if (current !== undefined && (isUp(current) || !(previous !== undefined && isUp(previous)))) {
    return own(observed, current, spec, before);
  }
  // An older revision serves: its state is shown, and what the new one is doing stands beside it.
  if (previous !== undefined && isUp(previous)) {
    const state = observed.stopping.has(previous.id) ? 'Starting' : upState(observed, previous, spec);
    const reason = rollout.state === 'Building' ? 'Building' : rollout.reason;
    return { ...rollout, state, reason, shown: previous };
  }
  return { ...rollout, shown: current ?? previous };
}

function upState(observed: Observed, container: Container, spec: ProgramSpec): ProgramState {
  return isReady(observed, container, probesFor(observed, container, spec)) ? 'Ready' : 'Running';
}

/** The state of the wanted container itself. */
function own(observed: Observed, current: Container, spec: ProgramSpec, before: ProgramStatus): Verdict {
  // A rollout that was complete has no deadline any more, whatever its probe says later in the same run.
  const wasReady = hasBeenReady(before, current);
  if (isUp(current)) {
    if (isReady(observed, current, spec)) {
      return { ...calm('Ready', current, '', ''), progressing: COMPLETE };
    }
    const late = !wasReady && isLate(observed, current, spec, observed.rolloutMs);
    const message = observed.probes.get(current.id)?.message ?? '';
    const progressing = late
      ? {
          status: 'False' as const,
          reason: 'ProgressDeadlineExceeded',
          message: `not ready within ${spec.progressDeadlineSeconds} s: ${message || 'the readiness probe did not succeed'}`,
        }
      : { status: 'True' as const, reason: 'WaitingForReadiness', message };
    if (!late) return { state: 'Running', reason: '', message: '', shown: current, progressing };
    return {
      state: 'Running',
      reason: progressing.reason,
      message: progressing.message,
      shown: current,
      progressing,
    };
  }
  if (isFinished(observed, current.labels[LABELS.specHash] ?? '')) {
    return { ...finished(observed, spec), shown: current };
  }
  const trouble = startTrouble(observed);
  if (trouble !== undefined) return { ...failed(trouble.reason, trouble.message), shown: current };
  const starting = { status: 'True' as const, reason: 'Starting', message: 'its container is being started' };
  return { state: 'Starting', reason: '', message: '', shown: current, progressing: starting };
}

/** It ran to its end, and its restartPolicy leaves it there. */
function finished(observed: Observed, spec: ProgramSpec): Omit<Verdict, 'shown'> {
  const code = observed.memory.finished?.exitCode ?? 0;
  const message = `it ended with exit code ${code} and its restartPolicy is ${spec.restartPolicy}`;
  return {
    state: 'Stopped',
    reason: 'Completed',
    message: code === 0 ? '' : message,
    progressing: { status: 'False', reason: 'Completed', message },
  };
}

const COMPLETE = {
  status: 'True' as const,
  reason: 'RolloutComplete',
  message: 'the wanted revision is ready',
};

/** What is being done, or stands in the way, for a revision that has no container yet. */
function rolloutOf(
  observed: Observed,
  actions: readonly Action[],
  spec: ProgramSpec,
  specHash: string,
): Omit<Verdict, 'shown'> {
  const going = (state: ProgramState, message: string): Omit<Verdict, 'shown'> => ({
    state,
    reason: '',
    message: '',
    progressing: { status: 'True', reason: state, message },
  });
  const { image, memory } = observed;
  if (image.kind === 'unknown') return failed(image.reason, image.message);
  if (image.kind === 'pending' || actions.some(({ kind }) => kind === 'build' || kind === 'pull')) {
    return going('Building', `${observed.buildId || observed.imageKey} is being made`);
  }
  if (image.kind === 'absent' && memory.failedBuild?.hash === observed.imageKey) {
    const { reason, message, nextAt } = memory.failedBuild;
    const again = nextAt === '' ? '' : `; tried again at ${nextAt}`;
    return failed(reason, `${message}${again}`);
  }
  if (observed.portProblem !== undefined)
    return failed(observed.portProblem.reason, observed.portProblem.message);
  const trouble = startTrouble(observed);
  if (trouble !== undefined) return failed(trouble.reason, trouble.message);
  if (isFinished(observed, specHash)) return finished(observed, spec);
  return going('Built', 'its image is there');
}

function failed(reason: string, message: string): Omit<Verdict, 'shown'> {
  return { state: 'Error', reason, message, progressing: { status: 'False', reason, message } };
}

/** Why the container is not started just now, when that takes long enough to be told. */
function startTrouble(observed: Observed): { reason: string; message: string } | undefined {
  const { memory, lastExit } = observed;
  if (memory.failedStart !== undefined) {
    const { reason, message, nextAt } = memory.failedStart;
    return { reason, message: `${message}; tried again at ${nextAt}` };
  }
  const { count, nextAt } = memory.backOff ?? { count: 0, nextAt: '' };
  if (backOffMs(count) < BACK_OFF_SHOWN_MS || startWaitMs(observed) === 0) return undefined;
  const how = lastExit === null ? '' : ` (${describeExit(lastExit)})`;
  const tail = lastExit === null || lastExit.logTail === '' ? '' : `\n${lastExit.logTail}`;
  const message = `exited ${count} times in a row${how}; started again at ${nextAt}${tail}`;
  return { reason: 'CrashLoopBackOff', message };
}

function conditions(
  before: ProgramStatus,
  observed: Observed,
  seen: Verdict,
  context: StatusContext,
): Condition[] {
  const { nowMs } = observed;
  const ready = seen.state === 'Ready';
  const probe = seen.shown === undefined ? '' : (observed.probes.get(seen.shown.id)?.message ?? '');
  const list = setCondition(
    dropCondition(before.conditions, 'EngineUnavailable'),
    ready
      ? { type: 'Ready', status: 'True', reason: 'ProbeSucceeded', message: '' }
      : {
          type: 'Ready',
          status: 'False',
          reason: seen.state === 'Running' ? 'ProbeFailed' : 'NotRunning',
          message: probe,
        },
    nowMs,
  );
  const { remote } = context;
  const followed =
    remote === undefined
      ? dropCondition(list, 'RemoteUnavailable')
      : setCondition(list, { type: 'RemoteUnavailable', status: 'True', ...remote }, nowMs);
  const progressing = setCondition(followed, { type: 'Progressing', ...seen.progressing }, nowMs);
  const problem = context.problems[0];
  const valid =
    problem !== undefined
      ? {
          type: 'Valid' as const,
          status: 'False' as const,
          reason: 'InvalidManifest',
          message: describeProblem(problem),
        }
      : context.missing !== ''
        ? {
            type: 'Valid' as const,
            status: 'Unknown' as const,
            reason: 'ManifestMissing',
            message: context.missing,
          }
        : { type: 'Valid' as const, status: 'True' as const, reason: 'Valid', message: '' };
  return setCondition(progressing, valid, nowMs);
}
