import type { ProgramStore } from '../../api/deps.ts';
import type { StatusStore } from '../../registry/records/status-store.ts';
import type { Clock } from '../../schemas/clock.ts';
import { type Container, isUp, runKey } from '../../schemas/container.ts';
import type { Engine } from '../engine/engine.ts';

/** How often a follower looks for the next run where no change of status tells of it, in milliseconds. */
const LOOK_MS = 5_000;
/**
 * A program may have printed so long before the engine says that it has started, in milliseconds: 0.4 to 91 were seen
 * with 20.10, between an end and a start that are further apart.
 */
export const EARLY_MS = 200;

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

/** Half way between the end of the last run of a container and the start of the one that is on; epoch milliseconds. */
export function between({
  startedAtMs,
  finishedAtMs,
}: Pick<Container, 'startedAtMs' | 'finishedAtMs'>): number {
  return finishedAtMs === 0 ? 0 : (startedAtMs + finishedAtMs) / 2;
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
