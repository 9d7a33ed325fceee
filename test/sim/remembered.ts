import type { ProgramMemory, Rollout } from '../../schemas/memory.ts';

/** The wanted attempt, where it is remembered as rolled back. */
export function rolledBackOf(
  memory: ProgramMemory | undefined,
): Extract<Rollout, { verdict: 'bad' }> | undefined {
  return memory?.rollout.verdict === 'bad' ? memory.rollout : undefined;
}
