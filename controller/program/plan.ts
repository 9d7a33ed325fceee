import { byAge, type Container, hashOf, isGoing, isUp, revisionOf } from '../../schemas/container.ts';
import type { ProgramSpec } from '../../schemas/program.ts';
import { revisionHash } from '../../schemas/spec-hash.ts';
import type { Action } from './action.ts';
import { driftOf } from './drift.ts';
import { describeDeletion } from './memory.ts';
import { assignRoles, hasCrashed, isFinished, isReady, newestNumber, type Roles } from './roles.ts';
import { mayComeBack } from './rollback.ts';
import type { Situation } from './situation.ts';
import { startWaitMs, waitMs } from './waits.ts';

/**
 * What to do next for one program. Pure: equal input, equal plan. An empty plan, or one that only waits, means
 * that the world is as wanted as far as can be done about it. Actions are carried out in order; the first that
 * fails ends the pass, and the next pass plans anew from what it finds.
 */
export function plan(given: Situation): Action[] {
  const situation = { ...given, containers: [...given.containers].sort(byAge) };
  switch (situation.goal.kind) {
    case 'hold':
      return [];
    case 'remove':
      return planRemove(situation);
    case 'stop':
      return planStop(situation, situation.goal.spec);
    case 'run':
      return [...planRun(situation, situation.goal.spec), ...waitForNextTry(situation)];
  }
}

function planRemove(situation: Situation): Action[] {
  const why = describeDeletion(situation.memory);
  if (situation.image.kind === 'pending') return [{ kind: 'cancelImage', why }, ...endAll(situation, why)];
  return situation.containers.length > 0 ? endAll(situation, why) : [{ kind: 'forget', why }];
}

/** Stops what runs and removes what does not. */
function endAll(situation: Situation, why: string): Action[] {
  const graceSeconds = situation.memory.program.inForce?.spec.stopGracePeriodSeconds ?? 10;
  return situation.containers.flatMap((container): Action[] => {
    if (situation.stopping.has(container.id)) return [];
    if (isUp(container)) return [stop(container, graceSeconds, why)];
    return [{ kind: 'remove', containerId: container.id, why }];
  });
}

function planStop(situation: Situation, spec: ProgramSpec): Action[] {
  const actions: Action[] = [];
  if (situation.image.kind === 'pending')
    actions.push({ kind: 'cancelImage', why: 'desiredState is Stopped' });
  // The newest stays, stopped, so that its output can still be read and a start finds it.
  const there = situation.containers.filter((container) => !isGoing(container));
  const kept = there.filter(({ startedAtMs }) => startedAtMs > 0).at(-1) ?? there.at(-1);
  for (const container of situation.containers) {
    if (situation.stopping.has(container.id)) continue;
    if (isUp(container))
      actions.push(stop(container, spec.stopGracePeriodSeconds, 'desiredState is Stopped'));
    else if (container !== kept && container.state !== 'removing')
      actions.push({ kind: 'remove', containerId: container.id, why: 'a newer container was kept' });
  }
  return actions;
}

function planRun(situation: Situation, spec: ProgramSpec): Action[] {
  const roles = assignRoles(situation, spec);
  // What can not be removed comes last, so that it stands in nothing's way.
  const dead = roles.surplus.filter(({ state }) => state === 'dead');
  return [
    ...planServing(situation, spec, roles),
    ...dead.map(({ id }): Action => ({ kind: 'remove', containerId: id, why: 'its state is dead' })),
  ];
}

