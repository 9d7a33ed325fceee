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
  const holders = new Map<number, string>();
  const ports = new Map<string, Set<number>>();
  let inRange = 0;
  const step = (port: number) => (port >= min && port <= max ? 1 : 0);
  const drop = (port: number): void => {
    const name = holders.get(port);
    if (name === undefined) return;
    holders.delete(port);
    inRange -= step(port);
    const own = ports.get(name);
    own?.delete(port);
    if (own?.size === 0) ports.delete(name);
  };
  return {
    of: (port) => holders.get(port),
    portsOf: (name) => [...(ports.get(name) ?? [])],
    delete: drop,
    set(port, name) {
      if (holders.get(port) === name) return;
      drop(port);
      holders.set(port, name);
      inRange += step(port);
      ports.set(name, (ports.get(name) ?? new Set()).add(port));
    },
    get inRange() {
      return inRange;
    },
  };
}
