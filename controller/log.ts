import { constants, openSync, writeSync } from 'node:fs';
import { type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { systemClock } from '../schemas/clock.ts';
import { createLogWriter, type LogWriter } from './log-writer.ts';

export type ControllerLog = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

export interface Log {
  log: Logger;
  writer: Pick<LogWriter, 'flushSync' | 'dropped'>;
}

const STDOUT = 1;
/** Under which `run-kept.mjs` leaves what knows the places of sources. */
const NAMED_STACK = Symbol.for('hersh-host.named-stack');
/** pino's number for it. */
const WARN = 40;

/** JSON lines on standard output; on a terminal, lines for people. Neither can fail or hold up the process. */
export function createLog(level: string): Log {
  const fd = openWithoutWaiting();
  const format = process.stdout.isTTY
    ? prettyFactory({ translateTime: 'HH:MM:ss.l', singleLine: true })
    : (line: string) => line;
  const writer = createLogWriter({
    writeSome: (bytes) => writeSync(fd, bytes),
    tell: (dropped, why) => format(tellDropped(dropped, why)),
    after: systemClock.after,
    pause: (ms) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
  });
  const write = (line: string): void => writer.write(format(line));
  const log = pino({ level, base: null, serializers: { err: serialized } }, {
    write,
    flushSync: writer.flushSync,
  } as { write: typeof write });
  return { log, writer };
}

type NamedStack = (stack: string) => string;

/** An error with the places of sources in its stack, where the host runs from one file (`run-kept.mjs`). */
function serialized(error: Error): object {
  const named = (globalThis as Record<symbol, unknown>)[NAMED_STACK] as NamedStack | undefined;
  const told = pino.stdSerializers.err(error);
  return named === undefined || typeof told?.stack !== 'string'
    ? told
    : { ...told, stack: named(told.stack) };
}

/**
 * Standard output as a descriptor that says EAGAIN where a write would have to wait: nothing else runs meanwhile, not
 * even a signal is taken. Pipes and sockets do so as soon as Node has made a stream of them; a terminal, which may
 * stand still (Ctrl-S), has to be opened anew, since others use the old one. A file is never waited for.
 */
function openWithoutWaiting(): number {
  // What somebody else says there (a library, Node's warnings) must not end the host either.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  if (!process.stdout.isTTY) return STDOUT;
  try {
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    return openSync(`/proc/self/fd/${STDOUT}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    // A terminal of another user's (su): as it is.
    return STDOUT;
  }
}

function tellDropped(dropped: number, why: string): string {
  const cause = why === 'EAGAIN' ? 'nobody read them' : `they could not be written (${why})`;
  const msg = `${dropped} ${dropped === 1 ? 'line' : 'lines'} of this log before this one are lost: ${cause}`;
  return `${JSON.stringify({ level: WARN, time: systemClock.now(), dropped, msg })}\n`;
}
