import type { Container } from '../../schemas/container.ts';
import type { LastExit, ProgramMemory, ProgramSpec } from '../../schemas/program.ts';
import { timestamp } from '../../schemas/program.ts';
import { isRunOf, runKey } from './observed.ts';

/** A run this long wipes the slate (design: numbers). */
const HEALTHY_RUN_MS = 10 * 60_000;
const BACK_OFF_MS_MIN = 1_000;
const BACK_OFF_MS_MAX = 60_000;
/** Tries of a build that failed for want of a network (contract: states). */
const BUILD_TRIES_MAX = 3;
const BUILD_RETRY_MS = 5_000;
/** What says nothing about the build itself is tried again until it is over. */
const NOT_THE_BUILDS_FAULT = new Set(['EngineUnavailable', 'RegistryUnavailable', 'DiskFull']);
/** More than stand side by side: the old, the new and one that was overtaken. */
const STOPS_KEPT = 5;

/**
 * The wait before the restart after crash number `count`: none, then 1 s doubling to 60 s.
 * @returns milliseconds
 */
export function backOffMs(count: number): number {
  return count <= 1 ? 0 : Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** (count - 2));
}

/** Milliseconds until a persisted time; never more than a minute, so that a clock that jumped does no harm. */
export function waitMs(nextAt: string, nowMs: number): number {
  const ms = Date.parse(nextAt) - nowMs;
  return Number.isFinite(ms) ? Math.min(BACK_OFF_MS_MAX, Math.max(0, ms)) : 0;
}

/**
 * The memory with no wait longer than any that is ever set: one that is was set before the clock jumped back, and
 * would have to be waited for again at each look.
 */
export function clampWaits(memory: ProgramMemory, nowMs: number): ProgramMemory {
  const isTooLong = (wait: { nextAt?: string } | undefined): boolean =>
    wait?.nextAt !== undefined && Date.parse(wait.nextAt) - nowMs > BACK_OFF_MS_MAX;
  const { backOff, failedBuild, failedStart, rolledBack } = memory;
  if (![backOff, failedBuild, failedStart, rolledBack].some(isTooLong)) return memory;
  const clamp = <T extends { nextAt?: string }>(wait: T): T =>
    isTooLong(wait) ? { ...wait, nextAt: timestamp(nowMs + BACK_OFF_MS_MAX) } : wait;
  return {
    ...memory,
    ...(backOff === undefined ? {} : { backOff: clamp(backOff) }),
    ...(failedBuild === undefined ? {} : { failedBuild: clamp(failedBuild) }),
    ...(failedStart === undefined ? {} : { failedStart: clamp(failedStart) }),
    ...(rolledBack === undefined ? {} : { rolledBack: clamp(rolledBack) }),
  };
}

/**
 * What is remembered after a container ended by itself; the same memory back where that is accounted for already.
 * @param wasTakenDown it ended with the engine or the machine, so that its exit code says nothing of its work
 */
export function afterExit(
  memory: ProgramMemory,
  container: Container,
  spec: ProgramSpec,
  specHash: string,
  nowMs: number,
  wasTakenDown = false,
): ProgramMemory {
  const key = runKey(container);
  if (container.startedAtMs === 0 || isAccounted(memory, key)) return memory;
  const { unhealthyRun, ...rest } = memory;
  const ended: ProgramMemory = { ...rest, exitSeen: key };
  const succeeded = container.exitCode === 0 && unhealthyRun !== key && !wasTakenDown;
  if (isLeftAtEnd(spec, succeeded)) {
    delete ended.backOff;
    return { ...ended, finished: { specHash, exitCode: container.exitCode } };
  }
  // It had come to an end before, was started by hand, and this end is another.
  if (ended.finished?.specHash === specHash) delete ended.finished;
  const ranMs = container.finishedAtMs - container.startedAtMs;
  const count = (ranMs >= HEALTHY_RUN_MS ? 0 : (memory.backOff?.count ?? 0)) + 1;
  return { ...ended, backOff: { count, nextAt: timestamp(nowMs + backOffMs(count)) } };
}

/** Whether the end of this run has been taken in, as a crash or as a wish. */
export function isAccounted(memory: ProgramMemory, key: string): boolean {
  return memory.exitSeen === key || memory.stopsAsked?.includes(key) === true;
}

/** An exit that was asked for: it must not count as a crash when it is seen. */
export function afterStop(memory: ProgramMemory, container: Container): ProgramMemory {
  const key = runKey(container);
  if (memory.stopsAsked?.includes(key)) return memory;
  return { ...memory, stopsAsked: [...(memory.stopsAsked ?? []), key].slice(-STOPS_KEPT) };
}

