import { buildIdOf, imageTag } from '../../../schemas/build-id.ts';
import { claimants, type Owner } from '../owner.ts';

/**
 * Whose an image is, by its tags: ours, that of another host, or somebody's own, which nobody here collects.
 *
 * Hosts of several registries share built images, so each puts a tag of its own on those it has a use for,
 * `hersh/<build_id>:for-<instance>-<registry>` (older hosts: `for-<instance>`): an image stays as long as any such tag is on it. Docker thus counts the
 * references, and no host has to know of another. One whose tag a newer image of the same build takes keeps
 * `for-<…>.<its id>`, or it would lie there for good.
 */
const CLAIM = /^for-([a-z0-9][a-z0-9-]*)(?:\.[0-9a-f]+)?$/;
const PLAIN = 'latest';

export function claimTag(repository: string, claimant: string): string {
  return `${repository}:for-${claimant}`;
}

/** The tags of an image that hosts put there, whole. */
export interface OwnTags {
  repository: string;
  plain: string[];
  ours: string[];
  /** Whether one of ours names the registry, as those of older hosts do not. */
  isClaimed: boolean;
  others: string[];
}

/**
 * Which tags of an image are the hosts'. All else is somebody's own, and so is an image that has none of these: what
 * is built on a program's image has our label too.
 * @param build see `builtFrom`
 */
export function ownTags(owner: Owner, build: string | undefined, tags: readonly string[] | null): OwnTags {
  const repository = imageTag(buildIdOf(build ?? ''));
  const own: OwnTags = { repository, plain: [], ours: [], isClaimed: false, others: [] };
  const us = claimants(owner);
  if (!/^[0-9a-f]{12}/.test(build ?? '')) return own;
  for (const whole of tags ?? []) {
    if (!whole.startsWith(`${repository}:`)) continue;
    const tag = whole.slice(repository.length + 1);
    const claimant = CLAIM.exec(tag)?.[1];
    if (tag === PLAIN) own.plain.push(whole);
    else if (claimant === us.own || claimant === us.older) own.ours.push(whole);
    else if (claimant !== undefined) own.others.push(whole);
    if (claimant === us.own) own.isClaimed = true;
  }
  return own;
}

export const hasNone = ({ plain, ours, others }: Pick<OwnTags, 'plain' | 'ours' | 'others'>): boolean =>
  plain.length + ours.length + others.length === 0;
