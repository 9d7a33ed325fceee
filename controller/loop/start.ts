import { short } from '../../schemas/container.ts';
import { AppError, withHint } from '../../schemas/errors.ts';
import { describeExit } from '../../schemas/last-exit.ts';
import { type Situation, specOf } from '../../schemas/situation.ts';
import { type ProgramStatus, withRestart } from '../../schemas/status.ts';
import type { Ports } from '../ports/ports.ts';
import type { Action } from '../program/action.ts';
import { refusedStart } from '../program/rollback.ts';
import { emit, save } from './ledger.ts';
import { failedToStart, type MakeDeps, slotOf } from './make-container.ts';
import { type Outcome, withDeed } from './outcome.ts';
import { reassignPort } from './reassign-port.ts';
import { keepFailed } from './revisions.ts';

export interface StartDeps extends MakeDeps {
  ports: Ports;
}

/** Starts a container, for the first time or again. */
export async function startContainer(
  deps: StartDeps,
  before: ProgramStatus,
  situation: Situation,
  { containerId, why }: Extract<Action, { kind: 'start' }>,
): Promise<Outcome> {
  const restarted = why === 'restart';
  const status = restarted ? withRestart(before, deps.clock.now()) : before;
  if (restarted) await save(deps, status);
  try {
    const started = await deps.slots.run(slotOf(status.memory), () =>
      deps.engine.startContainer(containerId),
    );
    if (started === 'gone') return { status, goOn: false };
  } catch (error) {
    return notStarted(deps, status, situation, containerId, error);
  }
  if (restarted) {
    const after = status.lastExit === null ? '' : ` after ${describeExit(status.lastExit)}`;
    const message = `restart ${status.restartCount} of ${short(containerId)}${after}`;
    await emit(deps, status, { type: 'Normal', reason: 'Restarted', message });
  }
  return { status: withDeed(status, { kind: 'started' }), goOn: true };
}

async function notStarted(
  deps: StartDeps,
  status: ProgramStatus,
  situation: Situation,
  containerId: string,
  error: unknown,
): Promise<Outcome> {
  const reason = error instanceof AppError ? error.reason : undefined;
  const conflict = reason === 'PortConflict';
  const pinned = situation.goal.kind === 'run' && specOf(situation.goal)?.publishPort !== null;
  if (conflict && !pinned) return reassignPort(deps, status, situation.port);
  const isGone = reason === 'StartFailed' || reason === 'ImageNotFound';
  if (isGone) await deps.engine.removeContainer(containerId);
  const left = isGone ? withDeed(status, { kind: 'removed', containerId }) : status;
  const failed = failedToStart(deps, left, error);
  const refused = conflict ? undefined : refusedStart(situation, containerId, withHint(error));
  if (refused === undefined) return failed;
  const next = withDeed(failed.status, refused);
  const { rollout } = next.memory;
  // The good revision comes back, where there is one, and what became of this one is kept with it.
  if (rollout.verdict === 'bad' && rollout !== failed.status.memory.rollout)
    await keepFailed(deps, status.name, rollout.revision, refused.bad);
  return { ...failed, status: next };
}
