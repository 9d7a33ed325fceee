import type { Container } from '../../schemas/container.ts';
import { LABELS, type ProgramMemory, type ProgramSpec, timestamp } from '../../schemas/program.ts';
import type { Revision } from '../../schemas/revision.ts';
import { digest, revisionHash } from '../../schemas/spec-hash.ts';
import { stableJson } from '../../schemas/stable-json.ts';
import { driftOf } from './diff.ts';
import { describeExit, forgetCrashes, waitMs } from './memory.ts';
import { isGoing, isRunOf, isUp, type Observed, revisionOf, runKey } from './observed.ts';
import { assignRoles, isFinished, isReady, newestNumber } from './plan.ts';

/**
 * Identifies one attempt at a rollout: spec, sources and `restartedAt`, whatever the port. One that was rolled
 * back is not made again until one of these differs.
 */
export function attemptOf(spec: ProgramSpec, imageKey: string): string {
  return digest({ revision: revisionHash(spec, imageKey), restartedAt: spec.restartedAt });
}

/**
 * The memory with what it says of a rollback only as long as the very attempt is wanted that was rolled back, and is
 * not to be made again by now.
 */
export function forAttempt(memory: ProgramMemory, attempt: string, nowMs: number): ProgramMemory {
  const { rolledBack, ...rest } = memory;
  if (rolledBack === undefined) return memory;
  if (rolledBack.attempt !== attempt) {
    const { refusedStarts, ...others } = rest;
    return others;
  }
  const isDue = rolledBack.nextAt !== undefined && waitMs(rolledBack.nextAt, nowMs) === 0;
  return isDue ? rest : memory;
}

/**
 * The good revision as the goal, where the wanted one can not be made and what served was taken away by somebody:
 * it serves until the wanted one can be made. Undefined where there is none, or where it was stopped by wish.
 * @param late one that was overtaken before it was ready, and has had its time
 */
export function standIn(observed: Observed, spec: ProgramSpec, late?: Container): Observed | undefined {
  const { memory, image, imageKey, containers, port, portProblem } = observed;
  const { good, baseline, latestRevision, failedBuild } = memory;
  const failed =
    image.kind === 'unknown'
      ? image
      : image.kind === 'absent' && failedBuild?.hash === imageKey
        ? failedBuild
        : portProblem;
  if (failed === undefined || good === undefined || observed.rollback !== undefined) return undefined;
  // What was stopped by wish, or has come to its end, rests.
  const rests = baseline === undefined || memory.rests === true || memory.finished !== undefined;
  const isIntact = (one: Container) => driftOf(one, memory).length === 0;
  // One that was stopped for a successor, which is gone before it served, is nobody's to start again; nor is one
  // whose crash was forgotten for another spec.
  const isForgotten = (key: string) =>
    memory.stopsAsked?.includes(key) === true || (memory.exitSeen === key && memory.backOff === undefined);
  const comesBack = (one: Container) =>
    (one.publishPort === port || portProblem !== undefined) && !isForgotten(runKey(one)) && !isGoing(one);
  const remains = (one: Container) =>
    one !== late && one.startedAtMs > 0 && (isUp(one) || comesBack(one)) && isIntact(one);
  if (rests || containers.some(remains)) return undefined;
  const isMade = latestRevision?.hash === revisionHash(spec, imageKey);
  const bad = newestNumber(observed) + (isMade ? 0 : 1);
  const { reason, message } = failed;
  const { overtaken } = observed;
  // Its crashes, once they are accounted for, are not those of the good one.
  const isItsCrash = late !== undefined && memory.exitSeen === runKey(late);
  return {
    ...observed,
    ...(late !== undefined && overtaken !== undefined && { overtaken: { ...overtaken, isLate: true } }),
    memory: isItsCrash ? forgetCrashes(memory) : memory,
    goal: { kind: 'run', spec: { ...good.spec, desiredState: 'Running' } },
    imageKey: good.imageKey,
    buildId: good.buildId,
    image: { kind: 'unneeded' },
    rollback: { revision: good.revision, bad, reason, message },
  };
}

/**
 * How a container is to be probed: as its own revision says, not as one that is only wanted. Of a revision that
 * nothing is remembered of, liveness is not known, so that no stranger's probe ends it.
 */
export function probesFor(
  observed: Observed,
  container: Container,
  wanted: ProgramSpec,
): Pick<ProgramSpec, 'readiness' | 'liveness'> {
  const { rollback, overtaken } = observed;
  const { good, inForce } = observed.memory;
  const revision = revisionOf(container);
  if (container === assignRoles(observed, wanted).current) return wanted;
  if (container.id === overtaken?.container.id)
    return { readiness: overtaken.revision.spec.readiness, liveness: { kind: 'none' } };
  // The bad one runs on until the good one takes over, and is no readier for that.
  if (rollback?.bad === revision && inForce !== undefined)
    return { readiness: inForce.spec.readiness, liveness: { kind: 'none' } };
  if (good !== undefined && good.revision === revision) return good.spec;
  return { readiness: wanted.readiness, liveness: { kind: 'none' } };
}

/** Remembers the wanted revision as the one to come back to once it was ready. The same memory where nothing changed. */
export function noteGood(observed: Observed, spec: ProgramSpec): ProgramMemory {
  const { memory, imageKey, buildId } = observed;
  const { current } = assignRoles(observed, spec);
  if (observed.rollback !== undefined || current === undefined || !isReady(observed, current, spec))
    return memory;
  const hash = revisionHash(spec, imageKey);
  const revision = revisionOf(current) || 1;
  const { good } = memory;
  if (good?.hash === hash && good.revision === revision && stableJson(good.spec) === stableJson(spec))
    return memory;
  // A ledger that was lost is made good from the container that runs.
  const latestRevision = memory.latestRevision ?? { number: revision, hash };
  return { ...memory, latestRevision, good: { revision, hash, imageKey, buildId, spec } };
}

