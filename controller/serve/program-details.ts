import type { ProgramDetails } from '../../api/program-answers.ts';
import type { ProgramMemory } from '../../schemas/memory.ts';
import type { Paused } from '../../schemas/pause.ts';
import type { ProgramSpec } from '../../schemas/program.ts';
import { attemptOfRevision } from '../../schemas/spec-hash.ts';
import type { ProgramStatus } from '../../schemas/status.ts';

/**
 * What follows from a program's status and is not in it. Pure.
 * @param commitOf the commit that brought one of its revisions; `""` for none, null where that is not known yet
 * @param nowMs epoch milliseconds
 */
export function programDetails(
  status: ProgramStatus,
  commitOf: (revision: number) => string | null,
  restartsInHour: number,
  nowMs: number,
  paused: Paused | undefined,
): ProgramDetails {
  const { memory, currentRevision, observedRevision } = status;
  const wantedRevision = wantedNumber(memory);
  const limits = memory.program.inForce?.spec.resources ?? null;
  // Of the wish, not of what serves: it is the host's own doing, and so there at once.
  const proxyAccess = memory.program.inForce?.spec.proxyAccess;
  const { runtime = '', image } = specOf(memory, currentRevision) ?? {};
  return {
    ...{ wantedRevision, restartsInHour, limits, runtime, image: image ?? '' },
    commit: currentRevision === 0 ? '' : commitOf(currentRevision),
    // What has no number yet is wanted since the last look.
    wantedCommit: wantedRevision === 0 ? observedRevision : commitOf(wantedRevision),
    nextTryAt: paused === undefined ? nextTryAt(memory, nowMs) : '',
    paused: paused ?? null,
    ...(proxyAccess !== undefined && { proxyAccess }),
  };
}

/** Of what serves; of what is wanted where nothing does, or where it is the same. */
function specOf({ program, rollout }: ProgramMemory, currentRevision: number): ProgramSpec | undefined {
  const { good } = rollout;
  return good?.revision === currentRevision ? good.spec : program.inForce?.spec;
}

/** The number of the revision that is wanted; 0 where nothing is known, or it was not made yet. */
function wantedNumber({ program, rollout }: ProgramMemory): number {
  if (rollout.verdict === 'bad') return rollout.revision;
  if (rollout.verdict === 'good') return rollout.good.revision;
  const { newest, inForce } = program;
  if (newest === undefined || inForce === undefined) return 0;
  const isMade = rollout.attempt === attemptOfRevision(newest.hash, inForce.spec.restartedAt);
  return isMade ? newest.number : 0;
}

/** When the host tries next what failed last; `""` where it waits for nothing. */
function nextTryAt({ program, failedImage, rollout, starts }: ProgramMemory, nowMs: number): string {
  if (program.inForce?.spec.desiredState !== 'Running' || program.rest !== undefined) return '';
  const again = rollout.verdict === 'bad' ? rollout.nextAt : undefined;
  const all = [failedImage?.nextAt, starts.failed?.nextAt, starts.crashes?.nextAt, again];
  return all.filter((at) => at !== undefined && Date.parse(at) > nowMs).sort()[0] ?? '';
}
