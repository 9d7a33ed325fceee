import type { Registry } from '../../registry/registry.ts';
import type { Situation } from '../../schemas/situation.ts';
import type { Action } from '../program/action.ts';

/** Who has to be looked at though nothing told of a change. */
export interface Resync {
  /** Every program, whatever is known of it. */
  all(): void;
  /** Every program but those at rest. */
  due(): void;
  /** A look at it begins: until that has come to its end, it is not at rest. */
  begins(name: string): void;
  /** The look found it at rest: see `isAtRest`. */
  rests(name: string): void;
  forget(name: string): void;
}

export function createResync(
  { list, status }: Pick<Registry, 'list' | 'status'>,
  look: (name: string) => void,
): Resync {
  const resting = new Set<string>();
  const names = () => new Set([...list().map(({ name }) => name), ...status.names()]);
  const leave = (name: string) => void resting.delete(name);
  return {
    begins: leave,
    forget: leave,
    rests: (name) => void resting.add(name),
    all() {
      for (const name of names()) look(name);
    },
    due() {
      for (const name of names()) if (!resting.has(name)) look(name);
    },
  };
}

/**
 * Whether another look could find no more than this one, unless somebody tells of a change: it is to be stopped, has
 * no objects and waits for nothing. A container that comes to be is told of by the engine's list every 10 s, and a
 * change of its manifest, of its pause or of who holds the port that it pins by whoever makes it.
 */
export function isAtRest(situation: Situation, actions: readonly Action[]): boolean {
  const { goal, containers, strangers, stopping, pending, portProblem, paused } = situation;
  const hasObjects = containers.length + strangers.length + stopping.size + pending.length > 0;
  const waits = actions.length > 0 || portProblem !== undefined || paused !== undefined;
  return goal.kind === 'stop' && !hasObjects && !waits;
}
