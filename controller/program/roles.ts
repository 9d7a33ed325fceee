import { buildIdOf } from '../../schemas/build-id.ts';
import {
  type Container,
  hashOf,
  isGoing,
  isUp,
  revisionOf,
  runKey,
  unreachable,
} from '../../schemas/container.ts';
import { finishedOf } from '../../schemas/memory.ts';
import { LABELS, type ProgramSpec } from '../../schemas/program.ts';
import type { Situation } from '../../schemas/situation.ts';
import { revisionHash, specHash } from '../../schemas/spec-hash.ts';
import { forgetEnd } from './after-exit.ts';
import { driftOf, isOutdated } from './drift.ts';
import { endOf } from './transitions.ts';
import { startWaitMs } from './waits.ts';

/** A program that should run: as what, and how its containers stand to that. */
export interface Running extends Situation {
  spec: ProgramSpec;
  specHash: string;
  /** The container of the wanted spec. */
  current: Container | undefined;
  /** One of an older spec that keeps serving until the wanted one can. */
  previous: Container | undefined;
  /** Whichever of the two serves, or did last. */
  shown: Container | undefined;
  /** Everything else. */
  surplus: Container[];
}

/** Undefined where the program should not run. */
export function asRunning(situation: Situation): Running | undefined {
  return situation.goal.kind === 'run' ? withRoles(situation, situation.goal.spec) : undefined;
}

/** With that spec as the goal. The container that runs, then the newest, of the wanted spec is current. */
export function withRoles(situation: Situation, spec: ProgramSpec): Running {
  const { imageKey, port, stopping, memory } = situation;
  const hash = specHash(spec, imageKey, port);
  const newestFirst = [...situation.containers].reverse();
  const stays = (one: Container) => isUp(one) && !stopping.has(one.id);
  const pick = (candidates: Container[]) => candidates.find(stays) ?? candidates.find(isUp) ?? candidates[0];
  const isWanted = (one: Container) =>
    hashOf(one) === hash && driftOf(one, memory).length === 0 && !isGoing(one) && !isOutdated(situation, one);
  const current = imageKey === '' ? undefined : pick(newestFirst.filter(isWanted));
  const others = newestFirst.filter((one) => one !== current);
  const previous = pick(others.filter((one) => one.startedAtMs > 0 && !isWanted(one) && !isGoing(one)));
  const surplus = others.filter((one) => one !== previous).reverse();
  const shown = [current, previous].find((one) => one !== undefined && isUp(one)) ?? current ?? previous;
  const goal = { kind: 'run', spec } as const;
  return { ...situation, goal, spec, specHash: hash, current, previous, shown, surplus };
}

export function isReady(
  { probes }: Situation,
  one: Container,
  spec: Pick<ProgramSpec, 'readiness'>,
): boolean {
  if (one.state !== 'running' || unreachable(one) !== '') return false;
  return spec.readiness.kind === 'none' || probes.get(one.id)?.ready === true;
}

export function isFinished({ memory }: Situation, hash: string): boolean {
  return finishedOf(memory)?.specHash === hash;
}

/** Whether its run was the last that ended, by itself or with the engine and not by a wish, and that counts. */
export function hasCrashed({ memory, lastExit }: Situation, container: Container): boolean {
  const counts = memory.starts.crashes !== undefined || endOf(memory, container) === 'withEngine';
  return lastExit?.run === runKey(container) && counts;
}

/** Whether it has had its time to become ready, and is not. */
export function isLate(situation: Situation, one: Container, spec: ProgramSpec, hadMs: number): boolean {
  if (one.startedAtMs === 0 || isReady(situation, one, spec)) return false;
  // One that ran to its end did what it was there for.
  if (!isUp(one) && isFinished(situation, hashOf(one))) return false;
  // It may have got ready while no host ran: the first word of its probe is waited for.
  if (isUp(one) && situation.probes.get(one.id)?.ready === undefined) return false;
  return hadMs >= spec.progressDeadlineSeconds * 1000;
}

/** Whether nothing but its port keeps it from running as wanted. */
export function mayMove(situation: Running): boolean {
  const { current, image, memory, nowMs, specHash: hash } = situation;
  const isMade = current !== undefined || image.kind === 'present';
  return isMade && startWaitMs(memory, nowMs) === 0 && !isFinished(situation, hash);
}

/** The number of the newest revision. One that could not be written down is known by the containers made for it. */
export function newestNumber({ memory, containers }: Situation): number {
  return Math.max(memory.program.newest?.number ?? 0, ...containers.map(revisionOf));
}

/** The newest revision, where another is wanted before any container of it ran; undefined otherwise. */
export function supersededNumber(situation: Situation): number | undefined {
  const { goal, rollback, imageKey, memory } = situation;
  const { newest } = memory.program;
  if (goal.kind !== 'run' || rollback !== undefined || imageKey === '' || newest?.ran) return undefined;
  return newest?.hash === revisionHash(goal.spec, imageKey) ? undefined : newest?.number;
}

export type ImageKey = Pick<Situation, 'imageKey' | 'buildId' | 'image'>;

/** What a program that ran to its end was made of: it needs its sources no more, whatever becomes of them. */
export function finishedKey(situation: Situation, spec: ProgramSpec): ImageKey | undefined {
  const { memory, containers, port } = situation;
  const end = finishedOf(forgetEnd(memory, spec));
  if (end === undefined) return undefined;
  const keys = containers.map(({ labels }) => spec.image ?? labels[LABELS.build] ?? '');
  const imageKey = keys.find((key) => specHash(spec, key, port) === end.specHash);
  if (imageKey === undefined) return undefined;
  return { imageKey, buildId: spec.build === null ? '' : buildIdOf(imageKey), image: { kind: 'unneeded' } };
}
