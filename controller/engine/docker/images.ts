import type Docker from 'dockerode';
import { builtFrom } from '../../../schemas/build-id.ts';
import { AppError } from '../../../schemas/errors.ts';
import type { BuiltImage, Image, ImageRemoval } from '../engine.ts';
import { claimants, type Owner, type OwnerSource } from '../owner.ts';
import { absent, refused } from './errors.ts';
import { createImageSizes } from './image-sizes.ts';
import { claimTag, hasNone, ownTags } from './images-of-people.ts';
import { isImageReference } from './translate.ts';
import { untag } from './untag.ts';

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

/** Says that this registry's host has a use for an image that a host built. Others, and a second time, change nothing. */
export async function claimImage(
  docker: Docker,
  { Id, RepoTags, Config }: Pick<Docker.ImageInspectInfo, 'Id' | 'RepoTags' | 'Config'>,
  owner: Owner,
): Promise<void> {
  const own = ownTags(owner, builtFrom(Config?.Labels), RepoTags);
  if (hasNone(own) || own.isClaimed) return;
  const { own: claimant } = claimants(owner);
  const claim = { repo: own.repository, tag: `for-${claimant}` };
  const holder = docker.getImage(claimTag(own.repository, claimant));
  const before = await absent(holder.inspect(), [404], 'InternalError');
  if (before !== undefined) {
    const digits = before.Id.replace('sha256:', '').slice(0, ID_DIGITS);
    await docker.getImage(before.Id).tag({ ...claim, tag: `${claim.tag}.${digits}` });
  }
  await docker.getImage(Id).tag(claim);
}

/** See `Engine.listBuiltImages`. The function keeps what it learnt of each image. */
export function createBuiltImages(docker: Docker, ownerOf: OwnerSource): () => Promise<BuiltImage[]> {
  const sizesOf = createImageSizes(docker);
  return async () => {
    const owner = await ownerOf();
    const listed = await refused(docker.listImages(), 'InternalError');
    const rows = listed.map(({ Id: id, Created: createdS, RepoTags, Labels }) => {
      const build = builtFrom(Labels) ?? '';
      const own = ownTags(owner, build, RepoTags ?? null);
      return { id, createdS, build, own, isHosts: !hasNone(own) };
    });
    const built = rows.filter(({ isHosts }) => isHosts);
    const sizes = built.length === 0 ? new Map<string, number>() : await sizesOf(rows);
    return built.flatMap(({ id, build, own }): BuiltImage[] => {
      const bytes = sizes.get(id);
      if (bytes === undefined) return [];
      const claimedBy = own.ours.length > 0 ? 'us' : own.others.length > 0 ? 'others' : 'nobody';
      return [{ id, build, bytes, claimedBy }];
    });
  };
}

/** See `Engine.removeImage`. The claim goes last, so that a host that dies in between finds the image again. */
export async function removeImage(docker: Docker, id: string, owner: Owner): Promise<ImageRemoval> {
  const found = await absent(docker.getImage(id).inspect(), [400, 404], 'InternalError');
  if (found === undefined) return 'gone';
  const { plain, ours, others } = ownTags(owner, builtFrom(found.Config?.Labels), found.RepoTags);
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
