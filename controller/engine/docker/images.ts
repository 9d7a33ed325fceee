import type Docker from 'dockerode';
import { builtFrom } from '../../../schemas/build-id.ts';
import { AppError } from '../../../schemas/errors.ts';
import { LABELS } from '../../../schemas/program.ts';
import type { BuiltImage, DiskUsage, Image, ImageRemoval } from '../engine.ts';
import { absent, engineError, refused, statusOf } from './errors.ts';
import { claimTag, hasNone, ownTags } from './images-of-people.ts';
import { isImageReference } from './translate.ts';

const ID_DIGITS = 12;

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
  const own = ownTags(instance, builtFrom(Config?.Labels), RepoTags);
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
    const build = builtFrom(Labels) ?? '';
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
  const { plain, ours, others } = ownTags(instance, builtFrom(found.Config?.Labels), found.RepoTags);
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
