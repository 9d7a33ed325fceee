import type { RevisionStore } from '../../registry/records/revision-store.ts';
import type { Container } from '../../schemas/container.ts';
import { AppError, withHint } from '../../schemas/errors.ts';
import { LABELS, type ProgramMemory, type ProgramSpec, type ProgramStatus } from '../../schemas/program.ts';
import type { Revision } from '../../schemas/revision.ts';
import { digest, revisionHash } from '../../schemas/spec-hash.ts';
import type { Engine } from '../engine/engine.ts';
import type { Slots } from '../engine/slots.ts';
import type { ImageTasks } from '../images/tasks.ts';
import type { Ports } from '../ports/ports.ts';
import { type Action, short } from '../program/action.ts';
import type { EventDraft } from '../program/events.ts';
import { afterStartFailure, afterStop, describeExit } from '../program/memory.ts';
import { type Observed, revisionOf, runKey } from '../program/observed.ts';
import { assignRoles } from '../program/plan.ts';
import { afterRefusedStart } from '../program/rollback.ts';
import { type RecordDeps, recordOf } from '../serve/revision-history.ts';

export interface ExecuteDeps extends RecordDeps {
  engine: Engine;
  instance: string;
  images: ImageTasks;
  ports: Ports;
  slots: Slots;
  revisions: Pick<RevisionStore, 'get'>;
  /** Writes a revision down. Never rejects: one that can not be written can not be gone back to, and no more. */
  keepRevision: (name: string, revision: Revision) => Promise<void>;
  /** Ends a container in the background; the program is looked at again when it has ended. */
  stop: (name: string, containerId: string, graceSeconds: number) => void;
  /** Keeps with a revision why it is bad, and the last output of its container. Never rejects. */
  keepOutcome: (name: string, revision: number, why: Why, containerId?: string) => Promise<void>;
  /** Writes down what must be remembered before the next step. */
  save: (status: ProgramStatus) => Promise<void>;
  /** Tells people what was done; resolves when it is written. */
  emit: (status: ProgramStatus, event: EventDraft) => Promise<void>;
  /** Removes the ledger and everything kept in memory; the volume goes to the trash. */
  forget: (status: ProgramStatus) => Promise<void>;
}

/** Why a revision is bad, see `Revision`. */
export interface Why {
  reason: string;
  message: string;
}

/**
 * Carries out one action. What has to be remembered for it is saved before the engine is asked.
 * @returns the status after it, and whether the pass may go on with the next action
 */
export async function execute(
  deps: ExecuteDeps,
  status: ProgramStatus,
  observed: Observed,
  action: Action,
): Promise<{ status: ProgramStatus; goOn: boolean }> {
  const { engine, images } = deps;
  const { name } = status;
  const note = (reason: string, message: string, type: EventDraft['type'] = 'Normal') =>
    deps.emit(status, { type, reason, message });
  switch (action.kind) {
    case 'build': {
      const build = observed.goal.kind === 'run' ? observed.goal.spec.build : null;
      images.leave(name, action.hash);
      if (build !== null) images.build(name, { ...action, build });
      return { status, goOn: true };
    }
    case 'pull':
      images.leave(name, action.reference);
      images.pull(name, action.reference);
      await note('Pulling', `pulling ${action.reference}`);
      return { status, goOn: true };
    case 'cancelImage':
      images.leave(name);
      await note('BuildCancelled', action.why);
      return { status, goOn: true };
    case 'create':
      return createContainer(deps, status, observed, action);
    case 'start':
      return startContainer(deps, status, observed, action);
    case 'unpause':
      await engine.unpauseContainer(action.containerId);
      await note('Unpaused', `${short(action.containerId)} was paused by somebody; it goes on`, 'Warning');
      return { status, goOn: true };
    case 'stop': {
      const container = observed.containers.find(({ id }) => id === action.containerId);
      // Written down first: an exit that was asked for must never look like a crash, whoever dies in between.
      const next =
        container === undefined
          ? status
          : {
              ...status,
              memory: action.wanted
                ? afterStop(status.memory, container)
                : { ...status.memory, unhealthyRun: runKey(container) },
            };
      await deps.save(next);
      deps.stop(name, action.containerId, action.graceSeconds);
      if (!action.wanted)
        await note('Unhealthy', `${short(action.containerId)} is stopped: ${action.why}`, 'Warning');
      return { status: next, goOn: true };
    }
    case 'rename': {
      await engine.renameContainer(action.containerId, action.to);
      const from = observed.containers.find(({ id }) => id === action.containerId)?.name ?? '';
      // One that stood beside the last revision takes over its name; any other name was given by somebody.
      if (!isBeside(from, action.to)) {
        await note(
          'Drifted',
          `somebody renamed the container to ${from}; it is ${action.to} again`,
          'Warning',
        );
      }
      return { status, goOn: true };
    }
    case 'remove':
      await engine.removeContainer(action.containerId);
      await note('Removed', `container ${short(action.containerId)} was removed: ${action.why}`);
      return { status: withoutServing(status, action.containerId), goOn: true };
    case 'forget':
      await deps.forget(status);
      return { status, goOn: false };
    case 'wait':
      return { status, goOn: true };
  }
}

