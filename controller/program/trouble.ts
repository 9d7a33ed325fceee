import type { ProgramMemory } from '../../schemas/memory.ts';
import { timestamp } from '../../schemas/program.ts';
import type { Situation } from '../../schemas/situation.ts';
import type { ProgramStatus, Trouble } from '../../schemas/status.ts';

/** Reasons that ask nobody for anything. */
const NEWS: ReadonlySet<string> = new Set(['', 'Building', 'Completed']);

type Before = Pick<ProgramStatus, 'memory' | 'reason' | 'trouble' | 'updatedAt'>;
type Now = Pick<Situation, 'memory' | 'imageKey' | 'nowMs'>;

/**
 * What is wrong and since when: what is tried again and again is as old as the first time, whatever its state is
 * between the tries, and a new host goes on counting where the last one was. Pure.
 */
export function troubleAfter(before: Before, reason: string, now: Now): Trouble | null {
  const known = before.trouble ?? ofOlderHost(before);
  const goesOn = known !== null && isTheSame(known.reason, reason, before.memory, now);
  if (goesOn) return known;
  return NEWS.has(reason) ? null : { reason, since: timestamp(now.nowMs) };
}

/** One that did not note it noted when state and reason became what they are. */
function ofOlderHost({ reason, updatedAt }: Before): Trouble | null {
  return NEWS.has(reason) ? null : { reason, since: updatedAt };
}

function isTheSame(was: string, is: string, before: ProgramMemory, { memory, imageKey }: Now): boolean {
  if (was !== is && !NEWS.has(is)) return false;
  // A run that went well for long begins the count of crashes anew.
  const crashes = memory.starts.crashes?.count ?? 0;
  if (was === 'CrashLoopBackOff') return crashes > 1 && crashes >= (before.starts.crashes?.count ?? 0);
  if (was === is) return true;
  if (was === memory.starts.failed?.reason) return true;
  return was === memory.failedImage?.reason && memory.failedImage.key === imageKey;
}
