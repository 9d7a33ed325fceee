import { emptyStatus } from '../../registry/records/status-store.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Clock } from '../../schemas/clock.ts';
import type { Container } from '../../schemas/container.ts';
import { AppError } from '../../schemas/errors.ts';
import { LABELS, type Program, type ProgramStatus, type Runtime, timestamp } from '../../schemas/program.ts';
import type { Revision } from '../../schemas/revision.ts';
import { revisionHash } from '../../schemas/spec-hash.ts';
import type { Wanted } from '../../schemas/wanted.ts';
import type { ControllerLog } from '../log.ts';
import { type Action, describe, short } from '../program/action.ts';
import { type EventDraft, eventsBetween, isCommitted } from '../program/events.ts';
import { goalOf } from '../program/goal.ts';
import { describeDeletion } from '../program/memory.ts';
import { isUp, type Observed, runKey } from '../program/observed.ts';
import { assignRoles, plan } from '../program/plan.ts';
import { afterDeadline, probesFor } from '../program/rollback.ts';
import { hasBeenReady, status as statusOf, statusWithoutEngine } from '../program/status.ts';
import { recordOf } from '../serve/revision-history.ts';
import { type ExecuteDeps, execute, type Why } from './execute.ts';
import { type ObserveDeps, observe, tailOf } from './observe.ts';
import type { Prober } from './probe.ts';

/** Lines of output kept of a revision that was rolled back: as many as a look at the logs gives. */
const BAD_LOG_LINES = 200;
/** Passes in a row before the key goes back to the queue, so that one program can not keep a worker. */
const PASSES_MAX = 20;

const LEDGER_LOST: EventDraft = {
  type: 'Warning',
  reason: 'StatusLost',
  message: 'its status file was lost or damaged; it is made good from its containers and its history',
};

export interface ReconcileDeps
  extends ObserveDeps,
    Omit<ExecuteDeps, 'save' | 'emit' | 'forget' | 'revisions' | 'keepRevision' | 'keepOutcome'> {
  registry: Registry;
  prober: Prober;
  runtime: Runtime;
  clock: Clock;
  log: ControllerLog;
  /** Why the engine can not be asked, or `""`. */
  engineTrouble: () => string;
  /** Told of what a look found. */
  saw: (name: string, containers: readonly Container[]) => void;
  /** A pass over the program begins: what happened before needs no other. */
  begins: (name: string) => void;
  /** Looks at the program again after so many milliseconds. */
  again: (name: string, ms: number) => void;
  /** The revision of each program that is known to be written down as good. */
  good: Map<string, number>;
  /** Programs that this host has looked at. */
  met: Set<string>;
  /** Called when a program is no more. */
  onForgotten: (name: string) => void;
}

/**
 * Looks at one program: reads what is wanted and what is, decides, acts, writes the status, until there is
 * nothing left to do now. Rejects with whatever went wrong; the caller decides when to try again.
 */
export async function reconcile(deps: ReconcileDeps, name: string): Promise<void> {
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    if (!(await onePass(deps, name))) return;
  }
  deps.again(name, 0);
}