async function createContainer(
  deps: ExecuteDeps,
  before: ProgramStatus,
  observed: Observed,
  action: Extract<Action, { kind: 'create' }>,
): Promise<{ status: ProgramStatus; goOn: boolean }> {
  const { name } = before;
  const { spec, revision, imageId } = action;
  const hash = revisionHash(spec, observed.imageKey);
  const buildHash = spec.build === null ? '' : observed.imageKey;
  const there = await deps.revisions.get(name, revision);
  if (observed.rollback === undefined && there !== undefined && there.hash !== hash) {
    // The ledger that tells of that one was never written: the number is taken, and the next pass finds another.
    const latestRevision = { number: revision, hash: there.hash };
    const { good, ...others } = before.memory;
    const isGood = good?.revision === revision;
    const memory = isGood ? { ...others, latestRevision } : { ...before.memory, latestRevision };
    return { status: { ...before, memory }, goOn: false };
  }
  const volume = before.memory.volume ?? volumeName(deps.instance, name, spec.userId);
  // What is made of the good one again leaves the number of the bad one given.
  const isNewest = revision >= (before.memory.latestRevision?.number ?? 0);
  const status: ProgramStatus = {
    ...before,
    memory:
      observed.rollback === undefined
        ? { ...before.memory, volume, ...(isNewest && { latestRevision: { number: revision, hash } }) }
        : { ...before.memory, volume },
  };
  const isNew = before.memory.latestRevision?.number !== revision && there === undefined;
  if (observed.rollback === undefined && isNew) {
    const made = { revision, hash, imageKey: observed.imageKey, buildId: observed.buildId, spec };
    await deps.keepRevision(name, await recordOf(deps, before, made, imageId));
    await keepOvertaken(deps, before, observed, revision);
  }
  await deps.save(status);
  try {
    const id = await deps.slots.run(slotOf(status.memory), () =>
      deps.engine.createContainer({
        program: name,
        name: action.containerName,
        image: imageId,
        labels: {
          ...status.memory.inForce?.labels,
          [LABELS.instance]: deps.instance,
          [LABELS.program]: name,
          [LABELS.specHash]: action.specHash,
          [LABELS.build]: buildHash,
          [LABELS.revision]: String(revision),
          [LABELS.restartedAt]: spec.restartedAt,
        },
        env: { ...spec.env, HERSH_PROGRAM_ID: name },
        publishPort: observed.port,
        runtime: spec.runtime,
        memoryBytes: spec.resources.memoryBytes,
        cpus: spec.resources.cpus,
        pids: spec.resources.pids,
        volume,
        volumeLabels: {
          [LABELS.instance]: deps.instance,
          [LABELS.program]: name,
          [LABELS.user]: spec.userId,
        },
      }),
    );
    if (action.why !== '')
      await deps.emit(status, { type: 'Warning', reason: 'Drifted', message: action.why });
    await deps.emit(status, {
      type: 'Normal',
      reason: 'Created',
      message: `revision ${revision} in container ${short(id)}`,
    });
    return { status, goOn: true };
  } catch (error) {
    return failedToStart(deps, status, error);
  }
}

/** What the revision before it came to, where that had no time to become ready. */
async function keepOvertaken(
  deps: ExecuteDeps,
  { name, memory: { latestRevision, good, finished } }: ProgramStatus,
  { containers }: Observed,
  by: number,
): Promise<void> {
  if (latestRevision === undefined || good?.revision === latestRevision.number) return;
  const { number } = latestRevision;
  if ((await deps.revisions.get(name, number))?.outcome !== 'Pending') return;
  const container = containers.find((one) => revisionOf(one) === number);
  // One that ran to its end did what it was there for.
  if (finished !== undefined && container?.labels[LABELS.specHash] === finished.specHash) return;
  const why = { reason: 'Overtaken', message: `revision ${by} came before it was ready` };
  await deps.keepOutcome(name, number, why, container?.id);
}

