import type { Container } from '../../schemas/container.ts';
import { LABELS, type ProgramSpec } from '../../schemas/program.ts';
import { revisionHash, specHash } from '../../schemas/spec-hash.ts';
import type { Action } from './action.ts';
import { driftOf } from './diff.ts';
import { describeDeletion, waitMs } from './memory.ts';
import { byAge, isGoing, isUp, type Observed, revisionOf, runKey } from './observed.ts';

/** How the containers of a program that should run stand to what is wanted. */
export interface Roles {
  specHash: string;
  /** The container of the wanted spec. */
  current: Container | undefined;
  /** One of an older spec that keeps serving until the wanted one can. */
  previous: Container | undefined;
  /** Everything else. */
  surplus: Container[];
}

/**
 * What to do next for one program. Pure: equal input, equal plan. An empty plan, or one that only waits, means
 * that the world is as wanted as far as can be done about it. Actions are carried out in order; the first that
 * fails ends the pass, and the next pass plans anew from what it finds.
 */
export function plan(given: Observed): Action[] {
  const observed = { ...given, containers: [...given.containers].sort(byAge) };
  switch (observed.goal.kind) {
    case 'hold':
      return [];
    case 'remove':
      return planRemove(observed);
    case 'stop':
      return planStop(observed, observed.goal.spec);
    case 'run':
      return [...planRun(observed, observed.goal.spec), ...waitForNextTry(observed)];
  }
}

function planRemove(observed: Observed): Action[] {
  const why = describeDeletion(observed.memory);
  if (observed.image.kind === 'pending') return [{ kind: 'cancelImage', why }, ...endAll(observed, why)];
  return observed.containers.length > 0 ? endAll(observed, why) : [{ kind: 'forget', why }];
}

/** Stops what runs and removes what does not. */
function endAll(observed: Observed, why: string): Action[] {
  const graceSeconds = observed.memory.inForce?.spec.stopGracePeriodSeconds ?? 10;
  return observed.containers.flatMap((container): Action[] => {
    if (observed.stopping.has(container.id)) return [];
    if (isUp(container)) return [stop(container, graceSeconds, why)];
    return [{ kind: 'remove', containerId: container.id, why }];
  });
}

function planStop(observed: Observed, spec: ProgramSpec): Action[] {
  const actions: Action[] = [];
  if (observed.image.kind === 'pending')
    actions.push({ kind: 'cancelImage', why: 'desiredState is Stopped' });
  // The newest stays, stopped, so that its output can still be read and a start finds it.
  const there = observed.containers.filter((container) => !isGoing(container));
  const kept = there.filter(({ startedAtMs }) => startedAtMs > 0).at(-1) ?? there.at(-1);
  for (const container of observed.containers) {
    if (observed.stopping.has(container.id)) continue;
    if (isUp(container))
      actions.push(stop(container, spec.stopGracePeriodSeconds, 'desiredState is Stopped'));
    else if (container !== kept && container.state !== 'removing')
      actions.push({ kind: 'remove', containerId: container.id, why: 'a newer container was kept' });
  }
  return actions;
}

function planRun(observed: Observed, spec: ProgramSpec): Action[] {
  const roles = assignRoles(observed, spec);
  // What can not be removed comes last, so that it stands in nothing's way.
  const dead = roles.surplus.filter(({ state }) => state === 'dead');
  return [
    ...planServing(observed, spec, roles),
    ...dead.map(({ id }): Action => ({ kind: 'remove', containerId: id, why: 'its state is dead' })),
  ];
}

function planServing(observed: Observed, spec: ProgramSpec, roles: Roles): Action[] {
  const { current, previous } = roles;
  const surplus = roles.surplus.filter((container) => !isGoing(container));
  const actions = surplus.flatMap((container) => clear(observed, container, spec));
  if (current === undefined) {
    // What comes back had come to its end: that it is gone keeps no bad one running.
    const isOver = observed.rollback !== undefined && isFinished(observed, roles.specHash);
    if (isOver && previous !== undefined && isUp(previous) && !observed.stopping.has(previous.id))
      return [...actions, stop(previous, spec.stopGracePeriodSeconds, takeover(observed))];
    // The old revision is looked after as long as the new one can not take over.
    const served = previous !== undefined && (isUp(previous) || mayComeBack(observed, previous));
    const heal = served ? keepUp(observed, previous, spec) : [];
    return [...actions, ...heal, ...planCreate(observed, spec, roles.specHash)];
  }
  if (observed.stopping.has(current.id)) return actions;
  if (previous !== undefined && isUp(previous) && !isUp(current)) {
    if (!mayStart(observed)) return [...actions, ...waitForStart(observed)];
    if (observed.stopping.has(previous.id)) return actions;
    return [...actions, stop(previous, spec.stopGracePeriodSeconds, takeover(observed))];
  }
  actions.push(...keepUp(observed, current, spec));
  if (!isUp(current)) return actions;
  if (previous !== undefined) actions.push(...retire(observed, current, previous, spec));
  else if (current.name !== observed.containerName && roles.surplus.length === 0) {
    actions.push({ kind: 'rename', containerId: current.id, to: observed.containerName });
  }
  return [...actions, ...waitForDeadline(observed, current, spec)];
}

