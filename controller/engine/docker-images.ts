import type Docker from 'dockerode';
import { LABELS } from '../../schemas/program.ts';
import { absent, engineError, refused, statusOf } from './docker-errors.ts';
import type { BuiltImage, DiskUsage, ImageRemoval } from './engine.ts';

/**
 * Hosts of several instances share built images, so each puts a tag of its own on those it has a use for,
 * `hersh/<build_id>:for-<instance>`: an image stays as long as any such tag is on it. Docker thus counts the
 * references, and no host has to know of another.
 */
const CLAIM = 'for-';
const CLAIMED = /:for-[a-z0-9][a-z0-9-]*$/;
const PLAIN = ':latest';

export function claimTag(repository: string, instance: string): string {
  return `${repository}:${CLAIM}${instance}`;
}

/** Says that this instance has a use for an image that a host built. Others, and a second time, change nothing. */
export async function claimImage(
  docker: Docker,
  image: Pick<Docker.ImageInspectInfo, 'Id' | 'RepoTags' | 'Config'>,
  instance: string,
): Promise<void> {
  if (image.Config?.Labels?.[LABELS.build] === undefined) return;
  const tags = image.RepoTags ?? [];
  for (const repository of repositoriesOf(tags)) {
    if (tags.includes(claimTag(repository, instance))) continue;
    await docker.getImage(image.Id).tag({ repo: repository, tag: `${CLAIM}${instance}` });
  }
}

/** Repositories whose plain tag is on the image: it is by that tag that hosts look for it. */
function repositoriesOf(tags: readonly string[]): string[] {
  return tags.filter((tag) => tag.endsWith(PLAIN)).map((tag) => tag.slice(0, -PLAIN.length));
}

export async function listBuiltImages(docker: Docker, instance: string): Promise<BuiltImage[]> {
  const listed = await refused(docker.listImages({ filters: { label: [LABELS.build] } }), 'InternalError');
  return listed.map(({ Id, RepoTags, Labels, Size }) => {
    const claims = (RepoTags ?? []).filter((tag) => CLAIMED.test(tag));
    const isOurs = claims.some((tag) => tag.endsWith(claimTag('', instance)));
    return {
      id: Id,
      build: Labels?.[LABELS.build] ?? '',
      bytes: Size,
      claimedBy: isOurs ? 'us' : claims.length > 0 ? 'others' : 'nobody',
    };
  });
}

/** See `Engine.removeImage`. The claim goes last, so that a host that dies in between finds the image again. */
export async function removeImage(docker: Docker, id: string, instance: string): Promise<ImageRemoval> {
  const found = await absent(docker.getImage(id).inspect(), [400, 404], 'InternalError');
  if (found === undefined) return 'gone';
  const tags = found.RepoTags ?? [];
  const claims = tags.filter((tag) => CLAIMED.test(tag));
  const ours = claims.filter((tag) => tag.endsWith(claimTag('', instance)));
  if (claims.length > ours.length) {
    for (const tag of ours) await untag(docker, tag);
    return 'kept';
  }
  const users = await refused(
    docker.listContainers({ all: true, filters: { ancestor: [found.Id] } }),
    'InternalError',
  );
  if (users.length > 0) return 'kept';
  const named = ours.map((tag) => `${tag.slice(0, tag.lastIndexOf(':'))}${PLAIN}`);
  const plain = ours.length > 0 ? tags.filter((tag) => named.includes(tag)) : tags;
  for (const reference of [...plain, ...ours, ...(tags.length === 0 ? [found.Id] : [])]) {
    if (!(await untag(docker, reference))) return 'kept';
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