/** What there is while the wanted one can not be had, where it is newer than the last that is known to be good. */
export function overtakenBy(observed: Observed, spec: ProgramSpec): Container | undefined {
  const { current, previous } = assignRoles(observed, spec);
  // One that is made and does not run yet leaves the time to see that the one before it is ready.
  const serves = previous !== undefined && isUp(previous);
  const isOver = current !== undefined && (isUp(current) || !serves);
  if (observed.rollback !== undefined || isOver) return undefined;
  const revision = previous === undefined ? 0 : revisionOf(previous);
  return revision > (observed.memory.good?.revision ?? 0) ? previous : undefined;
}

/** What its image is known by: the build hash, or the reference that its spec names. */
export const keyOf = ({ spec, buildHash }: Revision): string => spec.image ?? buildHash;

/** Remembers it as good too, if it is ready as its own revision has it: it may have taken longer than its successor. */
export function noteServing(observed: Observed): ProgramMemory {
  const { memory, rollback, overtaken } = observed;
  if (overtaken === undefined || rollback !== undefined) return memory;
  const { number, hash, buildId, spec } = overtaken.revision;
  if (!isReady(observed, overtaken.container, spec)) return memory;
  return { ...memory, good: { revision: number, hash, imageKey: keyOf(overtaken.revision), buildId, spec } };
}

/**
 * What is remembered when the wanted revision had its time and did not become ready, and an older one did: it is
 * bad, and the older one comes back. The same memory otherwise.
 */
export function afterDeadline(observed: Observed, spec: ProgramSpec): ProgramMemory {
  const { memory, rolloutMs } = observed;
  const { current } = assignRoles(observed, spec);
  if (current === undefined || !isLate(observed, current, spec, rolloutMs)) return memory;
  const found = crashesOf(observed, current) || (observed.probes.get(current.id)?.message ?? '');
  const why = `not ready within ${spec.progressDeadlineSeconds} s${found === '' ? '' : `: ${found}`}`;
  return rollBack(memory, spec, observed.imageKey, current, 'ProgressDeadlineExceeded', why);
}

/** How often it ended by itself, how, and its last line; `""` where it did not. */
function crashesOf({ memory, lastExit }: Observed, { id }: Container): string {
  const isIts = isRunOf(memory.exitSeen, id);
  if (!isIts || memory.backOff === undefined || lastExit === null) return '';
  const line = lastExit.logTail.split('\n').at(-1) ?? '';
  const times = memory.backOff.count === 1 ? 'once' : `${memory.backOff.count} times in a row`;
  return `exited ${times} (${describeExit(lastExit)})${line === '' ? '' : `: ${line}`}`;
}

/** Whether it has had its time to become ready, and is not. */
export function isLate(observed: Observed, one: Container, spec: ProgramSpec, rolloutMs: number): boolean {
  if (one.startedAtMs === 0 || isReady(observed, one, spec)) return false;
  // One that ran to its end did what it was there for.
  if (!isUp(one) && isFinished(observed, one.labels[LABELS.specHash] ?? '')) return false;
  // It may have got ready while no host ran: the first word of its probe is waited for.
  if (isUp(one) && observed.probes.get(one.id)?.ready === undefined) return false;
  return rolloutMs >= spec.progressDeadlineSeconds * 1000;
}

/** A revision that the engine would not start is tried again after this, since the fault may be the machine's, */
const START_AGAIN_MS = 60_000;
/** up to so often, since what serves is stopped for each try; */
const REFUSED_STARTS_MAX = 5;
/** and without end where the engine says whose fault it is. */
const MACHINES_FAULT = /no space left|disk quota|too many open files|cannot allocate memory/i;

/**
 * What is remembered when the engine refused to start the wanted revision, for which the good one was stopped: that
 * one comes back at once, and the wanted one is tried again later, a few times.
 */
export function afterRefusedStart(
  memory: ProgramMemory,
  spec: ProgramSpec,
  imageKey: string,
  container: Container,
  message: string,
  nowMs: number,
): ProgramMemory {
  const attempt = attemptOf(spec, imageKey);
  const before = memory.refusedStarts?.attempt === attempt ? memory.refusedStarts.count : 0;
  const refusedStarts = { attempt, count: before + 1 };
  const isLast = refusedStarts.count >= REFUSED_STARTS_MAX && !MACHINES_FAULT.test(message);
  const nextAt = isLast ? undefined : timestamp(nowMs + START_AGAIN_MS);
  const after = rollBack(memory, spec, imageKey, container, 'StartFailed', message);
  if (after.rolledBack === undefined || after === memory) return after;
  return {
    ...after,
    refusedStarts,
    rolledBack: { ...after.rolledBack, ...(nextAt !== undefined && { nextAt }) },
  };
}

/** Marks the attempt as bad where there is another good revision; otherwise the same memory. */
export function rollBack(
  memory: ProgramMemory,
  spec: ProgramSpec,
  imageKey: string,
  container: Container,
  reason: string,
  message: string,
): ProgramMemory {
  const { good, latestRevision } = memory;
  if (good === undefined || good.hash === revisionHash(spec, imageKey)) return memory;
  // The revision that comes back starts with a clean slate.
  const { backOff, failedStart, ...rest } = memory;
  // Not the newest, where the container of an older one was still there when that was wanted again.
  const revision = revisionOf(container) || (latestRevision?.number ?? 0);
  return { ...rest, rolledBack: { attempt: attemptOf(spec, imageKey), revision, reason, message } };
}
