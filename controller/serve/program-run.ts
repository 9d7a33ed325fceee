import type { ProgramStore } from '../../api/deps.ts';
import type { StatusStore } from '../../registry/records/status-store.ts';
import type { Clock } from '../../schemas/clock.ts';
import { type Container, isUp, runKey } from '../../schemas/container.ts';
import type { Engine } from '../engine/engine.ts';

/** How often a follower looks for the next run where no change of status tells of it, in milliseconds. */
const LOOK_MS = 5_000;
/**
 * A program may have printed so long before the engine says that it has started, in milliseconds: 0.4 to 91 were seen
 * with 20.10 on a quiet machine, over 200 on a busy one. For runs before which nothing is known.
 */
const EARLY_MS = 200;
/** The same where it is known when the run before ended: it may have been another that nobody noticed. */
const EARLY_MS_MAX = 5_000;

export interface ProgramLogsDeps {
  engine: Pick<Engine, 'logs' | 'inspectContainer'>;
  statuses: Pick<StatusStore, 'get' | 'subscribe'>;
  get: ProgramStore['get'];
  clock: Clock;
}

/** The run that is on, or was last. */
export interface Run {
  id: string;
  key: string;
  startedAtMs: number;
  isUp: boolean;
}

export function goesOn(deps: Pick<ProgramLogsDeps, 'get'>, name: string): boolean {
  const view = deps.get(name);
  return view !== undefined && view.desiredState === 'Running' && !view.finished;
}

/** The run of the program's container that is on, or was last; undefined where none has begun. */
export async function currentRun(
  deps: Pick<ProgramLogsDeps, 'engine' | 'statuses'>,
  name: string,
  id?: string,
): Promise<Run | undefined> {
  const containerId = id ?? deps.statuses.get(name)?.containerId ?? '';
  const one = containerId === '' ? undefined : await deps.engine.inspectContainer(containerId);
  return runOf(one);
}

export function runOf(one: Container | undefined): Run | undefined {
  if (one === undefined || one.startedAtMs === 0) return undefined;
  return { id: one.id, key: runKey(one), startedAtMs: one.startedAtMs, isUp: isUp(one) };
}

/**
 * Where a run's lines begin in what its container printed: half way to the end of the run before where that is near, since nothing is
 * printed in between, while the engine tells of a start late, and of an end before the last words came. Epoch milliseconds.
 * @param endBeforeMs undefined where nothing is known of a run before; 0 where there was none
 */
export function borderBefore(startedAtMs: number, endBeforeMs: number | undefined): number {
  if (endBeforeMs === undefined) return startedAtMs - EARLY_MS;
  return endBeforeMs === 0 ? 0 : Math.max((startedAtMs + endBeforeMs) / 2, startedAtMs - EARLY_MS_MAX);
}

export interface Changes {
  /** Resolves at the next change of the program's status from now on, after a while, or when the signal fires. */
  next(): Promise<void>;
  close(): void;
}

export function createChanges(
  { statuses, clock }: Pick<ProgramLogsDeps, 'statuses' | 'clock'>,
  name: string,
  signal: AbortSignal,
): Changes {
  let wake = () => {};
  const onAbort = () => wake();
  const unsubscribe = statuses.subscribe((changed) => {
    if (changed === name) wake();
  });
  signal.addEventListener('abort', onAbort, { once: true });
  return {
    next: () =>
      new Promise((resolve) => {
        const cancel = clock.after(LOOK_MS, () => wake());
        wake = () => {
          cancel();
          resolve();
        };
        if (signal.aborted) wake();
      }),
    close() {
      unsubscribe();
      signal.removeEventListener('abort', onAbort);
      wake();
    },
  };
}
