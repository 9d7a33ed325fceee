import type { ControllerLog } from '../log.ts';

/** Troubles that last, each told once until it is over. */
export interface Troubles {
  tell(what: string, fields: object): void;
  isOver(what: string): void;
}

export function createTroubles(log: ControllerLog): Troubles {
  const told = new Set<string>();
  return {
    tell(what, fields) {
      if (!told.has(what)) log.warn(fields, what);
      told.add(what);
    },
    isOver: (what) => told.delete(what),
  };
}
