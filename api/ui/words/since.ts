import type { ProgramBody } from '../../routes/view.ts';
import { kindOf, reasonOf } from './kind.ts';
import { msOf } from './span.ts';

/** Since when a program is as it is: epoch milliseconds, and what began then. */
export interface Since {
  at: number | undefined;
  says: string;
}

/**
 * The time that tells most about how it stands. What keeps exiting changes its state with each try; what counts is
 * since when it does not serve. Of all others `updated_at` is when state and reason became what they are.
 */
export function sinceOf(p: ProgramBody): Since {
  const kind = kindOf(p);
  if (kind === 'fine') return { at: msOf(p.ready_at) ?? msOf(p.updated_at), says: 'ready since' };
  if (p.not_ready?.was_ready === true) return { at: msOf(p.not_ready.since), says: 'not ready since' };
  if (p.state === 'Running') return { at: msOf(p.started_at), says: 'it runs since' };
  if (p.state === 'Error' && reasonOf(p) === 'CrashLoopBackOff') {
    const ready = p.conditions.find(({ type, status }) => type === 'Ready' && status !== 'True');
    return { at: msOf(ready?.last_transition_time) ?? msOf(p.updated_at), says: 'not ready since' };
  }
  return { at: msOf(p.updated_at), says: 'so since' };
}
