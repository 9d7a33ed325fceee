import { type Container, isGoing, isRunOf, isUp, revisionOf, runKey } from '../../schemas/container.ts';
import { describeExit } from '../../schemas/last-exit.ts';
import type { Bad } from '../../schemas/memory.ts';
import type { ProgramSpec } from '../../schemas/program.ts';
import { revisionHash } from '../../schemas/spec-hash.ts';
import { driftOf } from './drift.ts';
import { forgetCrashes } from './memory.ts';
import { assignRoles, hasCrashed, isLate, newestNumber } from './roles.ts';
import type { Situation } from './situation.ts';
import { endOf } from './verdicts.ts';

type Rollback = NonNullable<Situation['rollback']>;

/** The good revision as the goal, in place of the wanted one. The same where there is no good one. */
export function comeBack(situation: Situation, rollback: Omit<Rollback, 'revision'>): Situation {
  const { good } = situation.memory.rollout;
  if (good === undefined) return situation;
  const { revision, imageKey, buildId, spec } = good;
  return {
    ...situation,
    goal: { kind: 'run', spec: { ...spec, desiredState: 'Running' } },
    ...{ imageKey, buildId, image: { kind: 'unneeded' }, rollback: { revision, ...rollback } },
  };
}

/**
 * The good revision as the goal, where the wanted one can not be made and what served was taken away by somebody:
 * it serves until the wanted one can be made. Undefined where there is none, or where it was stopped by wish.
 * @param late one that was overtaken before it was ready, and has had its time
 */
export function standIn(situation: Situation, spec: ProgramSpec, late?: Container): Situation | undefined {
  const { memory, image, imageKey, containers, port, portProblem, lastExit, overtaken } = situation;
  const { program, rollout, failedImage, starts } = memory;
  const isFailed = image.kind === 'absent' && failedImage?.key === imageKey;
  const failed = image.kind === 'unknown' ? image : isFailed ? failedImage : portProblem;
  if (failed === undefined || rollout.good === undefined || situation.rollback !== undefined)
    return undefined;
  // One that was stopped for a successor, which is gone before it served, is nobody's to start again; nor is one
  // whose crash was forgotten for another spec.
  const isForgotten = (one: Container) =>
    endOf(memory, one) === 'asked' || (lastExit?.run === runKey(one) && starts.crashes === undefined);
  const comesBack = (one: Container) =>
    (one.publishPort === port || portProblem !== undefined) && !isForgotten(one) && !isGoing(one);
  const remains = (one: Container) =>
    one !== late && one.startedAtMs > 0 && (isUp(one) || comesBack(one)) && driftOf(one, memory).length === 0;
  // What was stopped by wish, or has come to its end, rests.
  const rests = program.served === undefined || program.rest !== undefined;
  if (rests || containers.some(remains)) return undefined;
  const isMade = program.newest?.hash === revisionHash(spec, imageKey);
  const { reason, message } = failed;
  const back = comeBack(situation, { bad: newestNumber(situation) + (isMade ? 0 : 1), reason, message });
  if (late === undefined || overtaken === undefined) return back;
  // Its crashes, once they are accounted for, are not those of the good one.
  const known = lastExit?.run === runKey(late) ? forgetCrashes(memory) : memory;
  return { ...back, memory: known, overtaken: { ...overtaken, isLate: true } };
}

/** What there is while the wanted one can not be had, where it is newer than the last that is known to be good. */
export function overtakenBy(situation: Situation, spec: ProgramSpec): Container | undefined {
  const { current, previous } = assignRoles(situation, spec);
  // One that is made and does not run yet leaves the time to see that the one before it is ready.
  const serves = previous !== undefined && isUp(previous);
  const isOver = current !== undefined && (isUp(current) || !serves);
  if (situation.rollback !== undefined || isOver) return undefined;
  const revision = previous === undefined ? 0 : revisionOf(previous);
  return revision > (situation.memory.rollout.good?.revision ?? 0) ? previous : undefined;
}

/** That the wanted revision had its time and did not become ready, while an older one did; or undefined. */
export function latenessOf(situation: Situation): Bad | undefined {
  const { goal, rollback, memory, rolloutMs, imageKey, probes } = situation;
  const { good } = memory.rollout;
  if (goal.kind !== 'run' || rollback !== undefined || good === undefined) return undefined;
  const { spec } = goal;
  const { current } = assignRoles(situation, spec);
  if (current === undefined || good.hash === revisionHash(spec, imageKey)) return undefined;
  if (!isLate(situation, current, spec, rolloutMs)) return undefined;
  const found = crashesOf(situation, current) || (probes.get(current.id)?.message ?? '');
  const message = `not ready within ${spec.progressDeadlineSeconds} s${found === '' ? '' : `: ${found}`}`;
  return { revision: numberOf(situation, current), reason: 'ProgressDeadlineExceeded', message };
}

/** The revision it was made for; not the newest, where an older one was still there when that was wanted again. */
export function numberOf({ memory }: Pick<Situation, 'memory'>, container: Container): number {
  return revisionOf(container) || (memory.program.newest?.number ?? 0);
}

/** How often it ended by itself, how, and its last line; `""` where it did not. */
function crashesOf({ memory: { starts }, lastExit }: Situation, container: Container): string {
  if (lastExit === null || starts.crashes === undefined || !isRunOf(lastExit.run, container)) return '';
  const { count } = starts.crashes;
  const line = lastExit.logTail.split('\n').at(-1) ?? '';
  const times = count === 1 ? 'once' : `${count} times in a row`;
  return `exited ${times} (${describeExit(lastExit)})${line === '' ? '' : `: ${line}`}`;
}

/**
 * How a container is to be probed: as its own revision says, not as one that is only wanted. Of a revision that
 * nothing is remembered of, liveness is not known, so that no stranger's probe ends it.
 */
export function probesFor(
  situation: Situation,
  container: Container,
  wanted: ProgramSpec,
): Pick<ProgramSpec, 'readiness' | 'liveness'> {
  const { rollback, overtaken, memory } = situation;
  const { good } = memory.rollout;
  const revision = revisionOf(container);
  const readyAs = ({ readiness }: ProgramSpec) => ({ readiness, liveness: { kind: 'none' } as const });
  if (container === assignRoles(situation, wanted).current) return wanted;
  if (container.id === overtaken?.container.id) return readyAs(overtaken.revision.spec);
  // The bad one runs on until the good one takes over, and is no readier for that.
  const { inForce } = memory.program;
  if (rollback?.bad === revision && inForce !== undefined) return readyAs(inForce.spec);
  return good?.revision === revision ? good.spec : readyAs(wanted);
}

/**
 * Whether the old revision, which ended by itself, can be started as it is. One made for another port waits for
 * its successor instead, unless that has no port either: its own may be somebody else's by now.
 */
export function mayComeBack(situation: Situation, previous: Container): boolean {
  const { overtaken, port, portProblem } = situation;
  if (overtaken?.isLate === true && overtaken.container.id === previous.id) return false;
  const hasPort = previous.publishPort === port || portProblem !== undefined;
  return hasPort && hasCrashed(situation, previous);
}
