import { type Container, runKey } from './container.ts';
import { timestamp } from './program.ts';

export interface LastExit {
  exitCode: number;
  oomKilled: boolean;
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

/**
 * How a container ended, for status. `logTail` is its last lines.
 * @param end where its code alone does not say why it ended
 */
export function exitOf(container: Container, logTail: string, end?: 'unhealthy' | 'withEngine'): LastExit {
  const { exitCode, oomKilled, finishedAtMs } = container;
  const number = exitCode > 128 && exitCode <= 128 + SIGNAL_MAX ? exitCode - 128 : 0;
  return {
    ...{ exitCode, oomKilled, logTail, run: runKey(container), finishedAt: timestamp(finishedAtMs) },
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

/** `exit code 3`, `SIGKILL`, `out of memory`, `its liveness probe failed`. */
export function describeExit(exit: LastExit): string {
  if (exit.unhealthy === true) return 'its liveness probe failed';
  if (exit.withEngine === true) return 'the engine or the machine went down';
  if (exit.oomKilled) return 'out of memory';
  return exit.signal === '' ? `exit code ${exit.exitCode}` : exit.signal;
}
