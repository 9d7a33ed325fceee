import { byAge, type Container, hashOf, isGoing, isUp, revisionOf } from '../../schemas/container.ts';
import type { Yield } from '../../schemas/facts.ts';
import { describeDeletion, isSameImage, type Made } from '../../schemas/memory.ts';
import { imageOf } from '../../schemas/revision.ts';
import { type Situation, specOf } from '../../schemas/situation.ts';
import { revisionHash } from '../../schemas/spec-hash.ts';
import type { Action } from './action.ts';
import { driftOf, isOutdated } from './drift.ts';
import { oomWaitMs } from './out-of-memory.ts';
import { isGivenUp, portLossWaitMs } from './port-loss.ts';
import { asRunning, hasCrashed, isFinished, isReady, newestNumber, type Running } from './roles.ts';
import { mayComeBack } from './rollback.ts';
import { dropSandboxes, planSandboxes } from './sandboxes.ts';
import { startWaitMs, waitMs } from './waits.ts';

/**
 * What to do next for one program. Pure: equal input, equal plan. An empty plan, or one that only waits, means
 * that the world is as wanted as far as can be done about it. Actions are carried out in order; the first that
 * fails ends the pass, and the next pass plans anew from what it finds. What is paused is left alone.
 */
export function plan(given: Situation): Action[] {
  if (given.paused !== undefined) return [];
  const situation = { ...given, containers: [...given.containers].sort(byAge) };
  const running = asRunning(situation);
  if (running !== undefined) return planRun(running);
  if (situation.goal.kind === 'remove') return planRemove(situation);
  return situation.goal.kind === 'stop' ? planStop(situation) : [];
}

function planRemove(situation: Situation): Action[] {
  const why = describeDeletion(situation.memory);
  const cancel: Action[] = situation.image.kind === 'pending' ? [{ kind: 'cancelImage', why }] : [];
  if (cancel.length + situation.containers.length === 0) {
    const drop = dropSandboxes(situation.sandboxes, why);
    return drop.length > 0 ? drop : [{ kind: 'forget', why }];
  }
  return [...cancel, ...situation.containers.flatMap((one) => end(situation, one, why))];
}

/** Stops what runs, and removes what does not. */
function end({ goal, memory, stopping }: Situation, container: Container, why: string): Action[] {
  const { id: containerId } = container;
  if (stopping.has(containerId)) return [];
  if (!isUp(container)) return [{ kind: 'remove', containerId, why }];
  const graceSeconds = (specOf(goal) ?? memory.program.inForce?.spec)?.stopGracePeriodSeconds ?? 10;
  return [{ kind: 'stop', containerId, graceSeconds, why, wanted: true }];
}

function planStop(situation: Situation): Action[] {
  const { containers, image } = situation;
  const why = 'desiredState is Stopped';
  // The newest stays, stopped, so that its output can still be read and a start finds it.
  const there = containers.filter((one) => !isGoing(one));
  const kept = there.filter(({ startedAtMs }) => startedAtMs > 0).at(-1) ?? there.at(-1);
  return [
    ...(image.kind === 'pending' ? [{ kind: 'cancelImage' as const, why }] : []),
    ...containers
      .filter((one) => isUp(one) || (one !== kept && one.state !== 'removing'))
      .flatMap((one) => end(situation, one, isUp(one) ? why : 'a newer container was kept')),
    ...planSandboxes(situation),
  ];
}

function planRun(situation: Running): Action[] {
  const { current, surplus } = situation;
  const why = 'it is not the container of any wanted revision';
  const useless = surplus.filter((one) => !isGoing(one)).flatMap((one) => end(situation, one, why));
  // What can not be removed comes last, so that it stands in nothing's way.
  const dead = surplus.filter(({ state }) => state === 'dead');
  return [
    // Before whatever is started on its port.
    ...planSandboxes(situation, situation),
    ...useless,
    ...(current === undefined ? planWithout(situation) : planWith(situation, current)),
    ...(current !== undefined && isUp(current) ? settle(situation, current) : []),
    ...dead.map(({ id }): Action => ({ kind: 'remove', containerId: id, why: 'its state is dead' })),
    ...waitForNextTry(situation),
    ...waitFor(portLossWaitMs(situation), 'its port is lost, and it was made anew for that before'),
    ...waitFor(oomWaitMs(situation), 'a process ran out of memory, and perhaps the program with it'),
  ];
}

/** There is no container of the wanted spec. */
function planWithout(situation: Running): Action[] {
  const { previous, rollback, stopping, specHash, image } = situation;
  const isThere = previous !== undefined && isUp(previous);
  // What comes back had come to its end: that it is gone keeps no bad one running.
  const isOver = rollback !== undefined && isFinished(situation, specHash);
  if (isOver && isThere && !stopping.has(previous.id)) return end(situation, previous, takeover(situation));
  // The old revision is looked after as long as the new one can not take over.
  // One that differs in its network alone is turned over now, where that can be.
  const isNext = previous !== undefined && hashOf(previous) === specHash && image.kind === 'present';
  const isTurned = isNext && isOutdated(situation, previous);
  const serves = previous !== undefined && (isThere || (!isTurned && mayComeBack(situation, previous)));
  return [...(serves ? keepUp(situation, previous) : []), ...planCreate(situation)];
}

