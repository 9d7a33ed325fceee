import { createHash } from 'node:crypto';
import { ON_CHANGE } from './on-change.ts';
import type { ProgramSpec } from './program.ts';
import { stableJson } from './stable-json.ts';

/**
 * Identifies the container a spec asks for: equal hash, same container. Fields whose change costs nothing are
 * left out; what the image and the port came to is put in, in the place of how they were asked for.
 * @param image what the image is made from: a build hash or a reference
 * @param port the host port it is published on
 */
export function specHash(spec: ProgramSpec, image: string, port: number): string {
  const { publishPort: _, ...rest } = recreateFields(spec);
  return `v1:${digest({ ...rest, image, port })}`;
}

/** Identifies a revision: as the spec hash, but a restart, or another port, is the same revision. */
export function revisionHash(spec: ProgramSpec, image: string): string {
  const { restartedAt: _, publishPort: __, ...rest } = recreateFields(spec);
  return digest({ ...rest, image });
}

/**
 * Identifies one attempt at a rollout: spec, sources and `restartedAt`, whatever the port. One that was rolled
 * back is not made again until one of these differs.
 */
export function attemptOf(spec: ProgramSpec, imageKey: string): string {
  return attemptOfRevision(revisionHash(spec, imageKey), spec.restartedAt);
}

/** The same, where the revision's hash is known. */
export function attemptOfRevision(hash: string, restartedAt: string): string {
  return digest({ revision: hash, restartedAt });
}

/** Hash of any data, whatever the order of its keys: 32 hex digits. */
export function digest(value: unknown): string {
  return createHash('sha256').update(stableJson(value)).digest('hex').slice(0, 32);
}

function recreateFields(spec: ProgramSpec): Partial<ProgramSpec> {
  const entries = Object.entries(spec).filter(([key]) => ON_CHANGE[key as keyof ProgramSpec] === 'recreate');
  return Object.fromEntries(entries);
}
