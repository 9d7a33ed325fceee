import type Docker from 'dockerode';
import { buildIdOf, imageTag } from '../../../schemas/build-id.ts';
import { AppError } from '../../../schemas/errors.ts';
import { LABELS } from '../../../schemas/program.ts';
import type { BuiltImage, DiskUsage, Image, ImageRemoval } from '../engine.ts';
import { absent, engineError, refused, statusOf } from './errors.ts';
import { isImageReference } from './translate.ts';

/**
 * Hosts of several instances share built images, so each puts a tag of its own on those it has a use for,
 * `hersh/<build_id>:for-<instance>`: an image stays as long as any such tag is on it. Docker thus counts the
 * references, and no host has to know of another. One whose tag a newer image of the same build takes keeps
 * `for-<instance>.<its id>`, or it would lie there for good.
 */
const CLAIM = /^for-([a-z0-9][a-z0-9-]*)(?:\.[0-9a-f]+)?$/;
const PLAIN = 'latest';
const ID_DIGITS = 12;

export function claimTag(repository: string, instance: string): string {
  return `${repository}:for-${instance}`;
}

/** The tags of an image that hosts put there, whole. */
interface OwnTags {
  repository: string;
  plain: string[];
  ours: string[];
  others: string[];
}

/**
 * Which tags of an image are the hosts'. All else is somebody's own, and so is an image that has none of these: what
 * is committed from a program's container, or built on its image, has our label too.
 */
function ownTags(instance: string, build: string | undefined, tags: readonly string[] | null): OwnTags {
  const repository = imageTag(buildIdOf(build ?? ''));
  const own: OwnTags = { repository, plain: [], ours: [], others: [] };
  if (!/^[0-9a-f]{12}/.test(build ?? '')) return own;
  for (const whole of tags ?? []) {
    if (!whole.startsWith(`${repository}:`)) continue;
    const tag = whole.slice(repository.length + 1);
    const claimant = CLAIM.exec(tag)?.[1];
    if (tag === PLAIN) own.plain.push(whole);
    else if (claimant !== undefined) (claimant === instance ? own.ours : own.others).push(whole);
  }
  return own;
}

const hasNone = ({ plain, ours, others }: OwnTags): boolean =>
  plain.length + ours.length + others.length === 0;

/** See `Engine.inspectImage`. */
export async function inspectImage(docker: Docker, reference: string): Promise<Image | undefined> {
  if (!isImageReference(reference)) return undefined;
  const found = await absent(docker.getImage(reference).inspect(), [400, 404], 'InternalError');
  return found && { id: found.Id, labels: found.Config?.Labels ?? {} };
}

/** An image that was just made. Rejects `ImageNotFound` where somebody has removed it since. */
export async function newImage(docker: Docker, reference: string): Promise<Image> {
  const image = await inspectImage(docker, reference);
  if (image === undefined) throw new AppError('ImageNotFound', `${reference} is gone already`);
  return image;
}

/** Says that this instance has a use for an image that a host built. Others, and a second time, change nothing. */
export async function claimImage(
  docker: Docker,
  { Id, RepoTags, Config }: Pick<Docker.ImageInspectInfo, 'Id' | 'RepoTags' | 'Config'>,
  instance: string,
): Promise<void> {
  const own = ownTags(instance, Config?.Labels?.[LABELS.build], RepoTags);
  if (hasNone(own) || own.ours.length > 0) return;
  const claim = { repo: own.repository, tag: `for-${instance}` };
  const holder = docker.getImage(claimTag(own.repository, instance));
  const before = await absent(holder.inspect(), [404], 'InternalError');
  if (before !== undefined) {
    const digits = before.Id.replace('sha256:', '').slice(0, ID_DIGITS);
    await docker.getImage(before.Id).tag({ ...claim, tag: `${claim.tag}.${digits}` });
  }
  await docker.getImage(Id).tag(claim);
}

export async function listBuiltImages(docker: Docker, instance: string): Promise<BuiltImage[]> {
  const listed = await refused(docker.listImages({ filters: { label: [LABELS.build] } }), 'InternalError');
  return listed.flatMap(({ Id, RepoTags, Labels, Size }): BuiltImage[] => {
    const build = Labels?.[LABELS.build] ?? '';
    const own = ownTags(instance, build, RepoTags ?? null);
    if (hasNone(own)) return [];
    const claimedBy = own.ours.length > 0 ? 'us' : own.others.length > 0 ? 'others' : 'nobody';
    return [{ id: Id, build, bytes: Size, claimedBy }];
  });
}

/** See `Engine.removeImage`. The claim goes last, so that a host that dies in between finds the image again. */
export async function removeImage(docker: Docker, id: string, instance: string): Promise<ImageRemoval> {
  const found = await absent(docker.getImage(id).inspect(), [400, 404], 'InternalError');
  if (found === undefined) return 'gone';
  const { plain, ours, others } = ownTags(instance, found.Config?.Labels?.[LABELS.build], found.RepoTags);
  if (others.length > 0) {
    for (const tag of ours) await untag(docker, tag);
    return 'kept';
  }
  const users = await refused(
    docker.listContainers({ all: true, filters: { ancestor: [found.Id] } }),
    'InternalError',
  );
  if (users.length > 0) return 'kept';
  // By its tags alone: with the last of all the engine removes it, and with a tag of somebody's own it stays.
  for (const tag of [...plain, ...ours]) {
    if (!(await untag(docker, tag))) return 'kept';
  }
  const left = await absent(docker.getImage(found.Id).inspect(), [404], 'InternalError');
  return left === undefined ? 'removed' : 'kept';
}

/** @returns false where a container came to use the image meanwhile */
async function untag(docker: Docker, reference: string): Promise<boolean> {
  try {
    await docker.getImage(reference).remove();
    return true;
  } catch (error) {
    if (statusOf(error) === 404) return true;
    if (statusOf(error) === 409) return false;
    throw engineError(error, 'InternalError');
  }
}

/** What `docker system df` says; layers that several images share count for none of them. */
export async function diskUsage(docker: Docker): Promise<DiskUsage> {
  const { Images, Volumes } = (await refused(docker.df(), 'InternalError')) as {
    Images: { Id: string; Size: number; SharedSize: number }[] | null;
    Volumes: { Name: string; UsageData?: { Size: number } | null }[] | null;
  };
  return {
    images: new Map((Images ?? []).map((one) => [one.Id, one.Size - Math.max(0, one.SharedSize)])),
    volumes: new Map((Volumes ?? []).map((one) => [one.Name, Math.max(0, one.UsageData?.Size ?? 0)])),
  };
}