export function afterBuildFailure(
  memory: ProgramMemory,
  failure: { key: string; reason: string; message: string; again: boolean },
  nowMs: number,
): ProgramMemory {
  const last = memory.failedBuild;
  // Tries that failed for another reason were none of this: an hour of a full disk leaves a network its three.
  const before = last?.hash === failure.key && last.reason === failure.reason ? last.attempts : 0;
  const attempts = before + 1;
  const again = failure.again && (attempts < BUILD_TRIES_MAX || NOT_THE_BUILDS_FAULT.has(failure.reason));
  const ms = Math.min(BACK_OFF_MS_MAX, BUILD_RETRY_MS * 2 ** before);
  const nextAt = again ? timestamp(nowMs + ms) : '';
  const { reason, message } = failure;
  return { ...memory, failedBuild: { hash: failure.key, reason, message, attempts, nextAt } };
}

export function afterStartFailure(
  memory: ProgramMemory,
  failure: { reason: string; message: string },
  nowMs: number,
): ProgramMemory {
  const attempts = (memory.failedStart?.attempts ?? 0) + 1;
  return {
    ...memory,
    failedStart: { ...failure, attempts, nextAt: timestamp(nowMs + backOffMs(attempts + 1)) },
  };
}

/** Whether what has come to its end is not started again. */
function isLeftAtEnd({ restartPolicy }: Pick<ProgramSpec, 'restartPolicy'>, succeeded: boolean): boolean {
  return restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && succeeded);
}

/** The memory without an end that a program of that policy is not left at. */
export function forgetEnd(memory: ProgramMemory, spec: Pick<ProgramSpec, 'restartPolicy'>): ProgramMemory {
  const { finished, ...rest } = memory;
  return isLeftAtEnd(spec, finished?.exitCode === 0) ? memory : rest;
}

/** The memory where that spec is wanted: what ended before another was wanted has not, when it is asked for again. */
export function afterWish(memory: ProgramMemory, specHash: string): ProgramMemory {
  const { finished, ...rest } = memory;
  if (finished === undefined) return memory;
  if (finished.specHash === specHash) return finished.overtaken === true ? rest : memory;
  return finished.overtaken === true ? memory : { ...memory, finished: { ...finished, overtaken: true } };
}

/** A changed spec, or changed sources, are a new attempt, whatever the old one did. */
export function forgetCrashes(memory: ProgramMemory): ProgramMemory {
  const { backOff, failedStart, ...rest } = memory;
  return rest;
}

/** Back-off, failed builds and starts, a rollback and "finished" are no more: a fresh try was asked for. */
export function forgetFailures(memory: ProgramMemory): ProgramMemory {
  const { backOff, failedBuild, failedStart, finished, rolledBack, refusedStarts, ...rest } = memory;
  return rest;
}

/** The last one of Linux; greater exit codes are a program's own. */
const SIGNAL_MAX = 64;
const SIGNALS: Record<number, string> = {
  2: 'SIGINT',
  6: 'SIGABRT',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  15: 'SIGTERM',
};

/** How a container ended, for status. `logTail` is its last lines. `unhealthyRun` as in `ProgramMemory`. */
export function exitOf(container: Container, logTail: string, unhealthyRun?: string): LastExit {
  const signal =
    container.exitCode > 128 && container.exitCode <= 128 + SIGNAL_MAX
      ? (SIGNALS[container.exitCode - 128] ?? `signal ${container.exitCode - 128}`)
      : '';
  return {
    exitCode: container.exitCode,
    oomKilled: container.oomKilled,
    signal,
    finishedAt: timestamp(container.finishedAtMs),
    logTail,
    ...(unhealthyRun === runKey(container) && { unhealthy: true }),
  };
}

/** The last exit, corrected where the engine tells only after the end that it was for want of memory. */
export function withLateOom(
  lastExit: LastExit | null,
  exitSeen: string | undefined,
  containers: readonly Container[],
): LastExit | null {
  if (lastExit === null || lastExit.oomKilled) return lastExit;
  const ended = containers.find(({ id }) => isRunOf(exitSeen, id));
  if (ended === undefined) return lastExit;
  const startedAtMs = Number(exitSeen?.slice(ended.id.length + 1));
  // What is told after the next start is that run's.
  const isOfThatRun = startedAtMs === ended.startedAtMs || ended.oomToldMs < ended.startedAtMs;
  return ended.oomToldMs > startedAtMs && isOfThatRun ? { ...lastExit, oomKilled: true } : lastExit;
}

/** `the program was deleted by commit 4f2a…`. */
export function describeDeletion({ deletedBy }: ProgramMemory): string {
  return `the program was deleted${deletedBy === undefined ? '' : ` by commit ${deletedBy}`}`;
}

/** `exit code 3`, `SIGKILL`, `out of memory`, `its liveness probe failed`. */
export function describeExit(exit: LastExit): string {
  if (exit.unhealthy === true) return 'its liveness probe failed';
  if (exit.oomKilled) return 'out of memory';
  return exit.signal === '' ? `exit code ${exit.exitCode}` : exit.signal;
}
