import type { Registry } from '../../registry/registry.ts';
import type { Clock } from '../../schemas/clock.ts';
import { AppError, messageOf } from '../../schemas/errors.ts';
import { isEngineAway } from '../engine/engine.ts';
import { ContextNotSettled } from '../images/context-cache.ts';
import type { ControllerLog } from '../log.ts';
import type { Metrics } from '../metrics.ts';

/** Waits after a pass that failed. */
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 30_000;

/** What comes after a pass over a program: nothing, or another try, later each time. */
export interface Passes {
  /** Makes a pass. Never rejects. */
  run(name: string): Promise<void>;
  /** The program is no more. */
  forget(name: string): void;
  /** A pass that fails from now on is told of by nobody. */
  close(): void;
}

export interface PassesDeps {
  registry: Registry;
  clock: Clock;
  log: ControllerLog;
  metrics: Metrics;
  reconcile: (name: string) => Promise<void>;
  /** Makes another pass after so many milliseconds. */
  again: (name: string, ms: number) => void;
  /** A call found the engine away. */
  suspect: () => void;
}

export function createPasses(deps: PassesDeps): Passes {
  const { clock, metrics } = deps;
  /** Passes that failed in a row. */
  const failures = new Map<string, number>();
  let closed = false;
  return {
    async run(name) {
      const startedMs = clock.monotonic();
      try {
        await deps.reconcile(name);
        failures.delete(name);
        metrics.loop.reconciled('ok', clock.monotonic() - startedMs);
      } catch (error) {
        if (closed) return;
        if (error instanceof ContextNotSettled) return deps.again(name, error.againMs);
        metrics.loop.reconciled('error', clock.monotonic() - startedMs);
        metrics.loop.failed(error instanceof AppError ? error.reason : 'InternalError');
        await report(deps, name, error);
        const count = (failures.get(name) ?? 0) + 1;
        failures.set(name, count);
        deps.again(name, Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(count, 10)));
      }
    },
    forget: (name) => failures.delete(name),
    close() {
      closed = true;
    },
  };
}

/** Operational errors are tried again; anything else is a bug of ours, and said to be one. */
async function report({ registry, log, suspect }: PassesDeps, name: string, error: unknown): Promise<void> {
  if (error instanceof AppError) {
    const { reason, message } = error;
    log.warn({ program: name, reason, error: message }, 'the pass failed and is tried again');
    if (isEngineAway(error)) suspect();
    return;
  }
  log.error({ program: name, err: error }, 'InternalError: a bug of Hersh Host; the other programs go on');
  const before = registry.status.get(name);
  if (before === undefined) return;
  const errorMsg = `a bug of Hersh Host: ${messageOf(error)}; see its log`;
  await registry.status.put({ ...before, reason: 'InternalError', errorMsg }).catch(() => undefined);
}
