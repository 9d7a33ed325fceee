import type { ApiDeps } from '../../api/deps.ts';
import { AppError } from '../../schemas/errors.ts';
import { EXECS_MAX, type ExecPiece } from '../../schemas/exec.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { Engine } from '../engine/engine.ts';
import type { EventDraft } from '../program/events.ts';
import type { ProgramViews } from './program-views.ts';

export interface ExecDeps {
  engine: Pick<Engine, 'exec'>;
  /** Writes an event of the program. */
  tell: (name: string, event: EventDraft) => Promise<void>;
}

/** Of a command line in an event, in characters. */
const SHOWN_MAX = 200;
/** Shorter values of variables are in many words, and no secrets. */
const HIDDEN_MIN = 4;

/** See `ApiDeps.exec`. */
export function createExec(deps: ExecDeps, { mustGet }: Pick<ProgramViews, 'mustGet'>): ApiDeps['exec'] {
  const counts = new Map<string, number>();
  const count = (name: string, by: number): void => {
    const now = (counts.get(name) ?? 0) + by;
    if (now === 0) counts.delete(name);
    else counts.set(name, now);
  };

  return async (name, request) => {
    const { status } = mustGet(name);
    if ((counts.get(name) ?? 0) >= EXECS_MAX) {
      throw new AppError('Busy', `${EXECS_MAX} commands run in ${name} by calls already`, {
        hint: 'Try again when one of them has ended.',
      });
    }
    count(name, 1);
    try {
      const { containerId } = status;
      const pieces = containerId === '' ? undefined : await deps.engine.exec(containerId, request);
      if (pieces === undefined) throw notRunning(status);
      const message = `${describeCommand(request.command, valuesOf(status))} is run in its container, by a call`;
      // Not waited for: it runs, whether or not the disk takes the telling of it.
      void deps.tell(name, { type: 'Normal', reason: 'Exec', message, author: status.userId });
      return { containerId, pieces: counted(pieces, request.signal, () => count(name, -1)) };
    } catch (error) {
      count(name, -1);
      throw error;
    }
  };
}

function notRunning({ name, state }: ProgramStatus): AppError {
  const hint =
    state === 'Stopped' || state === 'Created' || state === 'Error'
      ? `POST /programs/${name}/start starts it`
      : 'wait until it is Running or Ready';
  return new AppError('Conflict', `program not running; its state is ${state}`, { hint });
}

/** @param onEnd called once: at its end, when it is left, or when the signal fires, also where nobody ever reads */
function counted(
  pieces: AsyncIterable<ExecPiece>,
  signal: AbortSignal,
  onEnd: () => void,
): AsyncIterable<ExecPiece> {
  const iterator = pieces[Symbol.asyncIterator]();
  let isOver = false;
  const over = (): void => {
    signal.removeEventListener('abort', over);
    if (!isOver) onEnd();
    isOver = true;
  };
  signal.addEventListener('abort', over, { once: true });
  if (signal.aborted) over();
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        try {
          const result = await iterator.next();
          if (result.done === true) over();
          return result;
        } catch (error) {
          over();
          throw error;
        }
      },
      async return() {
        over();
        await iterator.return?.();
        return { done: true, value: undefined };
      },
    }),
  };
}

function valuesOf({ memory }: ProgramStatus): string[] {
  const { env = {} } = memory.program.inForce?.spec ?? {};
  return Object.values(env as Record<string, unknown>).filter((value) => typeof value === 'string');
}

/** What JSON leaves as it is of what a terminal obeys, breaks a line at, or shows nothing for. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** As in JSON, where those above U+FFFF are two. */
function escaped(char: string): string {
  return char
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}

/** As a person would type it, without values of the program's variables, on one line, and no longer than is read. */
export function describeCommand(command: readonly string[], values: readonly string[]): string {
  const secrets = values.filter((value) => value.length >= HIDDEN_MIN).sort((a, b) => b.length - a.length);
  const words = command.map((word) => {
    const plain = secrets.reduce((text, secret) => text.replaceAll(secret, '***'), word);
    return /^[\w@%+=:,./*-]+$/.test(plain) ? plain : JSON.stringify(plain).replace(UNSEEN, escaped);
  });
  const line = words.join(' ');
  return line.length <= SHOWN_MAX ? line : `${line.slice(0, SHOWN_MAX)}…`;
}
