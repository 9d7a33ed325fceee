import { isUp } from '../../schemas/container.ts';
import type { ProgramMemory } from '../../schemas/memory.ts';
import { timestamp } from '../../schemas/program.ts';
import type { Situation } from '../../schemas/situation.ts';
import type { ProgramStatus, Trouble } from '../../schemas/status.ts';
import { HEALTHY_RUN_MS } from './after-exit.ts';

/** Reasons that ask nobody for anything. */
const NEWS: ReadonlySet<string> = new Set(['', 'Building', 'Completed']);

const CRASHES = 'CrashLoopBackOff';

type Before = Pick<ProgramStatus, 'memory' | 'reason' | 'trouble' | 'updatedAt'>;
type Now = Pick<Situation, 'containers' | 'memory' | 'imageKey' | 'nowMs'>;

/**
 * What is wrong and since when: what is tried again and again is as old as the first time, whatever its state is
 * between the tries, and a new host goes on counting where the last one was. Pure.
 */
export function troubleAfter(before: Before, reason: string, now: Now): Trouble | null {
  const known = before.trouble ?? ofOlderHost(before);
  if (known !== null && isInRow(known, reason, before.memory, now))
    return reason === CRASHES ? { ...known, reason } : known;
  if (known !== null && isTheSame(known.reason, reason, now)) return known;
  return NEWS.has(reason) ? null : { reason, since: timestamp(now.nowMs) };
}

/** One that did not note it noted when state and reason became what they are. */
function ofOlderHost({ reason, updatedAt }: Before): Trouble | null {
  return NEWS.has(reason) ? null : { reason, since: updatedAt };
}

/** Whether one crash follows another. A run between two of them that is long enough may not be ready in time. */
function isInRow({ reason: was }: Trouble, is: string, before: ProgramMemory, now: Now): boolean {
  const isOfRow = (reason: string) => reason === CRASHES || reason === 'ProgressDeadlineExceeded';
  // A run that goes well for long ends it; where nobody saw that, the count that begins anew tells.
  const isCalm = now.containers.some((one) => isUp(one) && now.nowMs - one.startedAtMs >= HEALTHY_RUN_MS);
  const [count, counted] = [now.memory.starts.crashes?.count ?? 0, before.starts.crashes?.count ?? 0];
  return !isCalm && count > 1 && count >= counted && isOfRow(was) && (isOfRow(is) || NEWS.has(is));
}

function isTheSame(was: string, is: string, { memory, imageKey }: Now): boolean {
  if (was === CRASHES || (was !== is && !NEWS.has(is))) return false;
  if (was === is || was === memory.starts.failed?.reason) return true;
  return was === memory.failedImage?.reason && memory.failedImage.key === imageKey;
}
