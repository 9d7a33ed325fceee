import type { Engine } from '../../controller/engine/engine.ts';
import { LABELS } from '../../schemas/program.ts';
import type { SimWorld } from './engine-world.ts';

/** What every image and volume of the simulation takes up. */
export const SIM_IMAGE_BYTES = 100 * 2 ** 20;
export const SIM_VOLUME_BYTES = 10 * 2 ** 20;

/** The part of a simulated engine that knows built images and who has a use for them. */
export function simImages(
  world: SimWorld,
  instance: string,
  call: <T>(method: string, act: () => T | Promise<T>) => Promise<T>,
): Pick<Engine, 'listBuiltImages' | 'removeImage' | 'diskUsage'> {
  return {
    listBuiltImages: () =>
      call('listBuiltImages', () =>
        [...world.images.values()].flatMap(({ id, labels, claims }) => {
          const build = labels[LABELS.build];
          if (build === undefined) return [];
          const claimedBy = claims.has(instance) ? 'us' : claims.size > 0 ? 'others' : 'nobody';
          return [{ id, build, bytes: SIM_IMAGE_BYTES, claimedBy } as const];
        }),
      ),

    removeImage: (id) =>
      call('removeImage', () => {
        const image = world.images.get(id);
        if (image === undefined) return 'gone';
        if ([...image.claims].some((other) => other !== instance)) {
          image.claims.delete(instance);
          return 'kept';
        }
        if ([...world.containers.values()].some(({ facts }) => facts.imageId === id)) return 'kept';
        world.images.delete(id);
        for (const [tag, target] of world.tags) if (target === id) world.tags.delete(tag);
        return 'removed';
      }),

    diskUsage: () =>
      call('diskUsage', () => ({
        images: new Map([...world.images.keys()].map((id) => [id, SIM_IMAGE_BYTES])),
        volumes: new Map([...world.volumes.keys()].map((name) => [name, SIM_VOLUME_BYTES])),
      })),
  };
}
