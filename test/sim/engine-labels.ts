import type { Labels } from '../../controller/engine/owner.ts';
import { LABELS } from '../../schemas/program.ts';
import type { SimWorld } from './engine-world.ts';

/** Of every container and volume of an instance, whichever registry's. */
export function labelsIn({ containers, volumes }: SimWorld, instance: string): Labels[] {
  const all = [...[...containers.values()].map(({ facts }) => facts), ...volumes.values()];
  return all.map(({ labels }) => labels).filter((labels) => labels[LABELS.instance] === instance);
}
