import { short } from '../../schemas/container.ts';
import { AppError, withHint } from '../../schemas/errors.ts';
import { attemptImage, isSameImage, type Made, type ProgramMemory } from '../../schemas/memory.ts';
import { environmentOf, LABELS } from '../../schemas/program.ts';
import { imageOf } from '../../schemas/revision.ts';
import type { Situation } from '../../schemas/situation.ts';
import { revisionHash } from '../../schemas/spec-hash.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { CreateContainer } from '../engine/engine.ts';
import type { Slots } from '../engine/slots.ts';
import type { CreateAction } from '../program/action.ts';
import { joins } from '../program/drift.ts';
import type { EventDraft } from '../program/events.ts';
import { nextMadeAt } from '../program/ownership.ts';
import { lostSandboxes } from '../program/port-loss.ts';
import { emit, save } from './ledger.ts';
import { type Outcome, withDeed } from './outcome.ts';
import { keepAgain, keepNew, type RevisionDeps } from './revisions.ts';
import { claimState, tellOfLostState, tellOfState } from './state.ts';

export interface MakeDeps extends RevisionDeps {
  instance: string;
  slots: Pick<Slots, 'run'>;
}

/** Makes the container of a revision, which is written down first, with the ledger that knows of it. */
export async function createContainer(
  deps: MakeDeps,
  before: ProgramStatus,
  situation: Situation,
  action: CreateAction,
): Promise<Outcome> {
  const { name, memory } = before;
  const { spec, specHash, revision, imageId } = action;
  const { imageKey, buildId } = situation;
  const isAgain = situation.rollback !== undefined;
  const hash = revisionHash(spec, imageKey);
  const image = imageOf({ spec, imageId });
  const there = await deps.registry.revisions.get(name, revision);
  const isThere = there?.hash === hash && isSameImage(imageOf(there).image, image.image);
  if (!isAgain && there !== undefined && !isThere) {
    // The ledger that tells of that one was never written: the number is taken, and the next pass finds another.
    const taken = { kind: 'numberTaken', number: revision, hash: there.hash, ...imageOf(there) } as const;
    return { status: withDeed(before, taken), goOn: false };
  }
  const state = await claimState(deps, before, situation, spec.userId);
  // Somebody else has it by now: the next pass finds what is left.
  if (state === undefined) return { status: before, goOn: false };
  const lostAt = await tellOfLostState(deps, before, state);
  const at = nextMadeAt(memory, deps.clock.now());
  const makes = { kind: 'makes', revision, hash, ...image, specHash, at, isAgain, ...state } as const;
  const status = withDeed(before, { ...makes, ...(lostAt !== undefined && { lostAt }) });
  const isNew = memory.program.newest?.number !== revision && there === undefined;
  if (!isAgain && isNew)
    await keepNew(deps, before, situation, { revision, hash, imageKey, buildId, spec, ...image }, imageId);
  if (there !== undefined) await keepAgain(deps, name, there);
  if (memory.program.volume === undefined) await tellOfState(deps, status, situation);
  await save(deps, status);
  const moved = isAgain ? undefined : describeMoved(memory, { revision, hash, imageKey, ...image });
  if (moved !== undefined) await emit(deps, status, { ...moved, reason: 'ImageChanged' });
  try {
    const request = requestOf(deps.instance, status, situation, action, { volume: state.volume, at });
    const id = await deps.slots.run(slotOf(status.memory), () => deps.engine.createContainer(request));
    if (action.why !== '')
      await emit(deps, status, { type: 'Warning', reason: 'Drifted', message: action.why });
    const message = `revision ${revision} in container ${short(id)}`;
    await emit(deps, status, { type: 'Normal', reason: 'Created', message });
    return { status: withDeed(status, { kind: 'made', containerId: id }), goOn: true };
  } catch (error) {
    return failedToStart(deps, status, error);
  }
}

/**
 * That the name of its image is another image's by now, which makes it another revision; undefined where it is none, or
 * the spec is another one too.
 */
function describeMoved(
  { program, rollout }: ProgramMemory,
  { revision, hash, imageKey, image }: Pick<Made, 'revision' | 'hash' | 'imageKey' | 'image'>,
): Pick<EventDraft, 'type' | 'message'> | undefined {
  const { newest } = program;
  if (image === undefined || newest === undefined || newest.number === revision) return undefined;
  if (newest.hash !== hash || newest.image === undefined) return undefined;
  const now = `${imageKey} is image ${short(image)} now, and was ${short(newest.image)} in revision ${newest.number}`;
  // Asked for by a restart, unless the attempt was made before and its image is to be had no more.
  const isLost = !isSameImage(attemptImage(rollout), image);
  return isLost
    ? { type: 'Warning', message: `${now}, which is gone from the engine` }
    : { type: 'Normal', message: now };
}

function requestOf(
  instance: string,
  { name, memory }: ProgramStatus,
  situation: Situation,
  { containerName, specHash, revision, imageId, spec }: CreateAction,
  { volume, at }: { volume: string; at: string },
): CreateContainer {
  const { imageKey, port } = situation;
  const own = { [LABELS.instance]: instance, [LABELS.program]: name };
  return {
    ...{ program: name, name: containerName, image: imageId, publishPort: port, volume },
    labels: {
      ...memory.program.inForce?.labels,
      ...own,
      [LABELS.specHash]: specHash,
      [LABELS.build]: spec.build === null ? '' : imageKey,
      [LABELS.revision]: String(revision),
      [LABELS.restartedAt]: spec.restartedAt,
      [LABELS.madeAt]: at,
    },
    ...(spec.command && { command: spec.command }),
    ...(spec.args && { args: spec.args }),
    env: environmentOf(spec, name),
    runtime: spec.runtime,
    ...(joins(situation, spec.runtime) && { sandboxed: true, notIn: lostSandboxes(situation) }),
    ...spec.resources,
    volumeLabels: { ...own, [LABELS.user]: spec.userId },
  };
}

/** Making or starting a container failed. Throws on what is a bug, or an engine that is away. */
export function failedToStart(deps: Pick<MakeDeps, 'clock'>, status: ProgramStatus, error: unknown): Outcome {
  if (!(error instanceof AppError) || error.reason === 'EngineUnavailable') throw error;
  const { reason } = error;
  const deed = { kind: 'failed', reason, message: withHint(error), nowMs: deps.clock.now() } as const;
  return { status: withDeed(status, deed), goOn: false };
}

export function slotOf({ starts: { crashes, failed } }: ProgramMemory): 'calm' | 'crashing' {
  return (crashes?.count ?? 0) > 1 || failed !== undefined ? 'crashing' : 'calm';
}
