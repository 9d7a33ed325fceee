import { readFromTar } from '../../registry/contexts/read-from-tar.ts';
import type { Snapshot } from '../../registry/contexts/snapshots.ts';
import { asideName } from '../../registry/contexts/tar.ts';
import { inSlices } from '../../registry/files/pause.ts';
import { buildIdOf, builtFrom } from '../../schemas/build-id.ts';
import { AppError } from '../../schemas/errors.ts';
import { type BuildPolicy, buildRefusal, imageRefusal, ownNamesIn } from '../build-policy/build-policy.ts';
import { DOCKERFILE_BYTES_MAX, fetchesOf } from '../build-policy/fetches-of.ts';
import type { Engine } from '../engine/engine.ts';
import type { BuildRequest } from './run-build.ts';

export interface MayBuildDeps {
  policy: BuildPolicy;
  engine: Pick<Engine, 'inspectImage'>;
  openSnapshot: (path: string) => NodeJS.ReadableStream;
  /** Whether a program of that user is, or was, built under that id. */
  ownsBuild: (userId: string, buildId: string) => Promise<boolean>;
}

/** What a Dockerfile is read for, beside its text. Builds are for this machine's engine, or one like it. */
const ARCH: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * Looks at what a build would fetch by itself, before it begins: in the snapshot, which is what is built.
 * The function rejects `BuildFailed`, with the line and what is allowed.
 */
export function createMayBuild(
  deps: MayBuildDeps,
): (snapshot: Snapshot, request: BuildRequest, userId: string) => Promise<void> {
  return async ({ path, aside }, { build, pull }, userId) => {
    const { dockerfile, args, context } = build;
    const file = context === '.' ? dockerfile : `${context}/${dockerfile}`;
    const name = aside.includes(dockerfile) ? asideName(dockerfile) : dockerfile;
    const text = await readFromTar(() => deps.openSnapshot(path), name, DOCKERFILE_BYTES_MAX);
    if (text === undefined)
      throw new AppError('BuildFailed', `${file} is no file, nor a link to one of its context`);
    const arch = ARCH[process.arch] ?? process.arch;
    const found = await inSlices(fetchesOf(text, args, arch));
    const whys = new Map<string, string | undefined>();
    for (const own of ownNamesIn(found)) whys.set(own, await ownRefusal(deps, own, userId, pull));
    const refusal = buildRefusal(file, found, deps.policy, (own) => whys.get(own));
    if (refusal !== undefined) throw new AppError('BuildFailed', refusal.message, { hint: refusal.hint });
  };
}

/** Why a build may not be made on an image of a host's own; undefined where it may. */
async function ownRefusal(
  { engine, ownsBuild }: MayBuildDeps,
  name: string,
  userId: string,
  pull: boolean,
): Promise<string | undefined> {
  if (!name.includes('/')) return 'a builder takes no id, and would ask a registry for it';
  if (pull) return 'it is never pulled, which spec.pullPolicy Always asks for';
  const image = await engine.inspectImage(name);
  const hash = builtFrom(image?.labels);
  if (image === undefined) return 'it is not on this machine, and is never pulled';
  if (hash === undefined) return 'no host has built it';
  return (await ownsBuild(userId, buildIdOf(hash))) ? undefined : 'it is that of programs of another user';
}

/** Looks at what a pull asks for. @throws AppError `ImageRefused` with what is allowed */
export function mustBePullable(policy: BuildPolicy, reference: string): void {
  // The engine has words of its own for what is named by its id.
  const refusal = reference.startsWith('sha256:') ? undefined : imageRefusal(reference, 'spec.image', policy);
  if (refusal !== undefined) throw new AppError('ImageRefused', refusal.message, { hint: refusal.hint });
}