function planServing(situation: Situation, spec: ProgramSpec, roles: Roles): Action[] {
  const { current, previous } = roles;
  const surplus = roles.surplus.filter((container) => !isGoing(container));
  const actions = surplus.flatMap((container) => clear(situation, container, spec));
  if (current === undefined) {
    // What comes back had come to its end: that it is gone keeps no bad one running.
    const isOver = situation.rollback !== undefined && isFinished(situation, roles.specHash);
    if (isOver && previous !== undefined && isUp(previous) && !situation.stopping.has(previous.id))
      return [...actions, stop(previous, spec.stopGracePeriodSeconds, takeover(situation))];
    // The old revision is looked after as long as the new one can not take over.
    const served = previous !== undefined && (isUp(previous) || mayComeBack(situation, previous));
    const heal = served ? keepUp(situation, previous, spec) : [];
    return [...actions, ...heal, ...planCreate(situation, spec, roles.specHash)];
  }
  if (situation.stopping.has(current.id)) return actions;
  if (previous !== undefined && isUp(previous) && !isUp(current)) {
    if (startWaitMs(situation.memory, situation.nowMs) > 0) return [...actions, ...waitForStart(situation)];
    if (situation.stopping.has(previous.id)) return actions;
    return [...actions, stop(previous, spec.stopGracePeriodSeconds, takeover(situation))];
  }
  actions.push(...keepUp(situation, current, spec));
  if (!isUp(current)) return actions;
  if (previous !== undefined) actions.push(...retire(situation, current, previous, spec));
  else if (current.name !== situation.containerName && roles.surplus.length === 0) {
    actions.push({ kind: 'rename', containerId: current.id, to: situation.containerName });
  }
  return [...actions, ...waitForDeadline(situation, current, spec)];
}

/** A container that has no role: a twin, or one made for a spec that was overtaken before it started. */
function clear(situation: Situation, container: Container, spec: ProgramSpec): Action[] {
  if (situation.stopping.has(container.id)) return [];
  const why = 'it is not the container of any wanted revision';
  if (isUp(container)) return [stop(container, spec.stopGracePeriodSeconds, why)];
  return [{ kind: 'remove', containerId: container.id, why }];
}

function takeover({ rollback }: Situation): string {
  return rollback === undefined ? 'a new revision takes over' : `revision ${rollback.revision} comes back`;
}

/** The old revision goes when the new one is ready, or when there is no telling. */
function retire(situation: Situation, current: Container, previous: Container, spec: ProgramSpec): Action[] {
  if (situation.stopping.has(previous.id)) return [];
  if (isUp(previous)) return [stop(previous, spec.stopGracePeriodSeconds, takeover(situation))];
  if (!isReady(situation, current, spec)) return [];
  const isSame = revisionOf(current) === revisionOf(previous);
  const newer = isSame ? 'the one that takes its place is ready' : 'the new revision is ready';
  const why = situation.rollback === undefined ? newer : 'it was rolled back';
  return [{ kind: 'remove', containerId: previous.id, why }];
}

/** Starts, restarts or lets alone the container that should run. */
function keepUp(situation: Situation, container: Container, spec: ProgramSpec): Action[] {
  if (situation.stopping.has(container.id)) return [];
  if (container.state === 'paused') return [{ kind: 'unpause', containerId: container.id }];
  if (isUp(container)) {
    const { live, liveMessage = '' } = situation.probes.get(container.id) ?? {};
    if (live !== false) return [];
    const why = `its liveness probe fails${liveMessage === '' ? '' : `: ${liveMessage}`}`;
    return [{ ...stop(container, spec.stopGracePeriodSeconds, why), wanted: false }];
  }
  if (isFinished(situation, hashOf(container))) return [];
  if (startWaitMs(situation.memory, situation.nowMs) > 0) return waitForStart(situation);
  const why = container.startedAtMs === 0 ? 'first' : hasCrashed(situation, container) ? 'restart' : 'again';
  return [{ kind: 'start', containerId: container.id, why }];
}

/** A revision that was rolled back for a fault that may be the machine's is tried again. */
function waitForNextTry({ rollback, memory: { rollout }, nowMs }: Situation): Action[] {
  if (rollback === undefined || rollout.verdict !== 'bad' || rollout.nextAt === undefined) return [];
  const ms = waitMs(rollout.nextAt, nowMs);
  // One that is due, and is none yet, has sources that can not be read: that these are back is told, and waited for by nobody.
  return ms > 0 ? [{ kind: 'wait', ms, why: 'the newest revision is tried again' }] : [];
}

function waitForStart(situation: Situation): Action[] {
  const why =
    situation.memory.starts.failed === undefined ? 'back-off after a crash' : 'the last start failed';
  return [{ kind: 'wait', ms: startWaitMs(situation.memory, situation.nowMs), why }];
}

