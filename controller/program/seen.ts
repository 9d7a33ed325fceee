import type { Condition, ProgramState } from '../../schemas/program.ts';

export type NewCondition = Omit<Condition, 'lastTransitionTime'>;
export type Told = Omit<NewCondition, 'type'>;

/** What people see of a program: its state and why, and what is being done, whichever container is shown. */
export interface Seen {
  state: ProgramState;
  reason: string;
  message: string;
  progressing: Told;
  /** Why what runs and is ready does not count as that. */
  unready?: string;
}

/** Nothing is wrong, and nothing is done. */
export function resting(state: ProgramState, reason: string, message: string): Seen {
  return { state, reason: '', message: '', progressing: { status: 'False', reason, message } };
}

export function going(state: ProgramState, reason: string, message: string): Seen {
  return { state, reason: '', message: '', progressing: { status: 'True', reason, message } };
}

export function failed(reason: string, message: string, state: ProgramState = 'Error'): Seen {
  return { state, reason, message, progressing: { status: 'False', reason, message } };
}
