import type { ProgramBody } from '../../routes/view.ts';
import { isNews, kindOf, reasonOf } from './kind.ts';
import { msOf } from './span.ts';

/** Since when a program is as it is: epoch milliseconds, and what began then. */
export interface Since {
  at: number | undefined;
  says: string;
}

/**
 * The one age of a program, wherever it is told: of what is wrong with it, and where nothing is, of the state that it
 * is in. Of all others `updated_at` is when state and reason became what they are.
 */
export function sinceOf(p: ProgramBody): Since {
  const wrong = troubleSince(p);
  if (wrong !== undefined) return { at: wrong, says: 'so since' };
  if (kindOf(p) === 'fine') return { at: msOf(p.ready_at) ?? msOf(p.updated_at), says: 'ready since' };
  if (p.state === 'Running') return { at: msOf(p.started_at), says: 'it runs since' };
  return { at: msOf(p.updated_at), says: 'so since' };
}

/** What is wrong though the program has no reason of its own, by the condition that tells since when. */
const BY_CONDITION: Record<string, string> = { ManifestMissing: 'Valid', StateLost: 'StateLost' };

/**
 * Since when what is wrong is wrong, epoch milliseconds; undefined where nothing is, or that is not known. What keeps
 * exiting has no reason while it is tried once more, and is as old as before.
 */
export function troubleSince(p: ProgramBody): number | undefined {
  const { trouble } = p;
  const reason = reasonOf(p);
  if (reason === '' && trouble?.reason === 'CrashLoopBackOff') return msOf(trouble.since);
  if (isNews(reason)) return undefined;
  if (reason === 'Unready') return msOf(p.not_ready?.since);
  // Of a row of crashes it is told as that, though a run between two of them is not ready in time.
  if (trouble !== null && p.reason !== '') return msOf(trouble.since);
  const condition = p.conditions.find(({ type }) => type === BY_CONDITION[reason]);
  return msOf(condition?.last_transition_time) ?? msOf(p.updated_at);
}
