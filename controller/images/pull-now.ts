import { AppError } from '../../schemas/errors.ts';
import type { Image } from '../engine/engine.ts';
import { createSlots } from '../engine/slots.ts';
import type { TaskPool } from './task-pool.ts';

/** Pulls that calls wait for, at a time, beside all others: a registry that stalls keeps no program from its image. */
const CALLED_PULLS_MAX = 2;
/** Calls that wait for their turn; more are refused. */
const WAITING_CALLS_MAX = 8;

/** What somebody who waits for the answer asks for. */
export interface PullNow {
  reference: string;
  userId: string;
  /** Fires when nobody waits for the answer any more. */
  gone: AbortSignal;
}

/** See `ImageTasks.pullNow`. */
export function createPullNow(
  pool: TaskPool,
  pull: (name: string, request: PullNow, signal: AbortSignal) => Promise<Image>,
): (name: string, request: PullNow) => Promise<Image> {
  const slots = createSlots(CALLED_PULLS_MAX, 0);
  const called = new Set<string>();
  return async (name, request) => {
    const { reference: key, gone } = request;
    if (called.has(name)) throw new AppError('Conflict', `a pull for program ${name} is under way already`);
    if (called.size >= CALLED_PULLS_MAX + WAITING_CALLS_MAX) {
      const message = `${called.size} pulls are asked for already, of which ${CALLED_PULLS_MAX} run at a time`;
      throw new AppError('Busy', message, { hint: 'Ask again when one of them has been answered.' });
    }
    called.add(name);
    let stop = () => {};
    try {
      return await new Promise<Image>((resolve, reject) => {
        const run = ({ abort }: { abort: AbortController }) =>
          pull(name, request, abort.signal).then(resolve, reject);
        const task = { id: `now\n${name}`, key, isAlone: false, slots, run };
        const { abort } = pool.begin(task, new Map());
        abort.signal.addEventListener('abort', () => reject(stopped(gone)), { once: true });
        stop = () => abort.abort();
        gone.addEventListener('abort', stop, { once: true });
        if (gone.aborted) stop();
      });
    } finally {
      gone.removeEventListener('abort', stop);
      called.delete(name);
    }
  };
}

function stopped({ aborted: isGone }: AbortSignal): AppError {
  const why = isGone ? 'nobody waits for it any more' : 'the host ends';
  return new AppError('BuildAborted', `the pull was stopped, since ${why}`);
}