function planWith(situation: Running, current: Container): Action[] {
  const { previous, stopping, spec, rollback } = situation;
  if (stopping.has(current.id)) return [];
  if (!isUp(current) && situation.portProblem !== undefined) return planBesidePort(situation);
  const isPreviousUp = previous !== undefined && isUp(previous);
  if (isPreviousUp && !isUp(current)) {
    const wait = waitForStart(situation);
    return wait.length > 0 ? wait : end(situation, previous, takeover(situation));
  }
  const actions = keepUp(situation, current);
  if (!isUp(current) || previous === undefined) return actions;
  // The old revision goes when the new one is ready, or when there is no telling.
  if (isPreviousUp) return [...actions, ...end(situation, previous, takeover(situation))];
  if (!isReady(situation, current, spec)) return actions;
  const isSame = revisionOf(current) === revisionOf(previous);
  const newer = isSame ? 'the one that takes its place is ready' : 'the new revision is ready';
  return [...actions, ...end(situation, previous, rollback ? 'it was rolled back' : newer)];
}

/** The container of the wanted spec is made, and its port is not to be had: what serves on another goes on. */
function planBesidePort(situation: Running): Action[] {
  const { previous, yields } = situation;
  const serves = previous !== undefined && (isUp(previous) || mayComeBack(situation, previous));
  if (serves && yields !== undefined) return yieldPort(situation, previous, yields);
  const wait = waitFor(startWaitMs(situation.memory, situation.nowMs) || PORT_RETRY_MS, 'it has no port');
  return [...(serves ? keepUp(situation, previous) : []), ...wait];
}

/** What waits for it in a circle can move then, and so can this one in the end. */
function yieldPort(situation: Running, previous: Container, { port, to }: Yield): Action[] {
  const why = `port ${port} is given up for program ${to}, which waits for it in a circle`;
  return end(situation, previous, why).map((one) =>
    one.kind === 'stop' ? { ...one, tells: 'PortYielded' } : one,
  );
}

function takeover({ rollback }: Situation): string {
  return rollback === undefined ? 'a new revision takes over' : `revision ${rollback.revision} comes back`;
}

/** The one that runs takes its plain name once it is alone, and is looked at again when its time has passed. */
function settle(situation: Running, current: Container): Action[] {
  const { stopping, strangers, containerName: to, rolloutMs, spec, previous, surplus } = situation;
  if (stopping.has(current.id)) return [];
  const isAlone = surplus.length === 0 && previous === undefined;
  const isNamed = current.name === to || !isAlone || strangers.some(({ name }) => name === to);
  const isDone = current.state !== 'running' || isReady(situation, current, spec);
  const leftMs = isDone ? 0 : spec.progressDeadlineSeconds * 1000 - rolloutMs;
  return [
    ...(isNamed ? [] : [{ kind: 'rename' as const, containerId: current.id, to }]),
    ...waitFor(leftMs, 'it has until then to become ready'),
  ];
}

/** Starts, restarts or lets alone the container that should run. */
function keepUp(situation: Situation, container: Container): Action[] {
  const { id: containerId } = container;
  if (situation.stopping.has(containerId)) return [];
  const isPaused = [container.state, isUp(container) && container.sandbox?.state].includes('paused');
  if (isPaused) return [{ kind: 'unpause', containerId }];
  if (isUp(container)) {
    const { live, liveMessage = '' } = situation.probes.get(containerId) ?? {};
    const why = `its liveness probe fails${liveMessage === '' ? '' : `: ${liveMessage}`}`;
    return live === false ? end(situation, container, why).map((one) => ({ ...one, wanted: false })) : [];
  }
  if (isFinished(situation, hashOf(container))) return [];
  const why = container.startedAtMs === 0 ? 'first' : hasCrashed(situation, container) ? 'restart' : 'again';
  const wait = waitForStart(situation);
  return wait.length > 0 ? wait : [{ kind: 'start', containerId, why }];
}

/** Empty where there is nothing to wait for. */
function waitFor(ms: number, why: string): Action[] {
  return ms > 0 ? [{ kind: 'wait', ms, why }] : [];
}

/** A revision that was rolled back for a fault that may be the machine's is tried again. */
function waitForNextTry({ rollback, memory: { rollout }, nowMs }: Situation): Action[] {
  if (rollback === undefined || rollout.verdict !== 'bad' || rollout.nextAt === undefined) return [];
  // One that is due, and is none yet, has sources that can not be read: that these are back is told, and waited for by nobody.
  return waitFor(waitMs(rollout.nextAt, nowMs), 'the newest revision is tried again');
}

