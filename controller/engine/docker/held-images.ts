import type Docker from 'dockerode';
import { builtFrom } from '../../../schemas/build-id.ts';
import type { ImageRemoval } from '../engine.ts';
import { claimants, type Owner } from '../owner.ts';
import { absent, refused } from './errors.ts';
import { hasNone, ownTags } from './images-of-people.ts';
import { untag } from './untag.ts';

/**
 * Images that people made or pulled, which programs name. Names move: on containerd's store an image whose only tag
 * another takes is deleted outright, even while a container made of it runs (measured with 28.5.2), and everywhere
 * `docker image prune` takes it. So each host puts a tag of its own on what it made a container of,
 * `hersh/image-<id>:for-<instance>-<registry>` (older hosts: `for-<instance>`), and takes it off when no revision is that image any more.
 */
const REPOSITORY = 'hersh/image-';
/** What the engine says in place of a name. */
const NO_NAME = /^(<none>|moby-dangling)/;

type Inspected = Pick<Docker.ImageInspectInfo, 'Id' | 'RepoTags' | 'RepoDigests' | 'Config'>;

const repositoryOf = (id: string): string => `${REPOSITORY}${id.replace(/^sha256:/, '')}`;
const tagFor = (owner: Owner): string => `for-${claimants(owner).own}`;
const holdOf = (id: string, owner: Owner): string => `${repositoryOf(id)}:${tagFor(owner)}`;
/** As older hosts hold it. */
const olderHoldOf = (id: string, owner: Owner): string => `${repositoryOf(id)}:for-${claimants(owner).older}`;

/**
 * Holds an image. One that a host built is claimed instead, and one without a name stays without: nobody takes that
 * away, and it would go with ours.
 */
export async function holdImage(
  docker: Docker,
  { Id, RepoTags, RepoDigests, Config }: Inspected,
  owner: Owner,
): Promise<void> {
  const names = [...(RepoTags ?? []), ...(RepoDigests ?? [])].filter((name) => !NO_NAME.test(name));
  const isHosts = !hasNone(ownTags(owner, builtFrom(Config?.Labels), RepoTags));
  if (isHosts || names.length === 0 || names.includes(holdOf(Id, owner))) return;
  const tagging = docker.getImage(Id).tag({ repo: repositoryOf(Id), tag: tagFor(owner) });
  await absent(tagging, [404], 'InternalError');
}

/** See `Engine.holdImage`. */
export async function holdById(docker: Docker, id: string, owner: Owner): Promise<void> {
  const found = await absent(docker.getImage(id).inspect(), [400, 404], 'InternalError');
  if (found !== undefined) await holdImage(docker, found, owner);
}

/** See `Engine.listHeldImages`. */
export async function listHeldImages(docker: Docker, owner: Owner): Promise<string[]> {
  const listed = await refused(docker.listImages(), 'InternalError');
  return listed.flatMap(({ Id, RepoTags }) => (holdsOn(Id, RepoTags, owner).length > 0 ? [Id] : []));
}

/** See `Engine.releaseImage`. */
export async function releaseImage(docker: Docker, id: string, owner: Owner): Promise<ImageRemoval> {
  const found = await absent(docker.getImage(id).inspect(), [400, 404], 'InternalError');
  if (found === undefined) return 'gone';
  const ancestor = [found.Id];
  const users = await refused(docker.listContainers({ all: true, filters: { ancestor } }), 'InternalError');
  if (users.length > 0) return 'kept';
  for (const hold of holdsOn(found.Id, found.RepoTags, owner))
    if (!(await untag(docker, hold))) return 'kept';
  const left = await absent(docker.getImage(found.Id).inspect(), [404], 'InternalError');
  return left === undefined ? 'removed' : 'kept';
}

/** The tags by which it is held for this registry, older ones among them. */
function holdsOn(id: string, tags: readonly string[] | null | undefined, owner: Owner): string[] {
  return [holdOf(id, owner), olderHoldOf(id, owner)].filter((hold) => tags?.includes(hold) === true);
}