function planCreate(situation: Situation, spec: ProgramSpec, hash: string): Action[] {
  if (isFinished(situation, hash)) return [];
  switch (situation.image.kind) {
    case 'unknown':
    case 'pending':
    case 'unneeded':
      return [];
    case 'absent':
      return planImage(situation, spec);
    case 'present':
      if (situation.portProblem !== undefined || startWaitMs(situation.memory, situation.nowMs) > 0) {
        return [
          {
            kind: 'wait',
            ms: startWaitMs(situation.memory, situation.nowMs) || PORT_RETRY_MS,
            why: 'no port, or the last try failed',
          },
        ];
      }
      return [create(situation, spec, hash, situation.image.id)];
  }
}

/** A port that somebody else holds is asked for again after this. */
const PORT_RETRY_MS = 5_000;

function planImage(situation: Situation, spec: ProgramSpec): Action[] {
  const failed = situation.memory.failedImage;
  if (failed?.key === situation.imageKey) {
    if (failed.nextAt === '') return [];
    const ms = waitMs(failed.nextAt, situation.nowMs);
    if (ms > 0) return [{ kind: 'wait', ms, why: 'the build is tried again' }];
  }
  if (spec.build === null) return [{ kind: 'pull', reference: situation.imageKey }];
  return [{ kind: 'build', hash: situation.imageKey, buildId: situation.buildId }];
}

function create(situation: Situation, spec: ProgramSpec, hash: string, imageId: string): Action {
  const revision = situation.rollback?.revision ?? nextRevision(situation, spec);
  const drift = situation.containers
    .filter((one) => hashOf(one) === hash)
    .flatMap((one) => driftOf(one, situation.memory));
  const changed = drift.length === 0 ? '' : `somebody changed the container: ${drift.join('; ')}`;
  const why = isRemoved(situation) ? 'somebody removed the container' : changed;
  return {
    kind: 'create',
    containerName: freeName(situation, hash),
    specHash: hash,
    revision,
    imageId,
    spec,
    why,
  };
}

/** Whether what served is gone, and not by the host. */
function isRemoved({ memory, containers }: Situation): boolean {
  const { served, rest } = memory.program;
  if (rest?.why === 'asked' || served === undefined || served.removed) return false;
  return !containers.some((one) => one.id === served.id && !isGoing(one));
}

/** The plain name, or one with a suffix while another container has it. */
function freeName({ containers, containerName }: Situation, hash: string): string {
  const taken = new Set(containers.map(({ name }) => name));
  const beside = `${containerName}-${hash.slice(-8)}`;
  const names = [containerName, beside, ...containers.map((_, index) => `${beside}-${index + 2}`)];
  return names.find((name) => !taken.has(name)) ?? beside;
}

/** A restart is the same revision; anything else that needs another container is the next. */
function nextRevision(situation: Situation, spec: ProgramSpec): number {
  const { rollout, program } = situation.memory;
  const hash = revisionHash(spec, situation.imageKey);
  if (program.newest?.hash === hash) return program.newest.number;
  // What is wanted again after one that was rolled back is the one that serves, and so is its restart.
  const { good, verdict } = rollout;
  const isMade = situation.containers.some((one) => revisionOf(one) === good?.revision);
  if (good?.hash === hash && verdict !== 'bad' && isMade) return good.revision;
  return newestNumber(situation) + 1;
}

/** Looks again when the time to become ready has passed. */
function waitForDeadline(situation: Situation, current: Container, spec: ProgramSpec): Action[] {
  if (current.state !== 'running' || isReady(situation, current, spec)) return [];
  const ms = spec.progressDeadlineSeconds * 1000 - situation.rolloutMs;
  return ms > 0 ? [{ kind: 'wait', ms, why: 'it has until then to become ready' }] : [];
}

function stop(container: Container, graceSeconds: number, why: string): Extract<Action, { kind: 'stop' }> {
  return { kind: 'stop', containerId: container.id, graceSeconds, why, wanted: true };
}
