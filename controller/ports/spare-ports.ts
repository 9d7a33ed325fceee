/** Ports of the range on which spare sandboxes wait for whoever comes to hold one. */
export interface SparePorts {
  has(port: number): boolean;
  /** One that nobody holds. */
  find(avoid: ReadonlySet<number>): number | undefined;
  add(port: number): void;
  delete(port: number): void;
  /** These and no others, from now on. */
  set(ports: Iterable<number>): void;
}

export function createSparePorts(isHeld: (port: number) => boolean): SparePorts {
  let spares = new Set<number>();
  return {
    has: (port) => spares.has(port),
    find: (avoid) => [...spares].find((port) => !isHeld(port) && !avoid.has(port)),
    add: (port) => void spares.add(port),
    delete: (port) => void spares.delete(port),
    set(ports) {
      spares = new Set(ports);
    },
  };
}