/**
 * Whether the old revision, which ended by itself, can be started as it is. One made for another port waits for
 * its successor instead, unless that has no port either: its own may be somebody else's by now.
 */
function mayComeBack(observed: Observed, previous: Container): boolean {
  const { overtaken } = observed;
  if (overtaken?.isLate === true && overtaken.container.id === previous.id) return false;
  const hasPort = previous.publishPort === observed.port || observed.portProblem !== undefined;
  return hasPort && hasCrashed(observed, previous);
}

/** Which container is which. The one that runs, then the newest, of the wanted spec is current. */
export function assignRoles(observed: Observed, spec: ProgramSpec): Roles {
  const hash = specHash(spec, observed.imageKey, observed.port);
  const newestFirst = [...observed.containers].reverse();
  const stays = (one: Container) => isUp(one) && !observed.stopping.has(one.id);
  const pick = (candidates: Container[]) => candidates.find(stays) ?? candidates.find(isUp) ?? candidates[0];
  const isWanted = (one: Container) =>
    hashOf(one) === hash && driftOf(one, observed.memory).length === 0 && !isGoing(one);
  const current = observed.imageKey === '' ? undefined : pick(newestFirst.filter(isWanted));
  const others = newestFirst.filter((one) => one !== current);
  const previous = pick(others.filter((one) => one.startedAtMs > 0 && !isWanted(one) && !isGoing(one)));
  const surplus = others.filter((one) => one !== previous).reverse();
  return { specHash: hash, current, previous, surplus };
}

const hashOf = (container: Container): string => container.labels[LABELS.specHash] ?? '';

/** A container that has no role: a twin, or one made for a spec that was overtaken before it started. */
function clear(observed: Observed, container: Container, spec: ProgramSpec): Action[] {
  if (observed.stopping.has(container.id)) return [];
  const why = 'it is not the container of any wanted revision';
  if (isUp(container)) return [stop(container, spec.stopGracePeriodSeconds, why)];
  return [{ kind: 'remove', containerId: container.id, why }];
}

function takeover({ rollback }: Observed): string {
  return rollback === undefined ? 'a new revision takes over' : `revision ${rollback.revision} comes back`;
}

/** The old revision goes when the new one is ready, or when there is no telling. */
function retire(observed: Observed, current: Container, previous: Container, spec: ProgramSpec): Action[] {
  if (observed.stopping.has(previous.id)) return [];
  if (isUp(previous)) return [stop(previous, spec.stopGracePeriodSeconds, takeover(observed))];
  if (!isReady(observed, current, spec)) return [];
  const isSame = revisionOf(current) === revisionOf(previous);
  const newer = isSame ? 'the one that takes its place is ready' : 'the new revision is ready';
  const why = observed.rollback === undefined ? newer : 'it was rolled back';
  return [{ kind: 'remove', containerId: previous.id, why }];
}

export function isReady(
  observed: Observed,
  container: Container,
  { readiness }: Pick<ProgramSpec, 'readiness'>,
): boolean {
  if (container.state !== 'running') return false;
  return readiness.kind === 'none' || observed.probes.get(container.id)?.ready === true;
}

/** Starts, restarts or lets alone the container that should run. */
function keepUp(observed: Observed, container: Container, spec: ProgramSpec): Action[] {
  if (observed.stopping.has(container.id)) return [];
  if (container.state === 'paused') return [{ kind: 'unpause', containerId: container.id }];
  if (isUp(container)) {
    const { live, liveMessage = '' } = observed.probes.get(container.id) ?? {};
    if (live !== false) return [];
    const why = `its liveness probe fails${liveMessage === '' ? '' : `: ${liveMessage}`}`;
    return [{ ...stop(container, spec.stopGracePeriodSeconds, why), wanted: false }];
  }
  if (isFinished(observed, hashOf(container))) return [];
  if (!mayStart(observed)) return waitForStart(observed);
  const why = container.startedAtMs === 0 ? 'first' : hasCrashed(observed, container) ? 'restart' : 'again';
  return [{ kind: 'start', containerId: container.id, why }];
}

/** Whether it ended by itself, and not by a wish. */
function hasCrashed({ memory }: Observed, container: Container): boolean {
  return memory.exitSeen === runKey(container) && memory.backOff !== undefined;
}

export function isFinished(observed: Observed, hash: string): boolean {
  return observed.memory.finished?.specHash === hash;
}

function mayStart(observed: Observed): boolean {
  return startWaitMs(observed) === 0;
}

/** Milliseconds until a start may be tried, after crashes or failed starts. */
export function startWaitMs({ memory, nowMs }: Observed): number {
  const crash = memory.backOff === undefined ? 0 : waitMs(memory.backOff.nextAt, nowMs);
  const failed = memory.failedStart === undefined ? 0 : waitMs(memory.failedStart.nextAt, nowMs);
  return Math.max(crash, failed);
}

