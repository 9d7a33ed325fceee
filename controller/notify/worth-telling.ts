import { REASONS, type Reason } from '../../schemas/errors.ts';
import type { ProgramEvent } from '../../schemas/program.ts';

/**
 * Warnings that nobody has to be woken for: the host has put it right by itself when it tells of it, or it concerns
 * all programs and is told once for the host (`host-watch.ts`). Every other one is told, and so is one that is new.
 */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'Drifted',
  'Unpaused',
  'Unhealthy',
  'Renamed',
  'StatusLost',
  'Stopping',
  'RegistryUnavailable',
  'EngineUnavailable',
]);

/** Beside all that the host tries again by itself (`REASONS`): what comes again and again without anybody's doing. */
const RECURRING: ReadonlySet<string> = new Set([
  'OutOfMemory',
  'PortLost',
  'Unready',
  'PullFailed',
  'CredentialsUnavailable',
]);

/** What comes again by itself is told once in this time, for each program and revision. */
export const REPEAT_MS = 3_600_000;
/** So many are remembered; the oldest is forgotten for another one, and may be told again. */
const REMEMBERED_MAX = 10_000;

/** Says of each event, in their order, whether it is told. */
export interface Repeats {
  /** How often the same was swallowed since it was told last, where this one is to be told; otherwise undefined. */
  pass(program: string, event: ProgramEvent): number | undefined;
}

/** @param monotonic milliseconds */
export function createRepeats(monotonic: () => number): Repeats {
  const told = new Map<string, { atMs: number; swallowed: number }>();
  return {
    pass(program, event) {
      if (event.reason === 'Deleted') forget(told, program);
      if (!isWorthTelling(event)) return undefined;
      if (!comesAgain(event.reason)) return 0;
      const key = keyOf(program, event.reason, event.revision);
      const last = told.get(key);
      if (last !== undefined && monotonic() - last.atMs < REPEAT_MS) {
        last.swallowed += 1;
        return undefined;
      }
      // Anew at the end: the first is the one that was told the longest ago.
      told.delete(key);
      told.set(key, { atMs: monotonic(), swallowed: 0 });
      const [oldest] = told.keys();
      if (told.size > REMEMBERED_MAX && oldest !== undefined) told.delete(oldest);
      return last?.swallowed ?? 0;
    },
  };
}

/** Whether somebody has to be told: it does not mend itself, or something was lost. */
function isWorthTelling({ type, reason }: Pick<ProgramEvent, 'type' | 'reason'>): boolean {
  return type === 'Warning' && !LEFT_OUT.has(reason);
}

function comesAgain(reason: string): boolean {
  if (RECURRING.has(reason)) return true;
  return reason in REASONS && REASONS[reason as Reason].retry === 'backoff';
}

function keyOf(program: string, ...what: (string | number)[]): string {
  return [program, ...what].join('\0');
}

/** Another program may have its name. */
function forget(told: Map<string, unknown>, program: string): void {
  for (const key of told.keys()) if (key.startsWith(keyOf(program, ''))) told.delete(key);
}
