import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type ControllerLog = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** JSON lines on standard output; on a terminal, lines for people. */
export function createLog(level: string): Logger {
  if (!process.stdout.isTTY) return pino({ level, base: null });
  return pino({ level, base: null }, pretty({ translateTime: 'HH:MM:ss.l', singleLine: true, sync: true }));
}
