import type { Leftovers } from '../../registry/records/leftovers.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Engine } from '../engine/engine.ts';
import type { Found } from './item.ts';

export interface RemoveDeps {
  registry: Registry;
  engine: Engine;
  leftovers: Leftovers;
}

/**
 * Removes one thing where it lies. Rejects as the engine or the files do.
 * @returns whether it is gone: what somebody came to use meanwhile stays
 */
export async function remove({ registry, engine, leftovers }: RemoveDeps, item: Found): Promise<boolean> {
  switch (item.kind) {
    case 'image':
      return (await engine.removeImage(item.id)) === 'removed';
    case 'heldImage': {
      await engine.releaseImage(item.id);
      return !(await engine.listHeldImages()).includes(item.id);
    }
    case 'sources':
      return registry.trashSources(item.folder);
    case 'history':
      await registry.revisions.remove(item.name);
      await registry.events.remove(item.name);
      await registry.buildHistory.remove(item.name);
      await registry.usage.remove(item.name);
      return true;
    case 'volume':
      // One that is gone already is as good. One that a container uses is refused by the engine.
      await engine.removeVolume(item.volume);
      break;
    case 'buildLog':
      if (registry.buildLogs.isOpen(item.buildId)) return false;
      break;
    case 'context':
    case 'trash':
      break;
  }
  await leftovers.remove(item.key);
  return true;
}
