import { type Container, hashOf, isUp } from '../../schemas/container.ts';
import { describeExit } from '../../schemas/last-exit.ts';
import type { Condition, ProgramSpec, ProgramState } from '../../schemas/program.ts';
import { timestamp } from '../../schemas/program.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { Action } from './action.ts';
import { describeDeletion, finishedOf } from './memory.ts';
import { assignRoles, isFinished, isLate, isReady } from './roles.ts';
import { probesFor } from './rollback.ts';
import type { Situation } from './situation.ts';
import { backOffMs, startWaitMs } from './waits.ts';

/** A restart that comes sooner than this is not worth the word Error (contract: states). */
const BACK_OFF_SHOWN_MS = 1_000;

/** What people see of a program: its state, and why. */
export interface Seen {
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
export function seenOf(situation: Situation, actions: readonly Action[], before: ProgramStatus): Seen {
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
  const { progressing } = failed('RolledBack', message);
  return seen.reason === ''
    ? { ...seen, reason: 'RolledBack', message, progressing }
    : { ...seen, progressing };
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
    const progressing = {
      status: 'True',
      reason: 'RolloutComplete',
      message: 'the wanted revision is ready',
    };
    return { ...resting('Ready', '', ''), progressing: progressing as Seen['progressing'] };
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
