import type { Leftover, Leftovers } from '../../registry/records/leftovers.ts';
import { buildIdOf } from '../../schemas/build-id.ts';
import type { Engine } from '../engine/engine.ts';
import type { Found } from './item.ts';

/**
 * Everything that could be collected, needed or not. `sinceMs` is 0 where nothing on the disk says it.
 * Rejects where a part can not be listed, `EngineUnavailable` among others.
 * @param measured whether to ask the engine for the sizes of volumes, which takes it a while; otherwise they have none
 */
export async function findAll(leftovers: Leftovers, engine: Engine, measured: boolean): Promise<Found[]> {
  const images = await engine.listBuiltImages();
  const held = (await engine.listHeldImages()).map(
    (id): Found => ({ kind: 'heldImage', key: `held ${id}`, id, bytes: null, sinceMs: 0 }),
  );
  const sizes = measured ? await engine.volumeSizes() : undefined;
  const files = (await leftovers.list()).map((leftover) => ofFile(leftover, sizes));
  const ofEngine = images.map(
    ({ id, build, bytes, claimedBy }): Found => ({
      ...{ kind: 'image', key: id, id, buildId: buildIdOf(build), claimedBy, sinceMs: 0 },
      bytes,
    }),
  );
  return [...ofEngine, ...held, ...files];
}

function ofFile(leftover: Leftover, sizes: ReadonlyMap<string, number> | undefined): Found {
  switch (leftover.kind) {
    case 'context':
      return { ...leftover, buildId: buildIdOf(leftover.hash), sinceMs: 0 };
    case 'trash':
      return { ...leftover, isStamped: leftover.sinceMs !== undefined, sinceMs: leftover.sinceMs ?? 0 };
    case 'volume':
      return { ...leftover, bytes: sizes === undefined ? null : (sizes.get(leftover.volume) ?? 0) };
    default:
      return { ...leftover, sinceMs: 0 };
  }
}