/** Empty where a start may be tried now. */
function waitForStart({ memory, nowMs }: Situation): Action[] {
  const why = memory.starts.failed === undefined ? 'back-off after a crash' : 'the last start failed';
  return waitFor(startWaitMs(memory, nowMs), why);
}

/** A port that somebody else holds is asked for again after this; sooner where the host lets go of it. */
const PORT_RETRY_MS = 5_000;

/** The `/state` of a program that is being deleted is asked for again after this. */
const LEAVING_RETRY_MS = 500;

function planCreate(situation: Running): Action[] {
  const { image, imageKey, buildId, portProblem, yields, memory, nowMs, spec } = situation;
  if (isFinished(situation, situation.specHash)) return [];
  if (image.kind === 'present') {
    // Another may be wanted by then: only what can start next is made, and is a revision. Its end is told.
    if (situation.containers.some((one) => isUp(one) && situation.stopping.has(one.id))) return [];
    const { state } = situation;
    if (state?.kind === 'refused')
      return waitFor(state.isPassing ? LEAVING_RETRY_MS : PORT_RETRY_MS, state.message);
    // Where the port that serves is given up, its successor is made first, as always.
    const hasPort = portProblem === undefined || yields !== undefined;
    const ms = startWaitMs(memory, nowMs) || (hasPort ? 0 : PORT_RETRY_MS);
    return ms === 0 ? [create(situation, image.id)] : waitFor(ms, 'no port, or the last try failed');
  }
  if (image.kind !== 'absent' && image.kind !== 'unpulled') return [];
  const failed = memory.failedImage?.key === imageKey ? memory.failedImage : undefined;
  // What failed for good was another attempt's, where this one's was not tried.
  if (failed?.nextAt === '' && image.kind === 'absent') return [];
  const wait = waitFor(
    waitMs(failed?.nextAt ?? '', nowMs),
    `the ${spec.build === null ? 'pull' : 'build'} is tried again`,
  );
  if (wait.length > 0) return wait;
  if (spec.build === null) return [{ kind: 'pull', reference: imageKey }];
  return [{ kind: 'build', hash: imageKey, buildId, pull: isOfNewBases(situation) }];
}

/** Under `Always`, but not where a revision was made of it already: what is healed, or comes back, is what it was. */
function isOfNewBases({ spec, rollback, imageKey, memory: { program, rollout } }: Running): boolean {
  if (spec.pullPolicy !== 'Always' || rollback !== undefined || rollout.verdict !== 'new') return false;
  return program.newest?.hash !== revisionHash(spec, imageKey);
}

function create(situation: Running, imageId: string): Action {
  const { containers, memory, rollback, spec, specHash } = situation;
  const revision = rollback?.revision ?? nextRevision(situation, imageId);
  // What never ran nobody has changed: the engine lost it over a start that failed.
  const same = containers.filter(
    // Of a lost port an event of its own tells, and it is nobody's doing.
    (one) => hashOf(one) === specHash && one.startedAtMs > 0 && !isGivenUp(memory, one),
  );
  const drift = same.flatMap((one) => driftOf(one, memory)).join('; ');
  const changed = drift === '' ? '' : `somebody changed the container: ${drift}`;
  const why = isRemoved(situation) ? 'somebody removed the container' : changed;
  const containerName = freeName(situation, specHash);
  return { kind: 'create', containerName, specHash, revision, imageId, spec, why };
}

/** Whether what served is gone, and not by the host. */
function isRemoved({ memory, containers, strangers }: Situation): boolean {
  const { served, rest } = memory.program;
  if (rest?.why === 'asked' || served === undefined || served.removed) return false;
  // An older host took it for the program's.
  if (strangers.some(({ id }) => id === served.id)) return false;
  return !containers.some((one) => one.id === served.id && !isGoing(one));
}

/** The plain name, or one with a suffix while another container has it. */
function freeName({ containers, strangers, containerName }: Situation, hash: string): string {
  const taken = [...containers, ...strangers].map(({ name }) => name);
  const beside = `${containerName}-${hash.slice(-8)}`;
  const names = [containerName, beside, ...taken.map((_, index) => `${beside}-${index + 2}`)];
  return names.find((name) => !taken.includes(name)) ?? beside;
}

/** A restart of the same image is the same revision; anything else that needs another container is the next. */
function nextRevision(situation: Running, imageId: string): number {
  const { spec, memory, imageKey } = situation;
  const { rollout, program } = memory;
  const hash = revisionHash(spec, imageKey);
  const { image } = imageOf({ spec, imageId });
  const isOf = (one: Pick<Made, 'hash' | 'image'> | undefined) =>
    one?.hash === hash && isSameImage(one.image, image);
  if (program.newest !== undefined && isOf(program.newest)) return program.newest.number;
  // What is wanted again after one that was rolled back is the one that serves, and so is its restart.
  const { good, verdict } = rollout;
  const isMade = situation.containers.some((one) => revisionOf(one) === good?.revision);
  if (good !== undefined && isOf(good) && verdict !== 'bad' && isMade) return good.revision;
  return newestNumber(situation) + 1;
}
