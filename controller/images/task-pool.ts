import { AppError, messageOf, withHint } from '../../schemas/errors.ts';
import type { ImageFailure } from '../../schemas/facts.ts';
import type { Slots } from '../engine/slots.ts';

/** What the newest task of a program came to. */
export interface Outcome {
  failure?: ImageFailure;
  /** The attempt that a pull was for which ended well. */
  pulled?: string;
}

export interface Task {
  /** Build hash or reference. */
  key: string;
  /** The programs, each with the attempt that a pull is for, or `""`. */
  waiters: Map<string, string>;
  abort: AbortController;
  /** It had its turn. */
  isRunning: boolean;
  done: Promise<void>;
}

export interface NewTask {
  /** Who comes while one of that id runs joins it. */
  id: string;
  key: string;
  /** Whether there is one at a time of that key. */
  isAlone: boolean;
  slots: Slots;
  run: (task: Task) => Promise<unknown>;
}

export type TaskPool = ReturnType<typeof createTaskPool>;

/** Tasks in the background, and the programs that wait for them. @param onDone called with each when one has ended, and of what that was */
export function createTaskPool(onDone: (name: string, key: string) => void) {
  const tasks = new Map<string, Task>();
  const outcomes = new Map<string, Outcome>();

  function begin({ id, key, isAlone, slots, run }: NewTask, waiters: Task['waiters']): Task {
    const abort = new AbortController();
    const task: Task = { key, waiters, abort, isRunning: false, done: Promise.resolve() };
    // One that is being stopped takes a moment to end, and writes the same log until then.
    const before = [...tasks].filter(([other, one]) => other === id || (isAlone && one.key === key));
    tasks.set(id, task);
    task.done = Promise.all(before.map(([, { done }]) => done))
      .then(() =>
        slots.run('calm', async () => {
          task.isRunning = true;
          if (!abort.signal.aborted) await run(task);
        }),
      )
      .then(() => {
        for (const [waiter, attempt] of waiters)
          if (attempt !== '') outcomes.set(waiter, { pulled: attempt });
      })
      .catch((error: unknown) => {
        for (const [waiter, attempt] of waiters)
          outcomes.set(waiter, { failure: failureOf(key, attempt, error) });
      })
      .finally(() => {
        if (tasks.get(id) === task) tasks.delete(id);
        for (const waiter of waiters.keys()) onDone(waiter, key);
      });
    return task;
  }

  return {
    begin,
    /** @param attempt see `Task.waiters` */
    join(name: string, attempt: string, wanted: NewTask): void {
      outcomes.delete(name);
      const running = tasks.get(wanted.id);
      if (running !== undefined && !running.abort.signal.aborted) running.waiters.set(name, attempt);
      else begin(wanted, new Map([[name, attempt]]));
    },
    /** What runs and waits, with the programs it is for. */
    list: () =>
      [...tasks.values()].map(({ key, waiters, isRunning }) => ({
        key,
        programs: [...waiters.keys()],
        isRunning,
      })),
    keys: () => [...tasks.values()].map(({ key }) => key),
    keysOf: (name: string) =>
      [...tasks.values()].flatMap(({ key, waiters }) => (waiters.has(name) ? [key] : [])),
    /** See `ImageTasks.leave`. */
    leave(name: string, keep?: string): void {
      if (keep === undefined) outcomes.delete(name);
      for (const { key, waiters, abort } of tasks.values()) {
        if (key === keep || !waiters.delete(name)) continue;
        if (waiters.size === 0) abort.abort();
      }
    },
    takeOutcome(name: string): Outcome {
      const outcome = outcomes.get(name) ?? {};
      outcomes.delete(name);
      return outcome;
    },
    async close(): Promise<void> {
      const running = [...tasks.values()];
      for (const { abort } of running) abort.abort();
      await Promise.all(running.map(({ done }) => done));
    },
  };
}

function failureOf(key: string, attempt: string, error: unknown): ImageFailure {
  const of = { key, ...(attempt !== '' && { attempt }) };
  if (!(error instanceof AppError))
    return { ...of, reason: 'InternalError', message: messageOf(error), again: false };
  const reason = error.reason === 'BuildNetworkFailed' ? 'BuildFailed' : error.reason;
  return { ...of, reason, message: withHint(error), again: error.retry === 'backoff' };
}
