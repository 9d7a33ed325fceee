import type { Registry } from '../../registry/registry.ts';
import type { Container } from '../../schemas/container.ts';
import { AppError } from '../../schemas/errors.ts';
import type { ProgramMemory } from '../../schemas/program.ts';
import type { Revision } from '../../schemas/revision.ts';
import { revisionOf } from './observed.ts';
import { attemptOf, keyOf } from './rollback.ts';

/**
 * The revisions that are kept of a program whose ledger knows of none, oldest first: its ledger was lost, or it was
 * deleted and comes back. What another user left under the same name is removed, since it is nobody else's to see.
 */
export async function keptRevisions(
  { revisions, events }: Pick<Registry, 'revisions' | 'events'>,
  name: string,
  userId: string,
): Promise<Revision[]> {
  // What can not be read holds nobody up: it is as if there were none.
  const kept = (await revisions.list(name).catch(unlessUnavailable)) ?? [];
  const newest = kept.at(-1);
  if (newest === undefined || newest.spec.userId === userId) return kept;
  await revisions.remove(name);
  await events.remove(name);
  return [];
}

function unlessUnavailable(error: unknown): undefined {
  if (!(error instanceof AppError)) throw error;
}

/** What a lost ledger can be made good with: the labels of containers, and the revisions kept. Pure. */
export function rebuiltMemory(
  memory: ProgramMemory,
  containers: readonly Container[],
  kept: readonly Revision[],
): ProgramMemory {
  const newest = kept.at(-1);
  const started = containers.some(({ startedAtMs }) => startedAtMs > 0);
  const number = Math.max(newest?.number ?? 0, ...containers.map(revisionOf));
  // A number without its hash belongs to no spec that is known: the next one made is the one after it.
  const latestRevision = { number, hash: newest?.number === number ? newest.hash : '' };
  return {
    ...memory,
    ...(started ? { startRequested: true } : {}),
    ...(number > 0 ? { latestRevision } : {}),
    // One that was deleted has no containers: what comes back under its name begins anew.
    ...(containers.length > 0 && outcomesOf(kept)),
  };
}

/** The last revision that was ready, to go back to, and the newest where that was rolled back. */
function outcomesOf(kept: readonly Revision[]): Pick<ProgramMemory, 'good' | 'rolledBack'> {
  const ready = kept.findLast(({ outcome }) => outcome === 'Ready');
  const newest = kept.at(-1);
  if (ready === undefined || newest === undefined) return {};
  const { number: revision, hash, buildId, spec } = ready;
  const good = { revision, hash, imageKey: keyOf(ready), buildId, spec };
  const { number, outcome, reason, message } = newest;
  // One that the engine would not start has its tries anew.
  if (outcome !== 'Failed' || reason !== 'ProgressDeadlineExceeded') return { good };
  const attempt = attemptOf(newest.spec, keyOf(newest));
  return { good, rolledBack: { attempt, revision: number, reason, message } };
}

/** The port of the container that runs, or else of the newest; 0 where there is none. Pure. */
export function rebuiltPort(containers: readonly Container[]): number {
  const running = containers.find(({ state }) => state === 'running' || state === 'paused');
  return (running ?? containers.at(-1))?.publishPort ?? 0;
}
