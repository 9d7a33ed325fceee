import { type Container, unreachable } from '../../schemas/container.ts';
import type { ProgramMemory } from '../../schemas/memory.ts';
import { stableJson } from '../../schemas/stable-json.ts';

/**
 * What somebody changed of a container since it was first seen to run, in words; empty where nothing is known to
 * compare with. The engine's own account is the measure, since not every engine keeps all it is asked for.
 */
export function driftOf(container: Container, { containers }: ProgramMemory): string[] {
  const { id, settings } = container;
  const before: Record<string, unknown> = { ...containers[id]?.settings };
  // What an older host did not look at is no change: a newer one would replace everything that runs.
  const known = Object.entries(settings).filter(([setting]) => setting in before);
  const changed = known.flatMap(([setting, now]) =>
    stableJson(now) === stableJson(before[setting])
      ? []
      : `${setting} is ${stableJson(now)} instead of ${stableJson(before[setting])}`,
  );
  // A first look is no baseline for what a program is reached by.
  const lost = unreachable(container);
  return changed.length > 0 || lost === '' ? changed : [lost];
}
