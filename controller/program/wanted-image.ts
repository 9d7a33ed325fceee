import { buildIdOf, imageTag } from '../../schemas/build-id.ts';
import { revisionOf, short } from '../../schemas/container.ts';
import { attemptImage, type ProgramMemory, pullError, withProgram } from '../../schemas/memory.ts';
import { type BuildSpec, LABELS, type ProgramSpec } from '../../schemas/program.ts';
import type { Situation } from '../../schemas/situation.ts';
import { revisionHash } from '../../schemas/spec-hash.ts';
import { ask } from './ask.ts';
import type { ImageKey, Running } from './roles.ts';
import { madeFrom, pulledFor } from './transitions.ts';

/** What the image of that spec is made from, or named by. */
export function imageKeyOf(base: Situation, spec: ProgramSpec): ImageKey {
  const image = { kind: 'unneeded' } as const;
  const { context, memory } = base;
  if (spec.build === null || context === undefined) return { imageKey: spec.image ?? '', buildId: '', image };
  if (context.kind === 'known') {
    const imageKey = inFormInUse(base, spec.build, context.hash);
    return { imageKey, buildId: buildIdOf(imageKey), image };
  }
  const { newest } = memory.program;
  if (context.held && newest !== undefined) {
    // What the newest revision was made of, where the spec is still that one's.
    const { revision } = ask(base, { kind: 'revision', number: newest.number });
    const { buildHash: imageKey = '', buildId = '' } = revision ?? {};
    if (revisionHash(spec, imageKey) === newest.hash) return { imageKey, buildId, image };
  }
  const { reason, message } = context;
  return { imageKey: '', buildId: '', image: { kind: 'unknown', reason, message } };
}

/**
 * What an image is known by stays, though today's rules would give it another hash: an update of the host builds
 * nothing anew whose files are what they were.
 */
function inFormInUse(base: Situation, build: BuildSpec, hash: string): string {
  const { memory, containers } = base;
  const { newest } = memory.program;
  if (newest === undefined) return hash;
  const { good } = memory.rollout;
  const inUse = [
    good?.imageKey,
    memory.failedImage?.key,
    ...containers.map(({ labels }) => labels[LABELS.build]),
  ];
  if (inUse.includes(hash)) return hash;
  const older = ask(base, { kind: 'olderHash', build, hash }).hash;
  if (older === undefined || older === hash) return hash;
  if (inUse.includes(older)) return older;
  const { revision } = ask(base, { kind: 'revision', number: newest.number });
  return revision?.buildHash === older ? older : hash;
}

/**
 * Looks for the image only where a container has to be made of it. One that is named is the same as before: names move,
 * and nothing but a wish gives a program another. Where that is gone, what has the name now is the next revision; but
 * no other image is the revision that comes back.
 */
export function imageState(situation: Running): Situation['image'] {
  const { imageKey, buildId, image, current, spec, rollback } = situation;
  if (image.kind === 'unknown') return image;
  const known = current === undefined ? knownImage(situation) : undefined;
  const isThere = known !== undefined && imageBy(situation, known) !== '';
  if (isThere) return { kind: 'present', id: known };
  if (situation.pending.includes(imageKey)) return { kind: 'pending' };
  if (current !== undefined) return { kind: 'unneeded' };
  const id = imageBy(situation, imageKey, spec.build === null ? imageKey : imageTag(buildId));
  if (id === '') return { kind: 'absent' };
  if (isToPull(situation)) return { kind: 'unpulled' };
  if (known === undefined || rollback === undefined) return { kind: 'present', id };
  const message = `revision ${rollback.revision} can not come back: its image ${short(known)} is gone, and ${imageKey} is another`;
  return { kind: 'unknown', reason: 'ImageNotFound', message };
}

/**
 * Whether its name is asked for elsewhere before a first container is made of it. Never where one was made already: what
 * is healed is what it was.
 */
function isToPull({ spec, rollback, memory: { rollout } }: Running): boolean {
  if (spec.pullPolicy !== 'Always' || spec.image === null || spec.image.startsWith('sha256:')) return false;
  const isTried = rollout.verdict !== 'new' || rollout.image !== undefined || rollout.pulled !== undefined;
  return rollback === undefined && !isTried;
}

/** What is learnt of a pull that has ended. One that the engine was away from, or that was stopped, was none. */
export function afterPull(memory: ProgramMemory, { failure, pulled }: Situation): ProgramMemory {
  const isFailed = failure?.attempt !== undefined && !NO_PULL.has(failure.reason);
  const ended = isFailed ? pulledFor(memory.rollout, failure.attempt ?? '', failure.message) : memory.rollout;
  const rollout = pulled === undefined ? ended : pulledFor(ended, pulled, '');
  return rollout === memory.rollout ? memory : { ...memory, rollout };
}

const NO_PULL: ReadonlySet<string> = new Set(['EngineUnavailable', 'BuildAborted']);

/** The program goes on with the image that is there, so that its pull failed is told and nothing to wait for. */
export function withKeptImage(situation: Running): Running {
  const { memory, image, imageKey } = situation;
  const { failedImage, ...known } = memory;
  const isKept = image.kind === 'present' && pullError(memory.rollout) !== '';
  return isKept && failedImage?.key === imageKey ? { ...situation, memory: known } : situation;
}

/** What the container was made of before, where its image is named. */
function knownImage({ spec, rollback, memory: { rollout } }: Running): string | undefined {
  if (spec.build !== null) return undefined;
  return rollback === undefined ? attemptImage(rollout) : rollout.good?.image;
}

function imageBy(situation: Running, imageKey: string, tag = imageKey): string {
  const isBuild = situation.spec.build !== null;
  return ask(situation, { kind: 'image', imageKey, tag, isBuild }).id;
}

/** Remembers which image the attempt, and the newest revision, was made of, where only its name is wanted. */
export function noteImage({ memory, current, spec, imageKey, rollback }: Running): ProgramMemory {
  if (rollback !== undefined || current === undefined || spec.build !== null) return memory;
  const { imageId: image } = current;
  const rollout = madeFrom(memory.rollout, image);
  const known = rollout === memory.rollout ? memory : { ...memory, rollout };
  const { newest } = memory.program;
  const isIts = newest?.number === revisionOf(current) && newest.hash === revisionHash(spec, imageKey);
  return isIts && newest.image !== image ? withProgram(known, { newest: { ...newest, image } }) : known;
}
