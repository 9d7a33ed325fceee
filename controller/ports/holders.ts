import { createTwoWay } from './two-way.ts';

/** Who holds which port, found from either side without a look at the others. */
export interface Holders {
  of(port: number): string | undefined;
  /** In the order in which it came to hold them. */
  portsOf(name: string): readonly number[];
  set(port: number, name: string): void;
  delete(port: number): void;
  /** How many ports of the range are held. */
  readonly inRange: number;
}

export function createHolders({ min, max }: { min: number; max: number }): Holders {
  const { get, keysOf, ...held } = createTwoWay<number, string>();
  let inRange = 0;
  const isIn = (port: number) => port >= min && port <= max;
  return {
    of: get,
    portsOf: keysOf,
    set(port, name) {
      if (isIn(port) && get(port) === undefined) inRange++;
      held.set(port, name);
    },
    delete(port) {
      if (isIn(port) && get(port) !== undefined) inRange--;
      held.delete(port);
    },
    get inRange() {
      return inRange;
    },
  };
}
