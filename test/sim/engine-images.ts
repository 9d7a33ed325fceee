import { countOnce } from '../../controller/engine/docker/image-sizes.ts';
import type { Engine } from '../../controller/engine/engine.ts';
import { claimants, type Owner } from '../../controller/engine/owner.ts';
import { buildIdOf, imageTag } from '../../schemas/build-id.ts';
import { LABELS } from '../../schemas/program.ts';
import type { SimImage, SimWorld } from './engine-world.ts';

/** What every volume of the simulation takes up. */
export const SIM_VOLUME_BYTES = 10 * 2 ** 20;

/** The part of a simulated engine that knows built images and who has a use for them. */
export function simImages(
  world: SimWorld,
  owner: () => Owner,
  call: <T>(method: string, act: () => T | Promise<T>) => Promise<T>,
): Pick<Engine, 'listBuiltImages' | 'removeImage' | 'volumeSizes' | HoldingCalls> {
  const ours = () => Object.values(claimants(owner()));
  const holdsOn = (id: string) =>
    ours()
      .map((us) => holdOf(id, us))
      .filter((tag) => world.tags.get(tag) === id);
  return {
    listBuiltImages: () =>
      call('listBuiltImages', () => {
        const sizes = countOnce(
          [...world.images.values()].map((image, n) => ({
            ...image,
            createdS: n,
            isHosts: isHosts(world, image),
          })),
        );
        return [...world.images.values()].flatMap((image) => {
          if (!isHosts(world, image)) return [];
          const { id, labels, claims } = image;
          const claimedBy = [...ours()].some((us) => claims.has(us))
            ? 'us'
            : claims.size > 0
              ? 'others'
              : 'nobody';
          return [{ id, build: labels[LABELS.build] ?? '', bytes: sizes.get(id) ?? 0, claimedBy } as const];
        });
      }),

    removeImage: (id) =>
      call('removeImage', () => {
        const image = world.images.get(id);
        if (image === undefined) return 'gone';
        if ([...image.claims].some((other) => !ours().includes(other))) {
          for (const us of ours()) image.claims.delete(us);
          return 'kept';
        }
        if (!isHosts(world, image)) return 'kept';
        if ([...world.containers.values()].some(({ facts }) => facts.imageId === id)) return 'kept';
        image.claims.clear();
        if (world.tags.get(tagOf(image)) === id) world.tags.delete(tagOf(image));
        if ([...world.tags.values()].includes(id)) return 'kept';
        world.images.delete(id);
        return 'removed';
      }),

    holdImage: (id) =>
      call('holdImage', () => {
        const image = world.images.get(id);
        if (image !== undefined) hold(world, image, owner());
      }),

    listHeldImages: () =>
      call('listHeldImages', () => [...world.images.keys()].filter((id) => holdsOn(id).length > 0)),

    releaseImage: (id) =>
      call('releaseImage', () => {
        if (!world.images.has(id)) return 'gone';
        if ([...world.containers.values()].some(({ facts }) => facts.imageId === id)) return 'kept';
        const holds = holdsOn(id);
        if (holds.length === 0) return 'kept';
        for (const hold of holds) world.tags.delete(hold);
        if (world.namesOf(id).length > 0) return 'kept';
        world.images.delete(id);
        return 'removed';
      }),

    volumeSizes: () =>
      call('volumeSizes', () => new Map([...world.volumes.keys()].map((name) => [name, SIM_VOLUME_BYTES]))),
  };
}

type HoldingCalls = 'holdImage' | 'listHeldImages' | 'releaseImage';

/** As the adapter does: a tag of the instance's own, on what has a name and no host built. */
export function hold(world: SimWorld, image: SimImage, owner: Owner): void {
  if (!isHosts(world, image) && world.namesOf(image.id).length > 0)
    world.tags.set(holdOf(image.id, claimants(owner).own), image.id);
}

const holdOf = (id: string, claimant: string): string =>
  `hersh/image-${id.replace('sha256:', '')}:for-${claimant}`;

/** Says that the instance has a use for an image, where a host built it. */
export function claim(world: SimWorld, image: SimImage, owner: Owner): void {
  if (isHosts(world, image)) image.claims.add(claimants(owner).own);
}

/** The tag by which hosts look for it. */
function tagOf({ labels }: SimImage): string {
  return imageTag(buildIdOf(labels[LABELS.build] ?? ''));
}

/** Whether a host's tag is on it: a label alone may be inherited. */
function isHosts(world: SimWorld, image: SimImage): boolean {
  if (image.labels[LABELS.build] === undefined) return false;
  return image.claims.size > 0 || world.tags.get(tagOf(image)) === image.id;
}
