import { isSameData } from '../../schemas/is-same-data.ts';
import { ON_CHANGE } from '../../schemas/on-change.ts';
import type { ProgramSpec } from '../../schemas/program.ts';

/**
 * What a change of spec will make the controller do, in words and in order. Pure.
 * @param has whether a container of the program runs, or is kept at least
 */
export function describeChange(
  from: ProgramSpec | undefined,
  to: ProgramSpec,
  { isUp, isKept }: { isUp: boolean; isKept: boolean },
): string[] {
  // Of all the fields there are: one that was taken out is none of `to`.
  const changed = (Object.keys(ON_CHANGE) as (keyof ProgramSpec)[]).filter(
    (field) => from === undefined || !isSameData(from[field], to[field]),
  );
  if (to.desiredState === 'Stopped') return isUp ? ['stop the running container'] : [];
  const costs = new Set(changed.map((field) => ON_CHANGE[field]));
  if (!costs.has('rebuild') && !costs.has('recreate')) {
    if (isUp) return [];
    if (isKept) return ['start the container that was kept'];
  }
  const actions: string[] = [];
  const isAlways = to.pullPolicy === 'Always' && !to.image?.startsWith('sha256:');
  if (to.image !== null) actions.push(`pull ${to.image}${isAlways ? '' : ' unless it is on this machine'}`);
  else if (to.build !== null) actions.push(`build ${to.build.context} unless its image is there`);
  actions.push('create a container for the new revision');
  if (isUp) actions.push('stop the running container');
  actions.push('start the new container');
  return actions;
}
