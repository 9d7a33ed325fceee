import { type Container, isGoing, isRunOf, isUp, revisionOf, runKey } from '../../schemas/container.ts';
import { describeCrashes, unrunnable } from '../../schemas/last-exit.ts';
import type { Bad, Made, Rollout } from '../../schemas/memory.ts';
import type { ProgramSpec } from '../../schemas/program.ts';
import { imageOf } from '../../schemas/revision.ts';
import type { Rollback, Situation } from '../../schemas/situation.ts';
import { revisionHash } from '../../schemas/spec-hash.ts';
import type { DeedOf } from './deed.ts';
import { driftOf } from './drift.ts';
import { forgetCrashes } from './memory.ts';
import { asRunning, hasCrashed, isLate, newestNumber, type Running, withRoles } from './roles.ts';
import { endOf, rolledBack } from './transitions.ts';

type Probes = Pick<ProgramSpec, 'readiness' | 'liveness'>;

/** The good revision as the goal, in place of the wanted one. */
export function comeBack(situation: Situation, good: Made, why: Omit<Rollback, 'revision'>): Running {
  const { revision, imageKey, buildId, spec } = good;
  const rollback = { revision, ...why };
  const back: Situation = { ...situation, imageKey, buildId, image: { kind: 'unneeded' }, rollback };
  return withRoles(back, { ...spec, desiredState: 'Running' });
}

/**
 * That the wanted revision had its time and did not become ready, or has no program to run, while an older one was
 * ready; or undefined.
 */
export function givesUp(situation: Situation): DeedOf<'gaveUp'> | undefined {
  if (situation.paused !== undefined) return undefined;
  const running = asRunning(situation);
  const { good } = situation.memory.rollout;
  if (running?.current === undefined || running.rollback || good === undefined) return undefined;
  const { current, spec, imageKey, rolloutMs, probes, lastExit } = running;
  const { crashes } = running.memory.starts;
  const crashed = crashes && lastExit && isRunOf(lastExit.run, current);
  const lacking = crashed ? unrunnable(lastExit) : '';
  if (lacking === '' && !isLate(running, current, spec, rolloutMs)) return undefined;
  const revision = numberOf(running, current);
  const gaveUp = (bad: Bad): DeedOf<'gaveUp'> | undefined => {
    const failed = { spec, imageKey, ...imageOf({ spec, imageId: current.imageId }), bad };
    const { rollout } = situation.memory;
    return rolledBack(rollout, failed) === rollout ? undefined : { kind: 'gaveUp', ...failed };
  };
  if (lacking !== '') return gaveUp({ revision, reason: 'StartFailed', message: lacking });
  const probe = probes.get(current.id)?.message ?? '';
  const found = crashed ? describeCrashes(lastExit, crashes.count) : probe;
  const message = `not ready within ${spec.progressDeadlineSeconds} s${found === '' ? '' : `: ${found}`}`;
  return gaveUp({ revision, reason: 'ProgressDeadlineExceeded', message });
}

/** That the engine would not start what is wanted; undefined for an older one that only serves until that can be had. */
export function refusedStart(
  situation: Situation,
  id: string,
  message: string,
): DeedOf<'refused'> | undefined {
  // The one that served was stopped for this one, so it has to come back now and not after a deadline.
  const running = asRunning(situation);
  if (running?.current?.id !== id) return undefined;
  const { spec, imageKey, nowMs, current } = running;
  const bad = { revision: numberOf(running, current), reason: 'StartFailed', message };
  return { kind: 'refused', spec, imageKey, ...imageOf({ spec, imageId: current.imageId }), bad, nowMs };
}

/** The revision it was made for; not the newest, where an older one was still there when that was wanted again. */
function numberOf({ memory }: Situation, container: Container): number {
  return revisionOf(container) || (memory.program.newest?.number ?? 0);
}

/**
 * The good revision as the goal, where the wanted one can not be made and what served was taken away by somebody:
 * it serves until the wanted one can be made. Undefined where there is none, or where it was stopped by wish.
 * @param late one that was overtaken before it was ready, and has had its time
 */