/** A revision that was rolled back for a fault that may be the machine's is tried again. */
function waitForNextTry({ rollback, memory, nowMs }: Observed): Action[] {
  const nextAt = memory.rolledBack?.nextAt;
  if (rollback === undefined || nextAt === undefined) return [];
  const ms = waitMs(nextAt, nowMs);
  // One that is due, and is none yet, has sources that can not be read: that these are back is told, and waited for by nobody.
  return ms > 0 ? [{ kind: 'wait', ms, why: 'the newest revision is tried again' }] : [];
}

function waitForStart(observed: Observed): Action[] {
  const why = observed.memory.failedStart === undefined ? 'back-off after a crash' : 'the last start failed';
  return [{ kind: 'wait', ms: startWaitMs(observed), why }];
}

function planCreate(observed: Observed, spec: ProgramSpec, hash: string): Action[] {
  if (isFinished(observed, hash)) return [];
  switch (observed.image.kind) {
    case 'unknown':
    case 'pending':
    case 'unneeded':
      return [];
    case 'absent':
      return planImage(observed, spec);
    case 'present':
      if (observed.portProblem !== undefined || !mayStart(observed)) {
        return [
          {
            kind: 'wait',
            ms: startWaitMs(observed) || PORT_RETRY_MS,
            why: 'no port, or the last try failed',
          },
        ];
      }
      return [create(observed, spec, hash, observed.image.id)];
  }
}

/** A port that somebody else holds is asked for again after this. */
const PORT_RETRY_MS = 5_000;

function planImage(observed: Observed, spec: ProgramSpec): Action[] {
  const failed = observed.memory.failedBuild;
  if (failed?.hash === observed.imageKey) {
    if (failed.nextAt === '') return [];
    const ms = waitMs(failed.nextAt, observed.nowMs);
    if (ms > 0) return [{ kind: 'wait', ms, why: 'the build is tried again' }];
  }
  if (spec.build === null) return [{ kind: 'pull', reference: observed.imageKey }];
  return [{ kind: 'build', hash: observed.imageKey, buildId: observed.buildId }];
}

function create(observed: Observed, spec: ProgramSpec, hash: string, imageId: string): Action {
  const revision = observed.rollback?.revision ?? nextRevision(observed, spec);
  const drift = observed.containers
    .filter((one) => hashOf(one) === hash)
    .flatMap((one) => driftOf(one, observed.memory));
  const changed = drift.length === 0 ? '' : `somebody changed the container: ${drift.join('; ')}`;
  const why = isRemoved(observed) ? 'somebody removed the container' : changed;
  return {
    kind: 'create',
    containerName: freeName(observed, hash),
    specHash: hash,
    revision,
    imageId,
    spec,
    why,
  };
}

/** Whether what served is gone, and not by the host. */
function isRemoved({ memory, containers }: Observed): boolean {
  const { baseline, rests } = memory;
  if (rests === true || baseline === undefined || baseline.removed === true) return false;
  return !containers.some((one) => one.id === baseline.containerId && !isGoing(one));
}

/** The plain name, or one with a suffix while another container has it. */
function freeName({ containers, containerName }: Observed, hash: string): string {
  const taken = new Set(containers.map(({ name }) => name));
  const beside = `${containerName}-${hash.slice(-8)}`;
  const names = [containerName, beside, ...containers.map((_, index) => `${beside}-${index + 2}`)];
  return names.find((name) => !taken.has(name)) ?? beside;
}

/** A restart is the same revision; anything else that needs another container is the next. */
function nextRevision(observed: Observed, spec: ProgramSpec): number {
  const latest = observed.memory.latestRevision;
  const hash = revisionHash(spec, observed.imageKey);
  if (latest?.hash === hash) return latest.number;
  // What is wanted again after one that was rolled back is the one that serves, and so is its restart.
  const { good, rolledBack } = observed.memory;
  if (good?.hash === hash && rolledBack === undefined && isMade(observed, good.revision))
    return good.revision;
  return newestNumber(observed) + 1;
}

const isMade = ({ containers }: Observed, revision: number): boolean =>
  containers.some((one) => revisionOf(one) === revision);

/** The number of the newest revision. One that could not be written down is known by the containers made for it. */
export function newestNumber({ memory, containers }: Observed): number {
  return Math.max(memory.latestRevision?.number ?? 0, ...containers.map(revisionOf));
}

/** Looks again when the time to become ready has passed. */
function waitForDeadline(observed: Observed, current: Container, spec: ProgramSpec): Action[] {
  if (current.state !== 'running' || isReady(observed, current, spec)) return [];
  const ms = spec.progressDeadlineSeconds * 1000 - observed.rolloutMs;
  return ms > 0 ? [{ kind: 'wait', ms, why: 'it has until then to become ready' }] : [];
}

function stop(container: Container, graceSeconds: number, why: string): Extract<Action, { kind: 'stop' }> {
  return { kind: 'stop', containerId: container.id, graceSeconds, why, wanted: true };
}
