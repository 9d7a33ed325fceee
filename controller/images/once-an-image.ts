/**
 * The room that gets images: builds and pulls in the background, and the hashes of what is built from, so that
 * nobody waits for them and nothing is made twice.
 */

import { AppError, messageOf, withHint } from '../../schemas/errors.ts';
import type { ImageFailure } from '../../schemas/facts.ts';
import { createSlots, type Slots } from '../engine/slots.ts';
import { BUILDS_MAX, type BuildDeps, type BuildRequest, runBuild } from './run-build.ts';
import { PULLS_MAX, runPull } from './run-pull.ts';

/** Builds and pulls that run in the background, one an image however many programs wait for it. */
export interface ImageTasks {
  /** Whether one runs, or waits for its turn, for this program; for that image only, where one is named. */
  pending(name: string, key?: string): boolean;
  /** What runs, or waits for its turn, for this program: build hashes and references. */
  keysOf(name: string): string[];
  /** Build hashes and references of all that runs or waits for its turn. */
  keys(): string[];
  build(name: string, request: BuildRequest): void;
  pull(name: string, reference: string): void;
  /** The program waits no more; what nobody waits for is stopped. `keep` is the key it goes on waiting for. */
  leave(name: string, keep?: string): void;
  /** The failure of the newest task of a program, once. */
  takeFailure(name: string): ImageFailure | undefined;
  /** Stops everything; resolves when it has ended. */
  close(): Promise<void>;
}

export interface ImageTaskDeps extends BuildDeps {
  /** Called with every program that waited when a task ended. */
  onDone: (name: string) => void;
}

interface Task {
  waiters: Set<string>;
  abort: AbortController;
  done: Promise<void>;
}

export function createImageTasks(deps: ImageTaskDeps): ImageTasks {
  const tasks = new Map<string, Task>();
  const failures = new Map<string, ImageFailure>();
  const builds = createSlots(BUILDS_MAX, 0);
  const pulls = createSlots(PULLS_MAX, 0);

  function join(name: string, key: string, slots: Slots, run: (signal: AbortSignal) => Promise<void>): void {
    failures.delete(name);
    const running = tasks.get(key);
    if (running !== undefined && !running.abort.signal.aborted) {
      running.waiters.add(name);
      return;
    }
    const abort = new AbortController();
    const task: Task = { waiters: new Set([name]), abort, done: Promise.resolve() };
    tasks.set(key, task);
    // One that is being stopped takes a moment to end, and writes the same log until then.
    const before = running?.done ?? Promise.resolve();
    task.done = before
      .then(() =>
        slots.run('calm', async () => {
          if (!abort.signal.aborted) await run(abort.signal);
        }),
      )
      .catch((error: unknown) => {
        for (const waiter of task.waiters) failures.set(waiter, failureOf(key, error));
      })
      .finally(() => {
        if (tasks.get(key) === task) tasks.delete(key);
        for (const waiter of task.waiters) deps.onDone(waiter);
      });
  }

  const keysOf = (name: string) =>
    [...tasks].flatMap(([key, { waiters }]) => (waiters.has(name) ? [key] : []));

  return {
    pending: (name, key) => keysOf(name).some((one) => key === undefined || one === key),
    keysOf,
    keys: () => [...tasks.keys()],
    build: (name, request) => join(name, request.hash, builds, (signal) => runBuild(deps, request, signal)),
    pull: (name, reference) => join(name, reference, pulls, (signal) => runPull(deps, reference, signal)),
    leave(name, keep) {
      if (keep === undefined) failures.delete(name);
      for (const [key, task] of tasks) {
        if (key === keep || !task.waiters.delete(name)) continue;
        if (task.waiters.size === 0) task.abort.abort();
      }
    },
    takeFailure(name) {
      const failure = failures.get(name);
      failures.delete(name);
      return failure;
    },
    async close() {
      const running = [...tasks.values()];
      for (const { abort } of running) abort.abort();
      await Promise.all(running.map(({ done }) => done));
    },
  };
}

function failureOf(key: string, error: unknown): ImageFailure {
  if (!(error instanceof AppError)) {
    return { key, reason: 'InternalError', message: messageOf(error), again: false };
  }
  const reason = error.reason === 'BuildNetworkFailed' ? 'BuildFailed' : error.reason;
  return { key, reason, message: withHint(error), again: error.retry === 'backoff' };
}
