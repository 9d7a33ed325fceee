import type { OnPlace, PlacedSources } from '../../registry/contexts/source-folder.ts';
import type { MadeSpec } from '../../registry/manifests/edits.ts';
import type { Registry } from '../../registry/registry.ts';
import { AppError } from '../../schemas/errors.ts';
import { isUpState } from '../../schemas/program.ts';
import { keyOf, type Revision } from '../../schemas/revision.ts';
import { attemptOf } from '../../schemas/spec-hash.ts';
import type { ProgramStatus } from '../../schemas/status.ts';

/** What a program was, and how to get back there. */
export interface RevisionHistory {
  /**
   * The revision to go back to: the one named, or the newest before the wanted one that was ready. Rejects `NotFound`
   * for a number that is not kept, `Conflict` where there is nothing to go back to.
   */
  pick(status: ProgramStatus, number: number | undefined): Promise<Revision>;
  /**
   * The spec to write into the manifest so that a revision comes back. Where its context has changed since, its
   * snapshot is put under `sources/` and the spec points there. Rejects `Conflict` where its sources are gone.
   */
  restore(revision: Revision, onPlace: OnPlace): Promise<MadeSpec>;
}

export function createRevisionHistory(registry: Registry): RevisionHistory {
  async function pick(status: ProgramStatus, number: number | undefined): Promise<Revision> {
    const kept = await registry.revisions.list(status.name);
    if (number !== undefined) {
      const named = kept.find((revision) => revision.number === number);
      if (named !== undefined) return named;
      const numbers = kept.map((revision) => revision.number).join(', ');
      throw new AppError('NotFound', `program ${status.name} has no revision ${number}`, {
        hint: numbers === '' ? 'None was made yet.' : `Kept are ${numbers}.`,
      });
    }
    const serves = kept.find((revision) => revision.number === status.currentRevision);
    // Where something newer is wanted than what serves, what serves is what to go back to.
    const isGood = serves?.outcome === 'Ready';
    const wantsNewer = isGood && (isAboutNewer(status, serves) || isBeingReplaced(status, serves));
    const below = wantsNewer ? status.currentRevision + 1 : status.currentRevision;
    // One that holds the same as what serves, under another number, is nothing to go back to.
    const isOther = (revision: Revision) => wantsNewer || revision.hash !== serves?.hash;
    const good = kept.findLast(
      (revision) => revision.outcome === 'Ready' && revision.number < below && isOther(revision),
    );
    if (good !== undefined) return good;
    throw new AppError('Conflict', `program ${status.name} has no earlier revision that was ready`, {
      hint: `GET /programs/${status.name}/revisions lists what is kept.`,
    });
  }

  /** Whether its reason tells of a revision that is wanted and does not serve, and not of the one that does. */
  function isAboutNewer({ reason, state, memory }: ProgramStatus, serves: Revision): boolean {
    const isUp = isUpState(state);
    if (reason === 'BuildFailed' || reason === 'ImageNotFound')
      return isUp || memory.failedImage === undefined || memory.failedImage.key !== serves.buildHash;
    return reason === 'RolledBack' || (isUp && (reason === 'Building' || reason === 'PortConflict'));
  }

  /** Whether another takes its place just now, for which it was stopped or still serves. */
  function isBeingReplaced({ containerId, memory }: ProgramStatus, serves: Revision): boolean {
    const { rollout, program, containers } = memory;
    const end = containers[containerId]?.run?.end;
    if (program.inForce === undefined || rollout.attempt === '' || (end !== undefined && end !== 'asked'))
      return false;
    const { restartedAt } = program.inForce.spec;
    return rollout.attempt !== attemptOf({ ...serves.spec, restartedAt }, keyOf(serves));
  }

  /** The folder that holds what the revision was built from, as its manifest named it or restored. */
  async function place(revision: Revision, onPlace: OnPlace): Promise<PlacedSources | undefined> {
    const { spec, buildHash, buildId } = revision;
    if (spec.build === null) return undefined;
    if (await registry.contexts.holds(spec.build, buildHash))
      return { context: spec.build.context, isNew: false };
    return registry.contexts.restore(spec.build, buildHash, buildId, onPlace);
  }

  return {
    pick,
    async restore(revision, onPlace) {
      const placed = await place(revision, onPlace);
      const { build, ...rest } = revision.rawSpec;
      if (placed === undefined) return { spec: rest };
      return { spec: { ...rest, build: { ...(build as object), context: placed.context } }, placed };
    },
  };
}
