import { createHash } from 'node:crypto';
import type { ProgramEvent } from '../../schemas/program.ts';

/** What is told, whichever way. */
export interface Notice {
  /** The same in every try, and where a host that was killed tells it once more: receivers know repeats by it. */
  id: string;
  /** Of the program; `""` for what concerns the host itself. */
  program: string;
  reason: string;
  message: string;
  /** When it happened. */
  time: string;
  /** How the program stood then; not of the host. */
  state?: string;
  revision?: number;
  /** How often it happened since it was told last, and was not told. */
  repeated: number;
}

/** Whose notices they are. */
export interface Teller {
  /** The machine's name. */
  host: string;
  instance: string;
}

/** @param program `""` for the host itself */
export function noticeOf(
  { host, instance }: Teller,
  program: string,
  event: Pick<ProgramEvent, 'time' | 'reason' | 'message'> & Partial<ProgramEvent>,
  repeated = 0,
): Notice {
  const { time, reason, message, state, revision } = event;
  const what = JSON.stringify([host, instance, program, time, reason, message, state, revision]);
  const id = createHash('sha256').update(what).digest('hex').slice(0, 32);
  const stood = state === undefined || revision === undefined ? {} : { state, revision };
  return { id, program, reason, message, time, ...stood, repeated };
}