/** @returns whether something was done, so that the world has to be looked at again */
async function onePass(deps: ReconcileDeps, name: string): Promise<boolean> {
  const { registry, clock } = deps;
  deps.begins(name);
  const wanted = registry.wanted(name);
  const known = registry.status.get(name);
  if (known === undefined && wanted.kind !== 'present') {
    // A pass that failed before it could write a ledger may have held one.
    deps.ports.release(name);
    return false;
  }
  const before = await remembered(deps, wanted, known ?? emptyStatus(name, clock.now()));
  const result = goalOf(wanted, before.memory, before.observedGeneration, deps.runtime);
  const { volume } = before.memory;
  if (volume !== undefined && result.memory.volume === undefined) {
    await registry.trashVolume(name, volume, before.userId);
  }
  const trouble = deps.engineTrouble();
  if (trouble !== '') {
    // What was taken in goes into the memory, so it has to count as observed too.
    const { memory, generation: observedGeneration } = result;
    await save(deps, { ...statusWithoutEngine(before, trouble, clock.now()), memory, observedGeneration });
    return false;
  }
  const observed = await observe(deps, before, result);
  deps.saw(name, observed.containers);
  if (isRebuilt(before, observed)) await emit(deps, before, LEDGER_LOST);
  else if (!deps.met.has(name)) await tellOfUntold(deps, before, observed);
  deps.met.add(name);
  const { generation: observedGeneration } = result;
  if (await rolledBack(deps, { ...before, observedGeneration }, observed)) return true;
  const actions = plan(observed);
  const context = {
    problems: result.problems,
    generation: result.generation,
    // A manifest that is missing was last seen in that commit: which one takes it away is judged by it.
    commit:
      wanted.kind === 'present' ? registry.commitOf(name, contextOf(result.goal)) : before.observedRevision,
    missing: result.missing,
    remote: registry.remoteTrouble(),
  };
  const next = statusOf(before, observed, actions, context);
  // The ledger comes before the first engine object, so it has to be on the disk; later ones may lag.
  const isFirst = !registry.status.isKept(name) && observed.containers.length === 0;
  if (isFirst) await save(deps, before, isFirst);
  // A host that is killed before the status is written finds the same news at its next start, so none is lost.
  // HEAD may be a later one, which brought other programs.
  const { commit } = isCommitted(before, next)
    ? await deps.lastChange(name, contextOf(result.goal), next.observedRevision)
    : { commit: '' };
  await Promise.all(eventsBetween(before, next, commit).map((event) => emit(deps, next, event)));
  await noteOutcome(deps, next);
  await save(deps, next);
  releasePorts(deps, observed);
  watchProbes(deps, next, observed);
  return carryOut(deps, next, observed, actions);
}

/** Whether the ledger knew of no revision, and containers do that nobody is just deleting. */
function isRebuilt({ memory }: ProgramStatus, observed: Observed): boolean {
  const { latestRevision, stopsAsked, exitSeen } = memory;
  const isNew = latestRevision === undefined && stopsAsked === undefined && exitSeen === undefined;
  return isNew && observed.containers.length > 0 && observed.memory.latestRevision !== undefined;
}

/** A host that was killed while the engine made a container has told nobody of it. */
async function tellOfUntold(
  deps: ReconcileDeps,
  before: ProgramStatus,
  { containers }: Observed,
): Promise<void> {
  const untold = containers.filter(({ createdAtMs }) => createdAtMs >= Date.parse(before.updatedAt));
  if (untold.length === 0) return;
  const events = await deps.registry.events.list(before.name);
  for (const { id, labels } of untold) {
    const what = `revision ${labels[LABELS.revision]} in container ${short(id)}`;
    if (events.some(({ message }) => message.includes(what))) continue;
    const message = `${what}, while the host before this one was killed`;
    await emit(deps, before, { type: 'Normal', reason: 'Created', message });
  }
}

/** The status before this pass, with what must be known even if the pass ends early. */
async function remembered(
  deps: ReconcileDeps,
  wanted: Wanted,
  status: ProgramStatus,
): Promise<ProgramStatus> {
  if (wanted.kind === 'gone' && status.memory.deleted !== true) return deleted(deps, status);
  const program = wanted.kind === 'present' ? wanted.entry.program : undefined;
  if (program === undefined) return status;
  const before = status.memory.deleted === true ? await bornAnew(deps, status, program) : status;
  if (before.memory.startRequested === true || program.rawSpec.desiredState === 'Stopped') return before;
  // A start that is taken back while its sources are still being looked at was asked for all the same.
  const started = { ...before, memory: { ...before.memory, startRequested: true } };
  await save(deps, started, !deps.registry.status.isKept(status.name));
  return started;
}

/** With the commit that deleted it, to be told as long as anything of it is there. */
async function deleted({ registry }: ReconcileDeps, status: ProgramStatus): Promise<ProgramStatus> {
  const deletedBy = await registry.droppedBy(status.name, status.observedRevision);
  return deletedBy === '' ? status : { ...status, memory: { ...status.memory, deletedBy } };
}

