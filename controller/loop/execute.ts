import { short } from '../../schemas/container.ts';
import { type Situation, specOf } from '../../schemas/situation.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { ImageTasks } from '../images/once-an-image.ts';
import type { Action, StopAction } from '../program/action.ts';
import type { EventDraft } from '../program/events.ts';
import { emit, save } from './ledger.ts';
import { createContainer, type MakeDeps } from './make-container.ts';
import { type Outcome, withDeed } from './outcome.ts';
import { type StartDeps, startContainer } from './start.ts';

export interface ExecuteDeps extends MakeDeps, StartDeps {
  images: ImageTasks;
  /** Ends a container in the background; the program is looked at again when it has ended. */
  stop: (name: string, containerId: string, graceSeconds: number) => void;
}

/** Carries out one action. What has to be remembered for it is saved before the engine is asked. */
export async function execute(
  deps: ExecuteDeps,
  status: ProgramStatus,
  situation: Situation,
  action: Exclude<Action, { kind: 'wait' | 'forget' }>,
): Promise<Outcome> {
  switch (action.kind) {
    case 'create':
      return createContainer(deps, status, situation, action);
    case 'start':
      return startContainer(deps, status, situation, action);
    case 'stop':
      return { status: await stopContainer(deps, status, situation, action), goOn: true };
    case 'remove':
      await deps.engine.removeContainer(action.containerId);
      await tell(
        deps,
        status,
        'Removed',
        `container ${short(action.containerId)} was removed: ${action.why}`,
      );
      return { status: withDeed(status, { kind: 'removed', containerId: action.containerId }), goOn: true };
    default:
      await carryOut(deps, status, situation, action);
      return { status, goOn: true };
  }
}

function tell(
  deps: ExecuteDeps,
  status: ProgramStatus,
  reason: string,
  message: string,
  type: EventDraft['type'] = 'Normal',
): Promise<void> {
  return emit(deps, status, { type, reason, message });
}

/** What leaves the status as it is. */
async function carryOut(
  deps: ExecuteDeps,
  status: ProgramStatus,
  { goal, containers, memory }: Situation,
  action: Extract<
    Action,
    { kind: 'build' | 'pull' | 'cancelImage' | 'unpause' | 'rename' | 'removeSandbox' }
  >,
): Promise<void> {
  const { engine, images } = deps;
  const { name } = status;
  const spec = specOf(goal);
  const { userId = '' } = spec ?? {};
  switch (action.kind) {
    case 'build': {
      const build = spec?.build ?? null;
      images.leave(name, action.hash);
      if (build !== null) images.build(name, { ...action, build, userId });
      return;
    }
    case 'pull':
      images.leave(name, action.reference);
      images.pull(name, {
        ...{ reference: action.reference, userId, attempt: memory.rollout.attempt },
        isFresh: spec?.pullPolicy === 'Always',
      });
      return tell(deps, status, 'Pulling', `pulling ${action.reference}`);
    case 'cancelImage':
      images.leave(name);
      return tell(deps, status, 'BuildCancelled', action.why);
    case 'removeSandbox':
      return engine.removeSandbox(action.sandboxId);
    case 'unpause': {
      await engine.unpauseContainer(action.containerId);
      const what = `${short(action.containerId)} was paused by somebody; it goes on`;
      return tell(deps, status, 'Unpaused', what, 'Warning');
    }
    case 'rename': {
      await engine.renameContainer(action.containerId, action.to);
      const from = containers.find(({ id }) => id === action.containerId)?.name ?? '';
      // One that stood beside the last revision takes over its name; any other name was given by somebody.
      if (isBeside(from, action.to)) return;
      const what = `somebody renamed the container to ${from}; it is ${action.to} again`;
      return tell(deps, status, 'Drifted', what, 'Warning');
    }
  }
}

/** Written down first: an exit that was asked for must never look like a crash, whoever dies in between. */
async function stopContainer(
  deps: ExecuteDeps,
  status: ProgramStatus,
  { containers }: Situation,
  { containerId, graceSeconds, why, wanted: isWish, tells }: StopAction,
): Promise<ProgramStatus> {
  const container = containers.find(({ id }) => id === containerId);
  const next = container === undefined ? status : withDeed(status, { kind: 'stops', container, isWish });
  await save(deps, next);
  deps.stop(status.name, containerId, graceSeconds);
  if (!isWish) await tell(deps, status, 'Unhealthy', `${short(containerId)} is stopped: ${why}`, 'Warning');
  if (tells !== undefined) await tell(deps, status, tells, why);
  return next;
}

/** Whether the name is one that the host gives to a container that stands beside another. */
function isBeside(name: string, plain: string): boolean {
  return name.startsWith(plain) && /^-[0-9a-f]{8}(-\d+)?$/.test(name.slice(plain.length));
}
