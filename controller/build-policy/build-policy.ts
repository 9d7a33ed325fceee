import { DOCKER_HUB, type ImageName, imageName, isOwnName } from '../../schemas/image-name.ts';
import { UNKNOWN } from './expand.ts';
import type { Fetch, Unread } from './fetches-of.ts';
import { isInward } from './registry-of.ts';

/** What the operator lets builds, and programs with an image, fetch in the machine's own network. */
export interface BuildPolicy {
  /** Whether `ADD` may fetch what is no file of the context. */
  readonly allowAdd: boolean;
  /** The only registries that images come from; undefined: all but those of this machine and its own networks. */
  readonly registries: readonly string[] | undefined;
}

export const DEFAULT_POLICY: BuildPolicy = { allowAdd: false, registries: undefined };

/** Why something is not fetched, and what is allowed instead. */
export interface Refusal {
  message: string;
  hint: string;
}

/** Whether a name is of an image that a host built for this user, and that is here; the words why not. */
export type OwnImages = (name: string) => string | undefined;

const SYNTAXES = new Set(['docker/dockerfile', 'docker/dockerfile-upstream']);

const IN_TEXT = ' (the line stands in a here-document, which older builders read as instructions)';

/** Why a build is refused before it begins; undefined where it is not. */
export function buildRefusal(
  path: string,
  found: readonly Fetch[] | Unread,
  policy: BuildPolicy,
  own: OwnImages,
): Refusal | undefined {
  if ('why' in found) {
    const message = `${path}:${found.line}: the Dockerfile is not read by this host, since ${found.why}`;
    return { message, hint: 'What a build fetches is looked at first; write it as Dockerfiles are.' };
  }
  for (const fetch of found) {
    const why = fetchRefusal(fetch, policy, own);
    const where = fetch.line === 0 ? 'spec.build.args' : `${path}:${fetch.line}`;
    const note = fetch.isDoubtful === true ? IN_TEXT : '';
    if (why !== undefined) return { ...why, message: `${where}: ${why.message}${note}` };
  }
  return undefined;
}

/** The names of images of a host's own that a build is made on; they have to be looked for before it is judged. */
export function ownNamesIn(found: readonly Fetch[] | Unread): string[] {
  if ('why' in found) return [];
  const names = found.filter(({ kind }) => kind === 'image').map(({ name }) => name);
  return [...new Set(names.filter(isOwnName))];
}

/** Why an image is not pulled; undefined where it is. @param by the words that name it @param written in place of it */
export function imageRefusal(
  reference: string,
  by: string,
  policy: BuildPolicy,
  written = reference,
): Refusal | undefined {
  const name = imageName(reference);
  if (name === undefined) {
    const what = (reference.includes(UNKNOWN) ? written : reference).replaceAll(UNKNOWN, '');
    const message = `${by} ${what}: what it comes to is not known before the build`;
    return { message, hint: 'Write the name as it is, or with an ARG from before the first FROM.' };
  }
  if (isOwnName(reference))
    return ownRefusal(`${by} ${reference}`, 'an image that a host built is never pulled');
  return registryRefusal(`${by} ${reference}`, name, policy);
}

function fetchRefusal(
  { by, kind, name, written }: Fetch,
  policy: BuildPolicy,
  own: OwnImages,
): Refusal | undefined {
  if (kind === 'remote') return policy.allowAdd ? undefined : addRefusal(name);
  if (kind === 'syntax') return syntaxRefusal(name, policy);
  if (!isOwnName(name)) return imageRefusal(name, by, policy, written);
  const why = own(name);
  return why === undefined ? undefined : ownRefusal(`${by} ${name}`, why);
}

function addRefusal(name: string): Refusal {
  const isKnown = !name.includes(UNKNOWN);
  const what = name.replaceAll(UNKNOWN, '');
  const why = isKnown
    ? "it would be fetched in the machine's own network"
    : 'a variable may come to an address, which is not known before the build';
  return {
    message: `ADD ${what} is not allowed: ${why}`,
    hint: isKnown
      ? 'Use RUN with curl, wget or git instead, which fetch it in the network of the build; the operator may allow it with --build-allow-add on.'
      : `Write a file of the context with ./ before it (ADD ./${what}), and fetch others by RUN with curl or wget; the operator may allow it with --build-allow-add on.`,
  };
}

/** Whoever reads a Dockerfile fetches what it likes: the builder's own alone does. */
function syntaxRefusal(reference: string, { registries }: BuildPolicy): Refusal | undefined {
  const name = imageName(reference);
  const isBuilders = name !== undefined && SYNTAXES.has(name.repository);
  if (isBuilders && (name.registry === DOCKER_HUB || registries?.includes(name.registry) === true))
    return undefined;
  return {
    message: `the syntax ${reference} is not allowed: it would be read by a program that this host does not know`,
    hint: 'Leave the line out, or use docker/dockerfile:1.',
  };
}

function ownRefusal(what: string, why: string): Refusal {
  return {
    message: `${what} is not allowed: ${why}`,
    hint: 'Name an image of a registry, or one that a program of the same user is built as and that is on this machine.',
  };
}

function registryRefusal(what: string, { registry }: ImageName, policy: BuildPolicy): Refusal | undefined {
  const { registries } = policy;
  if (registries === undefined) {
    if (!isInward(registry)) return undefined;
    return {
      message: `${what} is not allowed: ${registry} is on this machine or in its own networks`,
      hint: `Use a public registry; the operator may allow this one with --build-registries ${DOCKER_HUB},${registry}.`,
    };
  }
  if (registries.includes(registry)) return undefined;
  return {
    message: `${what} is not allowed: images come from ${registries.join(', ')} alone`,
    hint: `The operator may allow ${registry} too, with --build-registries.`,
  };
}