export function standIn(situation: Running, late?: Container): Running | undefined {
  const { memory, image, imageKey, containers, portProblem, lastExit, overtaken, rollback } = situation;
  const { program, rollout, failedImage } = memory;
  const isFailed = image.kind === 'absent' && failedImage?.key === imageKey;
  // A port that is about to be free is waited for.
  const noPort = portProblem?.isPassing ? undefined : portProblem;
  const failed = image.kind === 'unknown' ? image : isFailed ? failedImage : noPort;
  if (failed === undefined || rollout.good === undefined || rollback !== undefined) return undefined;
  // One that was stopped for a successor, which is gone before it served, is nobody's to start again; nor is one
  // whose crash was forgotten for another spec.
  const isForgotten = (one: Container) =>
    endOf(memory, one) === 'asked' || (lastExit?.run === runKey(one) && !hasCrashed(situation, one));
  const comesBack = (one: Container) => mayStart(situation, one) && !isForgotten(one) && !isGoing(one);
  const remains = (one: Container) =>
    one !== late && one.startedAtMs > 0 && (isUp(one) || comesBack(one)) && driftOf(one, memory).length === 0;
  // What was stopped by wish, or has come to its end, rests.
  const rests = program.served === undefined || program.rest !== undefined;
  if (rests || containers.some(remains)) return undefined;
  const isMade = program.newest?.hash === revisionHash(situation.spec, imageKey);
  const { reason, message } = failed;
  const bad = newestNumber(situation) + (isMade ? 0 : 1);
  const back = comeBack(situation, rollout.good, { bad, reason, message });
  if (late === undefined || overtaken === undefined) return back;
  // Its crashes, once they are accounted for, are not those of the good one.
  const known = lastExit?.run === runKey(late) ? forgetCrashes(memory) : memory;
  return { ...back, memory: known, overtaken: { ...overtaken, isLate: true } };
}

/** Whether this look found out what to come back to, while another is wanted: the next one has that to go by. */
export function learntGood({ good: before }: Rollout, { paused, memory }: Situation): boolean {
  const { verdict, good } = memory.rollout;
  return (
    paused === undefined && verdict !== 'good' && good !== undefined && good.revision !== before?.revision
  );
}

/**
 * How a container is to be probed: as its own revision says, not as one that is only wanted. Of a revision that
 * nothing is remembered of, liveness is not known, so that no stranger's probe ends it.
 */
export function probesFor(situation: Running, container: Container): Probes {
  const { rollback, overtaken, memory, current, spec } = situation;
  const { good } = memory.rollout;
  const revision = revisionOf(container);
  const readyAs = ({ readiness }: ProgramSpec) => ({ readiness, liveness: { kind: 'none' } as const });
  if (container === current) return spec;
  if (container.id === overtaken?.container.id) return readyAs(overtaken.revision.spec);
  // The bad one runs on until the good one takes over, and is no readier for that.
  const { inForce } = memory.program;
  if (rollback?.bad === revision && inForce !== undefined) return readyAs(inForce.spec);
  return good?.revision === revision ? good.spec : readyAs(spec);
}

/** Whether the old revision, which ended by itself, can be started as it is. */
export function mayComeBack(situation: Situation, previous: Container): boolean {
  const { overtaken } = situation;
  if (overtaken?.isLate === true && overtaken.container.id === previous.id) return false;
  return mayStart(situation, previous) && hasCrashed(situation, previous);
}

/** Whether it could be started: it has its port, and its network. */
function mayStart(situation: Situation, one: Container): boolean {
  return hasItsPort(situation, one) && one.sandbox?.state !== 'gone';
}

function hasItsPort({ port, portProblem }: Situation, { publishPort }: Container): boolean {
  // One made for another port waits for its successor, unless that has none either; nor is it started on the very port
  // that another has.
  return portProblem === undefined ? publishPort === port : publishPort !== port;
}
