import { type Container, runKey } from './container.ts';
import { timestamp } from './program.ts';

export interface LastExit {
  exitCode: number;
  /** The want of memory ended it. */
  oomKilled: boolean;
  /** A process of it had run out of memory, which is not what ended it; `""` where it is not known when. */
  outOfMemoryAt?: string;
  /** `SIGKILL` and the like, `""` where none. */
  signal: string;
  /** The host ended it, since its liveness probe failed. */
  unhealthy?: true;
  /** Engine or machine went down and took it along. */
  withEngine?: true;
  /** Which run of which container, see `runKey`. */
  run: string;
  finishedAt: string;
  /** The last lines of output. */
  logTail: string;
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

/** Of SIGKILL, by which the kernel ends what has no memory left. */
const KILLED = 137;
/** From the kill to the end, and to the engine's word of it, which come in any order; on a busy machine. */
const OOM_TO_END_MS_MAX = 5_000;

type Run = Pick<Container, 'exitCode' | 'oomToldMs' | 'startedAtMs' | 'finishedAtMs'>;

/** What the want of memory, which a run had, was to its end: engines tell of a killed child as of the whole. */
export function outOfMemory(run: Run): Pick<LastExit, 'oomKilled' | 'outOfMemoryAt'> {
  const { exitCode, oomToldMs, startedAtMs, finishedAtMs } = run;
  const isTold = oomToldMs > startedAtMs;
  const isNear = !isTold || Math.abs(finishedAtMs - oomToldMs) <= OOM_TO_END_MS_MAX;
  if (exitCode === KILLED && isNear) return { oomKilled: true };
  return { oomKilled: false, outOfMemoryAt: isTold ? timestamp(oomToldMs) : '' };
}

/**
 * How a container ended, for status. `logTail` is its last lines.
 * @param end where its code alone does not say why it ended
 */
export function exitOf(container: Container, logTail: string, end?: 'unhealthy' | 'withEngine'): LastExit {
  const { exitCode, finishedAtMs } = container;
  const number = exitCode > 128 && exitCode <= 128 + SIGNAL_MAX ? exitCode - 128 : 0;
  return {
    ...(container.oomKilled ? outOfMemory(container) : { oomKilled: false }),
    ...{ exitCode, logTail, run: runKey(container), finishedAt: timestamp(finishedAtMs) },
    signal: number === 0 ? '' : (SIGNALS[number] ?? `signal ${number}`),
    ...(end === 'unhealthy' && { unhealthy: true as const }),
    ...(end === 'withEngine' && { withEngine: true as const }),
  };
}

/** 126 or 127, and the last words of the engine's init: there was no program to run. In words; `""` for any other end. */
export function unrunnable({ exitCode, logTail }: LastExit): string {
  const line = logTail.split('\n').at(-1) ?? '';
  const isInit = exitCode === 126 || exitCode === 127;
  return (isInit && /^\[FATAL tini \(\d+\)\] (exec .+ failed: .+)$/.exec(line.trim())?.[1]) || '';
}

/** `exited 3 times in a row (SIGKILL): ` and the last line, where there is one. */
export function describeCrashes(last: LastExit, count: number): string {
  const line = last.logTail.split('\n').at(-1) ?? '';
  const times = count === 1 ? 'once' : `${count} times in a row`;
  return `exited ${times} (${describeExit(last)})${line === '' ? '' : `: ${line}`}`;
}

/** `out of memory`, `a process of it had run out of memory at …`, or `""`. */
export function describeMemory({ oomKilled, outOfMemoryAt }: LastExit): string {
  if (oomKilled) return 'out of memory';
  if (outOfMemoryAt === undefined) return '';
  return `a process of it had run out of memory${outOfMemoryAt === '' ? '' : ` at ${outOfMemoryAt}`}`;
}

/** `exit code 3`, `SIGKILL`, `out of memory`, `its liveness probe failed`. */
export function describeExit(exit: LastExit): string {
  if (exit.unhealthy === true) return 'its liveness probe failed';
  if (exit.withEngine === true) return 'the engine or the machine went down';
  if (exit.oomKilled) return 'out of memory';
  const how = exit.signal === '' ? `exit code ${exit.exitCode}` : exit.signal;
  const also = describeMemory(exit);
  return also === '' ? how : `${how}; ${also}`;
}