async function startContainer(
  deps: ExecuteDeps,
  before: ProgramStatus,
  observed: Observed,
  action: Extract<Action, { kind: 'start' }>,
): Promise<{ status: ProgramStatus; goOn: boolean }> {
  const restarted = action.why === 'restart';
  const status = restarted ? { ...before, restartCount: before.restartCount + 1 } : before;
  if (restarted) await deps.save(status);
  try {
    const outcome = await deps.slots.run(slotOf(status.memory), () =>
      deps.engine.startContainer(action.containerId),
    );
    if (outcome === 'gone') return { status, goOn: false };
  } catch (error) {
    const conflict = error instanceof AppError && error.reason === 'PortConflict';
    const pinned = observed.goal.kind === 'run' && observed.goal.spec.publishPort !== null;
    if (conflict && !pinned) return reassignPort(deps, status, observed.port);
    const isGone = !conflict && isStartFailure(error);
    if (isGone) await deps.engine.removeContainer(action.containerId);
    const left = isGone ? withoutServing(status, action.containerId) : status;
    const failed = failedToStart(deps, left, error);
    // The one that served was stopped for this one, so it has to come back now and not after a deadline.
    if (conflict || observed.goal.kind !== 'run') return failed;
    const { spec } = observed.goal;
    // An older one that only serves until the wanted one can be had says nothing about that.
    const { current } = assignRoles(observed, spec);
    if (current?.id !== action.containerId) return failed;
    return { ...failed, status: await refused(deps, failed.status, observed, spec, current, error) };
  }
  if (restarted) {
    const after = status.lastExit === null ? '' : ` after ${describeExit(status.lastExit)}`;
    const message = `restart ${status.restartCount} of ${short(action.containerId)}${after}`;
    await deps.emit(status, { type: 'Normal', reason: 'Restarted', message });
  }
  const { failedStart, ...memory } = status.memory;
  return { status: { ...status, memory }, goOn: true };
}

/** The good revision comes back, where there is one; what became of this one is kept with it. */
async function refused(
  deps: ExecuteDeps,
  status: ProgramStatus,
  observed: Observed,
  spec: ProgramSpec,
  current: Container,
  error: unknown,
): Promise<ProgramStatus> {
  const message = withHint(error);
  const { imageKey, nowMs } = observed;
  const memory = afterRefusedStart(status.memory, spec, imageKey, current, message, nowMs);
  const { rolledBack } = memory;
  // Where the good one is refused, what is known of the bad one stays.
  if (rolledBack !== undefined && rolledBack !== status.memory.rolledBack)
    await deps.keepOutcome(status.name, rolledBack.revision, { reason: 'StartFailed', message });
  return { ...status, memory };
}

/** The port was taken by somebody else on this machine: another one, and a container for it. */
async function reassignPort(
  deps: ExecuteDeps,
  status: ProgramStatus,
  taken: number,
): Promise<{ status: ProgramStatus; goOn: boolean }> {
  let port: number;
  try {
    port = await deps.ports.reserve(status.name, new Set([taken]));
  } catch (error) {
    return failedToStart(deps, status, error);
  }
  deps.ports.release(status.name, port);
  const next = { ...status, publishPort: port };
  await deps.save(next);
  const message = `port ${taken} is taken by something else on this machine; the program moves to ${port}`;
  await deps.emit(next, { type: 'Warning', reason: 'PortReassigned', message });
  return { status: next, goOn: false };
}

const isStartFailure = (error: unknown): boolean =>
  error instanceof AppError && (error.reason === 'StartFailed' || error.reason === 'ImageNotFound');

function failedToStart(
  deps: ExecuteDeps,
  status: ProgramStatus,
  error: unknown,
): { status: ProgramStatus; goOn: boolean } {
  if (!(error instanceof AppError) || error.reason === 'EngineUnavailable') throw error;
  const failure = { reason: error.reason, message: withHint(error) };
  return {
    status: { ...status, memory: afterStartFailure(status.memory, failure, deps.clock.now()) },
    goOn: false,
  };
}

function slotOf(memory: ProgramMemory): 'calm' | 'crashing' {
  return (memory.backOff?.count ?? 0) > 1 || memory.failedStart !== undefined ? 'crashing' : 'calm';
}

/** That the host itself removed what served is remembered: it is not missed. */
function withoutServing(status: ProgramStatus, containerId: string): ProgramStatus {
  const { baseline } = status.memory;
  if (baseline?.containerId !== containerId) return status;
  return { ...status, memory: { ...status.memory, baseline: { ...baseline, removed: true } } };
}

/** Whether the name is one that the host gives to a container that stands beside another. */
function isBeside(name: string, plain: string): boolean {
  return name.startsWith(plain) && /^-[0-9a-f]{8}(-\d+)?$/.test(name.slice(plain.length));
}

/** Differs by user, so that a name that comes again under another user never gets the first one's data. */
export function volumeName(instance: string, name: string, userId: string): string {
  const prefix = instance === 'default' ? '' : `${instance}-`;
  return `${prefix}hersh-state-${name}-${digest(userId).slice(0, 8)}`;
}
