import type { ProgramBody } from '../../../routes/view.ts';
import { reasonOf } from '../../words/kind.ts';

const ON_THE_WAY = new Set(['Built', 'Starting', 'Running']);

/**
 * The program as its page shows it: one that keeps exiting has no reason while it is tried once more, and what is
 * wrong with it stays where it is until it is ready, or something is changed or asked for.
 */
export function betweenTries(p: ProgramBody): ProgramBody {
  // What was ready in this run, and is so no more, is another matter.
  const isTriedOnce = reasonOf(p) === '' && ON_THE_WAY.has(p.state);
  return isTriedOnce && p.trouble?.reason === 'CrashLoopBackOff' ? { ...p, reason: 'CrashLoopBackOff' } : p;
}

/** Whether what keeps exiting is on its way again. */
export function isTried({ reason, state }: ProgramBody): boolean {
  return reason === 'CrashLoopBackOff' && ON_THE_WAY.has(state);
}
