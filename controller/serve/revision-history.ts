import type { OnPlace, PlacedSources } from '../../registry/contexts/source-folder.ts';
import type { MadeSpec } from '../../registry/manifests/edits.ts';
import type { Registry } from '../../registry/registry.ts';
import { AppError } from '../../schemas/errors.ts';
import { attemptImage, isSameImage } from '../../schemas/memory.ts';
import { isUpState } from '../../schemas/program.ts';
import { imageOf, keyOf, type Revision } from '../../schemas/revision.ts';
import { attemptOf, digest } from '../../schemas/spec-hash.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import { isEngineAway } from '../engine/engine.ts';

/** What a program was, and how to get back there. */
export interface RevisionHistory {
  /**
   * The revision to go back to: the one named, or the newest before the wanted one that was ready. Rejects `NotFound`
   * for a number that is not kept, `Conflict` where there is nothing to go back to.
   */
  pick(status: ProgramStatus, number: number | undefined): Promise<Revision>;
  /**
   * What the manifest has to name so that a revision comes back whose spec names its image; undefined where it is
   * built. That is the id where the name is another image's by now. Rejects `Conflict` where its image is gone.
   */
  imageOf(status: ProgramStatus, revision: Revision): Promise<string | undefined>;
  /**
   * The spec to write into the manifest so that a revision comes back. Where its context has changed since, its
   * snapshot is put under `sources/` and the spec points there. Rejects `Conflict` where its sources are gone.
   * @param image see `imageOf`
   */
  restore(revision: Revision, image: string | undefined, onPlace: OnPlace): Promise<MadeSpec>;
}

/** @param imageIdOf the id of the image that a name, or an id, is on this engine. Rejects `EngineUnavailable` */
export function createRevisionHistory(
  registry: Registry,
  imageIdOf: (reference: string) => Promise<string | undefined>,
): RevisionHistory {
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
    const isOther = (revision: Revision) => wantsNewer || serves === undefined || !isSame(revision, serves);
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
    if (reason === 'BuildFailed' || reason === 'ImageNotFound' || reason === 'ImageRefused')
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
    imageOf: (status, revision) =>
      imageToName(imageIdOf, revision, registry.get(status.name)?.program?.rawSpec, status),
    async restore(revision, image, onPlace) {
      const placed = await place(revision, onPlace);
      const { build, ...rest } = revision.rawSpec;
      if (placed === undefined) return { spec: image === undefined ? rest : { ...rest, image } };
      return { spec: { ...rest, build: { ...(build as object), context: placed.context } }, placed };
    },
  };
}

/** Whether they hold the same, by whatever number. */
function isSame(one: Revision, other: Revision): boolean {
  return one.hash === other.hash && isSameImage(imageOf(one).image, imageOf(other).image);
}

/** See `RevisionHistory.imageOf`. */
async function imageToName(
  imageIdOf: (reference: string) => Promise<string | undefined>,
  { spec, rawSpec, imageId: id, number }: Revision,
  manifest: Record<string, unknown> | undefined,
  { memory }: ProgramStatus,
): Promise<string | undefined> {
  const { image: name } = spec;
  if (name === null || id === '') return name ?? undefined;
  // What is asked for, and was made of that image, is so whatever has the name now.
  const isAsked = manifest !== undefined && digest(lasting(manifest)) === digest(lasting(rawSpec));
  if (isAsked && attemptImage(memory.rollout) === id) return name;
  const look = (reference: string) =>
    imageIdOf(reference).catch((error: unknown) => {
      if (isEngineAway(error)) return 'unknown';
      throw error;
    });
  const now = await look(name);
  // A name that is pulled first may be another image's by then.
  if (now === id && spec.pullPolicy !== 'Always') return name;
  if ((await look(id)) !== undefined) return id;
  // A pull may bring it; if that is another by then, it is another revision.
  if (now === undefined) return name;
  throw new AppError('Conflict', `the image of revision ${number} is gone, and ${name} is another now`, {
    hint: `Its id was ${id}. Where you have it elsewhere, name it in the manifest.`,
  });
}

/** What of a spec a rollback edits. */
function lasting({ desiredState: _, restartedAt: __, ...spec }: Record<string, unknown>): object {
  return spec;
}