/** The name was deleted and comes back before all of the old program is gone: what was learnt of that one goes. */
async function bornAnew(deps: ReconcileDeps, old: ProgramStatus, program: Program): Promise<ProgramStatus> {
  const { registry, clock } = deps;
  const { name, userId, memory } = old;
  const { volume, latestRevision, stopsAsked, exitSeen } = memory;
  const isSameUser = program.rawSpec.userId === userId;
  if (!isSameUser && volume !== undefined) await registry.trashVolume(name, volume, userId);
  await emit(deps, old, {
    type: 'Normal',
    reason: 'Deleted',
    message: `${describeDeletion(memory)}; another of its name begins before all of it is gone`,
  });
  const born: ProgramStatus = {
    ...emptyStatus(name, clock.now()),
    userId,
    memory: {
      ...(isSameUser && volume !== undefined && { volume }),
      ...(isSameUser && latestRevision !== undefined && { latestRevision }),
      ...(stopsAsked !== undefined && { stopsAsked }),
      ...(exitSeen !== undefined && { exitSeen }),
    },
  };
  await save(deps, born);
  return born;
}

function contextOf(goal: Observed['goal']): string | undefined {
  return goal.kind === 'run' || goal.kind === 'stop' ? goal.spec.build?.context : undefined;
}

/** Gives back what the program had before: not until its status says so, since that is where it is looked for. */
function releasePorts({ ports }: ReconcileDeps, { name, goal, port, portProblem, ...rest }: Observed): void {
  if (portProblem !== undefined || (goal.kind !== 'run' && goal.kind !== 'stop')) return;
  const serving = rest.containers.filter(isUp).map(({ publishPort }) => publishPort);
  ports.release(name, port, rest.shownPort, ...serving);
}

/** Writes down that the wanted revision had its time; the next pass brings the last good one back. */
async function rolledBack(deps: ReconcileDeps, before: ProgramStatus, observed: Observed): Promise<boolean> {
  if (observed.goal.kind !== 'run' || observed.rollback !== undefined) return false;
  const memory = afterDeadline(observed, observed.goal.spec);
  const bad = memory.rolledBack;
  if (memory === observed.memory || bad === undefined) return false;
  const { current } = assignRoles(observed, observed.goal.spec);
  await keepBadRevision(deps, before.name, bad.revision, bad, current?.id);
  await save(deps, { ...before, memory });
  return true;
}

/** The outcome and the last output of a revision that is about to go. */
async function keepBadRevision(
  deps: ReconcileDeps,
  name: string,
  number: number,
  { reason, message }: Why,
  containerId?: string,
): Promise<void> {
  const log = containerId === undefined ? '' : await tailOf(deps.engine, containerId, BAD_LOG_LINES);
  const revision = await deps.registry.revisions.get(name, number);
  if (revision !== undefined)
    await keepRevision(deps, name, { ...revision, outcome: 'Failed', reason, message, log });
}

/** @returns whether it is written */
async function keepRevision(
  { registry, log }: Pick<ReconcileDeps, 'registry' | 'log'>,
  name: string,
  revision: Revision,
): Promise<boolean> {
  try {
    await registry.revisions.put(name, revision);
    return true;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    log.warn({ program: name, error: error.message }, 'the revision can not be written');
    return false;
  }
}

async function carryOut(
  deps: ReconcileDeps,
  from: ProgramStatus,
  observed: Observed,
  actions: readonly Action[],
): Promise<boolean> {
  const { name } = from;
  const executeDeps: ExecuteDeps = {
    ...deps,
    revisions: deps.registry.revisions,
    keepRevision: async (of, revision) => void (await keepRevision(deps, of, revision)),
    keepOutcome: (...outcome) => keepBadRevision(deps, ...outcome),
    save: (status) => save(deps, status),
    emit: (status, event) => emit(deps, status, event),
    forget: (status) => forget(deps, status),
  };
  let status = from;
  let acted = false;
  for (const action of actions) {
    if (action.kind === 'wait') {
      deps.again(name, action.ms);
      continue;
    }
    deps.log.info({ program: name }, describe(action));
    acted = true;
    const outcome = await execute(executeDeps, status, observed, action);
    status = outcome.status;
    // A manifest that came back meanwhile is that of another program.
    if (action.kind === 'forget') return deps.registry.get(name) !== undefined;
    if (!outcome.goOn) break;
  }
  if (status !== from) await save(deps, status);
  return acted;
}

