/** Names of images, as an engine reads them. Pure. */

export const DOCKER_HUB = 'docker.io';
const HUB_NAMES: ReadonlySet<string> = new Set([DOCKER_HUB, 'index.docker.io', 'registry-1.docker.io']);
const REFERENCE = /^(?:\[[0-9a-fA-F:.]+\](?::\d+)?\/)?[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,511}$/;

/** A name of an image, by who is asked for it. */
export interface ImageName {
  /** `docker.io`, `registry.example:5000`, in lower case. */
  registry: string;
  /** What it is called there, without tag and digest; on Docker Hub `library/` stands before what has no other. */
  repository: string;
}

/** Undefined of what is no name of an image. */
export function imageName(reference: string): ImageName | undefined {
  if (!REFERENCE.test(reference)) return undefined;
  const slash = reference.indexOf('/');
  const first = reference.slice(0, Math.max(slash, 0));
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const registry = isHost ? hubOr(first.toLowerCase()) : DOCKER_HUB;
  const path = (isHost ? reference.slice(slash + 1) : reference).replace(/@.*$/, '').replace(/:[^/]*$/, '');
  const isBare = registry === DOCKER_HUB && !path.includes('/');
  return { registry, repository: isBare ? `library/${path}` : path };
}

/** A registry of several names by the one that is used here. */
export const hubOr = (host: string): string => (HUB_NAMES.has(host) ? DOCKER_HUB : host);

/** Whether only a host, or this machine's engine, has an image of that name. */
export function isOwnName(reference: string): boolean {
  if (/^(?:sha256:)?[0-9a-f]{64}$/.test(reference)) return true;
  const name = imageName(reference);
  return name?.registry === DOCKER_HUB && name.repository.startsWith('hersh/');
}

/**
 * Whether an engine that has an image may find it by this though no registry was ever asked for it: an own name, an id,
 * the beginning of one, or what is no name.
 */
export function mayBeOfThisHost(reference: string): boolean {
  const isId = /^(?:sha256:|[0-9a-f]+$)/i.test(reference);
  return isId || isOwnName(reference) || imageName(reference) === undefined;
}
