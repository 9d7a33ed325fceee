import type { ProgramBody } from '../../../routes/view.ts';
import type { EventBody } from '../../words/event-body.ts';
import { msOf } from '../../words/span.ts';

/** The host forgets crashes after so long a run, in milliseconds. */
const FORGOTTEN_MS = 10 * 60_000;
const ON_THE_WAY = new Set(['Built', 'Starting', 'Running']);
/** Behind these the row of crashes is over. */
const OVER = /^(Ready|Stopped|Completed|[A-Z][a-z]+Requested|ManifestChanged|SourcesChanged)$/;

/**
 * The program as its page shows it: one that keeps exiting has no reason while it is tried once more, and what is
 * wrong with it stays where it is until it is ready, or something is changed or asked for.
 */
export function betweenTries(p: ProgramBody, events: readonly EventBody[], nowMs: number): ProgramBody {
  if (p.reason !== '' || !ON_THE_WAY.has(p.state) || p.last_exit === null) return p;
  const last = events.findLast(({ reason }) => reason === 'CrashLoopBackOff' || OVER.test(reason));
  const at = msOf(last?.time);
  const isOn = last?.reason === 'CrashLoopBackOff' && at !== undefined && nowMs - at < FORGOTTEN_MS;
  return isOn ? { ...p, reason: 'CrashLoopBackOff' } : p;
}

/** Whether what keeps exiting is on its way again. */
export function isTried({ reason, state }: ProgramBody): boolean {
  return reason === 'CrashLoopBackOff' && ON_THE_WAY.has(state);
}