/** A status that can not be written counts in memory; only a ledger that was never written stops the pass. */
async function save(deps: ReconcileDeps, status: ProgramStatus, isFirst = false): Promise<void> {
  const { put } = deps.registry.status;
  try {
    await put(status, { durable: isFirst });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (!isFirst) {
      deps.log.warn({ program: status.name, error: error.message }, 'the status can not be written');
      return;
    }
    const { reason, message } = error;
    await put({ ...status, state: 'Error', reason, errorMsg: message }).catch(() => undefined);
    throw error;
  }
}

/** Resolves when the event is written; never rejects. */
function emit(deps: ReconcileDeps, status: ProgramStatus, event: EventDraft): Promise<void> {
  const { name, state, currentRevision: revision } = status;
  const fields = { program: name, state, reason: event.reason };
  if (event.type === 'Warning') deps.log.warn(fields, event.message);
  else deps.log.debug(fields, event.message);
  return deps.registry.events.append(name, {
    time: timestamp(deps.clock.now()),
    ...event,
    state,
    revision,
  });
}

async function forget(deps: ReconcileDeps, status: ProgramStatus): Promise<void> {
  const { name, userId, memory } = status;
  deps.images.leave(name);
  deps.prober.watch(name, undefined);
  if (memory.volume !== undefined) await deps.registry.trashVolume(name, memory.volume, userId);
  await emit(deps, status, {
    type: 'Normal',
    reason: 'Deleted',
    message: `${describeDeletion(memory)}; its container is gone`,
  });
  // Its history stays for the time it may come back; where nothing was ever made of it there is none.
  if (memory.latestRevision === undefined) await deps.registry.events.remove(name);
  await deps.registry.status.remove(name);
  deps.ports.release(name);
  deps.onForgotten(name);
}

/** A revision is good once it was ready. Looked at anew by each host, since the one before may have been killed. */
async function noteOutcome(deps: ReconcileDeps, status: ProgramStatus): Promise<void> {
  const { name, state, currentRevision } = status;
  if (state !== 'Ready' || deps.good.get(name) === currentRevision) return;
  const kept = await deps.registry.revisions.get(name, currentRevision);
  const revision = kept ?? (await missingRecord(deps, status));
  const isNoted = revision === undefined || revision.outcome === 'Ready';
  if (isNoted || (await keepRevision(deps, name, { ...revision, outcome: 'Ready', message: '' })))
    deps.good.set(name, currentRevision);
}

/** What there was no room to write when it was made, or was damaged since; undefined where something else is in force. */
async function missingRecord(deps: ReconcileDeps, status: ProgramStatus): Promise<Revision | undefined> {
  const { inForce, good } = status.memory;
  const isIt = good?.revision === status.currentRevision && inForce !== undefined;
  if (!isIt || revisionHash(inForce.spec, good.imageKey) !== good.hash) return undefined;
  return recordOf(deps, status, good, status.imageId);
}

/** Probes the container that serves. */
function watchProbes(deps: ReconcileDeps, status: ProgramStatus, observed: Observed): void {
  const { name, goal } = observed;
  if (goal.kind !== 'run') {
    deps.prober.watch(name, undefined);
    return;
  }
  const { current, previous } = assignRoles(observed, goal.spec);
  const serving = [current, previous].find(
    (one) => one !== undefined && isUp(one) && !observed.stopping.has(one.id),
  );
  if (serving === undefined || serving.publishPort === 0) {
    deps.prober.watch(name, undefined);
    return;
  }
  const hadMs = hasBeenReady(status, serving)
    ? Number.POSITIVE_INFINITY
    : observed.nowMs - serving.startedAtMs;
  deps.prober.watch(name, {
    containerId: serving.id,
    runKey: runKey(serving),
    port: serving.publishPort,
    startupMs: Math.max(0, goal.spec.progressDeadlineSeconds * 1000 - hadMs),
    ...probesFor(observed, serving, goal.spec),
  });
}
