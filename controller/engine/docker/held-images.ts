import type Docker from 'dockerode';
import { builtFrom } from '../../../schemas/build-id.ts';
import type { ImageRemoval } from '../engine.ts';
import { absent, refused } from './errors.ts';
import { hasNone, ownTags } from './images-of-people.ts';
import { untag } from './untag.ts';

/**
 * Images that people made or pulled, which programs name. Names move: on containerd's store an image whose only tag
 * another takes is deleted outright, even while a container made of it runs (measured with 28.5.2), and everywhere
 * `docker image prune` takes it. So each instance puts a tag of its own on what it made a container of,
 * `hersh/image-<id>:for-<instance>`, and takes it off when no revision is that image any more.
 */
const REPOSITORY = 'hersh/image-';
/** What the engine says in place of a name. */
const NO_NAME = /^(<none>|moby-dangling)/;

type Inspected = Pick<Docker.ImageInspectInfo, 'Id' | 'RepoTags' | 'RepoDigests' | 'Config'>;

const repositoryOf = (id: string): string => `${REPOSITORY}${id.replace(/^sha256:/, '')}`;
const tagFor = (instance: string): string => `for-${instance}`;
const holdOf = (id: string, instance: string): string => `${repositoryOf(id)}:${tagFor(instance)}`;

/**
 * Holds an image. One that a host built is claimed instead, and one without a name stays without: nobody takes that
 * away, and it would go with ours.
 */
export async function holdImage(
  docker: Docker,
  { Id, RepoTags, RepoDigests, Config }: Inspected,
  instance: string,
): Promise<void> {
  const names = [...(RepoTags ?? []), ...(RepoDigests ?? [])].filter((name) => !NO_NAME.test(name));
  const isHosts = !hasNone(ownTags(instance, builtFrom(Config?.Labels), RepoTags));
  if (isHosts || names.length === 0 || names.includes(holdOf(Id, instance))) return;
  const tagging = docker.getImage(Id).tag({ repo: repositoryOf(Id), tag: tagFor(instance) });
  await absent(tagging, [404], 'InternalError');
}

/** See `Engine.holdImage`. */
export async function holdById(docker: Docker, id: string, instance: string): Promise<void> {
  const found = await absent(docker.getImage(id).inspect(), [400, 404], 'InternalError');
  if (found !== undefined) await holdImage(docker, found, instance);
}

/** See `Engine.listHeldImages`. */
export async function listHeldImages(docker: Docker, instance: string): Promise<string[]> {
  const listed = await refused(docker.listImages(), 'InternalError');
  return listed.flatMap(({ Id, RepoTags }) => (RepoTags?.includes(holdOf(Id, instance)) ? [Id] : []));
}

/** See `Engine.releaseImage`. */
export async function releaseImage(docker: Docker, id: string, instance: string): Promise<ImageRemoval> {
  const found = await absent(docker.getImage(id).inspect(), [400, 404], 'InternalError');
  if (found === undefined) return 'gone';
  const ancestor = [found.Id];
  const users = await refused(docker.listContainers({ all: true, filters: { ancestor } }), 'InternalError');
  if (users.length > 0 || !(await untag(docker, holdOf(found.Id, instance)))) return 'kept';
  const left = await absent(docker.getImage(found.Id).inspect(), [404], 'InternalError');
  return left === undefined ? 'removed' : 'kept';
}
