import type { Pulled } from '../../api/program-answers.ts';
import type { Registry } from '../../registry/registry.ts';
import { short } from '../../schemas/container.ts';
import { AppError, type Reason, withHint } from '../../schemas/errors.ts';
import { attemptImage } from '../../schemas/memory.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { ImageTasks } from '../images/once-an-image.ts';
import type { EventDraft } from '../program/events.ts';
import type { ProgramViews } from './program-views.ts';

export interface PullImageDeps {
  registry: Registry;
  pullNow: ImageTasks['pullNow'];
  /** Writes an event of the program. */
  tell: (name: string, event: EventDraft) => Promise<void>;
}

/**
 * Pulls what a program's image is called, and says whether that is another image than the one that it was made of.
 * What is made of that is the caller's. Rejects `NotFound`, `Conflict` where there is nothing to pull or its answer
 * could not be taken up, and as `ImageTasks.pullNow`; what is wrong with the image is an event too.
 * @param gone fires when nobody waits for the answer any more
 */
export function createPullImage(
  deps: PullImageDeps,
  { mustGet }: Pick<ProgramViews, 'mustGet'>,
): (name: string, gone: AbortSignal) => Promise<Pulled> {
  const { registry } = deps;
  return async (name, gone) => {
    const { status } = mustGet(name);
    const { reference, userId } = wanted(status, registry.get(name)?.program?.rawSpec);
    registry.mustBeEditable();
    const pulling = deps.pullNow(name, { reference, userId, gone });
    try {
      const { id } = await pulling;
      const { memory, imageId } = mustGet(name).status;
      const before = attemptImage(memory.rollout) ?? memory.program.newest?.image ?? imageId;
      const changed = id !== before;
      const was = before === '' ? '' : `, and was ${short(before)}`;
      const what = changed ? `${was}: the next revision is made of it` : ', as before: nothing changes';
      const message = `${reference} is image ${short(id)}${what}`;
      await deps.tell(name, { type: 'Normal', reason: 'Pulled', message });
      return { imageId: id, changed };
    } catch (error) {
      if (!(error instanceof AppError && NO_PULL.has(error.reason)))
        await deps.tell(name, { type: 'Warning', reason: 'PullFailed', message: withHint(error) });
      throw error;
    }
  };
}

/** Ends of a call that say nothing about the image. */
const NO_PULL: ReadonlySet<Reason> = new Set(['Conflict', 'NotFound', 'Busy', 'BuildAborted']);

/** What the manifest names or, while it is not valid, what is in force. */
function wanted(
  { name, userId, memory }: ProgramStatus,
  rawSpec: Record<string, unknown> | undefined,
): { reference: string; userId: string } {
  const spec = rawSpec ?? memory.program.inForce?.spec ?? {};
  const { image } = spec;
  if (typeof image !== 'string') {
    throw new AppError('Conflict', `program ${name} names no image that could be pulled`, {
      hint: 'One that is built gets its base images anew when its sources change, under pullPolicy: Always.',
    });
  }
  if (image.startsWith('sha256:')) {
    throw new AppError(
      'Conflict',
      `program ${name} names its image by its id, which is never another image`,
      {
        hint: 'Name it by a tag in the manifest (spec.image); a rollback may have written the id there.',
      },
    );
  }
  return { reference: image, userId: typeof spec.userId === 'string' ? spec.userId : userId };
}
