import { countOnce } from '../../controller/engine/docker/image-sizes.ts';
import type { Engine } from '../../controller/engine/engine.ts';
import { buildIdOf, imageTag } from '../../schemas/build-id.ts';
import { LABELS } from '../../schemas/program.ts';
import type { SimImage, SimWorld } from './engine-world.ts';

/** What every volume of the simulation takes up. */
export const SIM_VOLUME_BYTES = 10 * 2 ** 20;

/** The part of a simulated engine that knows built images and who has a use for them. */
export function simImages(
  world: SimWorld,
  instance: string,
  call: <T>(method: string, act: () => T | Promise<T>) => Promise<T>,
): Pick<Engine, 'listBuiltImages' | 'removeImage' | 'volumeSizes' | HoldingCalls> {
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
          const claimedBy = claims.has(instance) ? 'us' : claims.size > 0 ? 'others' : 'nobody';
          return [{ id, build: labels[LABELS.build] ?? '', bytes: sizes.get(id) ?? 0, claimedBy } as const];
        });
      }),

    removeImage: (id) =>
      call('removeImage', () => {
        const image = world.images.get(id);
        if (image === undefined) return 'gone';
        if ([...image.claims].some((other) => other !== instance)) {
          image.claims.delete(instance);
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
        if (image !== undefined) hold(world, image, instance);
      }),

    listHeldImages: () =>
      call('listHeldImages', () =>
        [...world.images.keys()].filter((id) => world.tags.get(holdOf(id, instance)) === id),
      ),

    releaseImage: (id) =>
      call('releaseImage', () => {
        if (!world.images.has(id)) return 'gone';
        if ([...world.containers.values()].some(({ facts }) => facts.imageId === id)) return 'kept';
        if (!world.tags.delete(holdOf(id, instance))) return 'kept';
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
export function hold(world: SimWorld, image: SimImage, instance: string): void {
  if (!isHosts(world, image) && world.namesOf(image.id).length > 0)
    world.tags.set(holdOf(image.id, instance), image.id);
}

const holdOf = (id: string, instance: string): string =>
  `hersh/image-${id.replace('sha256:', '')}:for-${instance}`;

/** Says that the instance has a use for an image, where a host built it. */
export function claim(world: SimWorld, image: SimImage, instance: string): void {
  if (isHosts(world, image)) image.claims.add(instance);
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
