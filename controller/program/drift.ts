import { type Container, hashOf, isUp, unreachable } from '../../schemas/container.ts';
import { isSameData } from '../../schemas/is-same-data.ts';
import { finishedOf, type ProgramMemory } from '../../schemas/memory.ts';
import type { Situation } from '../../schemas/situation.ts';
import { stableJson } from '../../schemas/stable-json.ts';
import { describeLoss, isGivenUp } from './port-loss.ts';

/**
 * What somebody changed of a container since it was first seen to run, in words; empty where nothing is known to
 * compare with. The engine's own account is the measure, since not every engine keeps all it is asked for.
 */
export function driftOf(container: Container, memory: ProgramMemory): string[] {
  const { containers } = memory;
  const { id, settings, sandbox } = container;
  // Of one that is down it says no more than that it has to be made anew: a host may have taken its sandbox.
  if (sandbox?.state === 'gone') return isUp(container) ? [unreachable(container)] : [];
  if (isGivenUp(memory, container)) return [describeLoss(container)];
  const before: Record<string, unknown> = { ...containers[id]?.settings };
  // What an older host did not look at is no change: a newer one would replace everything that runs.
  const known = Object.entries(settings).filter(([setting]) => setting in before);
  const changed = known.flatMap(([setting, now]) =>
    isSameData(now, before[setting])
      ? []
      : `${setting} is ${stableJson(now)} instead of ${stableJson(before[setting])}`,
  );
  // A first look is no baseline for what a program is reached by.
  const lost = unreachable(container);
  return changed.length > 0 || lost === '' ? changed : [lost];
}

/** Whether a container that is made now joins a sandbox: gVisor's own network stack can share none across starts. */
export function joins({ sandboxed }: Pick<Situation, 'sandboxed'>, runtime: string): boolean {
  return sandboxed === true && runtime === 'runc';
}

/** Whether it would have another network if it were made now, or has none: at its next start it is made anew. */
export function isOutdated(situation: Situation, one: Container): boolean {
  const { sandbox, runtime } = one;
  if (isUp(one) || finishedOf(situation.memory)?.specHash === hashOf(one)) return false;
  return sandbox?.state === 'gone' || (sandbox !== undefined) !== joins(situation, runtime);
}
