import { type Container, revisionOf } from '../../schemas/container.ts';
import type { ProgramMemory, Rollout } from '../../schemas/memory.ts';
import { keyOf, madeOf, type Revision } from '../../schemas/revision.ts';
import { attemptOf } from '../../schemas/spec-hash.ts';
import { withProgram } from './memory.ts';

/** What a lost ledger can be made good with: the labels of containers, and the revisions kept. */
export function rebuiltMemory(
  memory: ProgramMemory,
  containers: readonly Container[],
  kept: readonly Revision[],
): ProgramMemory {
  const newest = kept.at(-1);
  const started = containers.some(({ startedAtMs }) => startedAtMs > 0);
  const number = Math.max(newest?.number ?? 0, ...containers.map(revisionOf));
  // A number without its hash belongs to no spec that is known: the next one made is the one after it.
  const hash = newest?.number === number ? newest.hash : '';
  const rebuilt = withProgram(memory, {
    startRequested: memory.program.startRequested || started,
    ...(number > 0 && { newest: { number, hash } }),
  });
  // One that was deleted has no containers: what comes back under its name begins anew.
  return containers.length === 0 ? rebuilt : { ...rebuilt, rollout: rolloutOf(memory.rollout, kept) };
}

/** The last revision that was ready, to go back to, and the newest where that was rolled back. */
function rolloutOf(rollout: Rollout, kept: readonly Revision[]): Rollout {
  const ready = kept.findLast(({ outcome }) => outcome === 'Ready');
  const newest = kept.at(-1);
  if (ready === undefined || newest === undefined) return rollout;
  const good = madeOf(ready);
  const { number: revision, outcome, reason, message } = newest;
  // One that the engine would not start has its tries anew.
  if (outcome !== 'Failed' || reason !== 'ProgressDeadlineExceeded')
    return { verdict: 'new', attempt: '', refusals: 0, good };
  const attempt = attemptOf(newest.spec, keyOf(newest));
  return { verdict: 'bad', attempt, refusals: 0, good, revision, reason, message };
}
