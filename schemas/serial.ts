/** Work that goes one after the other, in the order it was asked for. */
export interface Serial {
  <T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when all that was asked for is over. */
  idle(): Promise<void>;
}

export function createSerial(): Serial {
  const lines = createSerialByName();
  const serial = <T>(work: () => Promise<T>) => lines('', work);
  return Object.assign(serial, { idle: () => lines.idle('') });
}

/** Work of one name goes one after the other; that of different names does not wait for each other. */
export interface SerialByName {
  <T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Resolves when all that was asked for under that name is over. */
  idle(name: string): Promise<void>;
  isIdle(name: string): boolean;
}

export function createSerialByName(): SerialByName {
  /** The last work of each name that has any. */
  const tails = new Map<string, Promise<unknown>>();
  const serial = <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const next = (tails.get(name) ?? Promise.resolve()).then(work, work);
    tails.set(name, next);
    const done = () => {
      if (tails.get(name) === next) tails.delete(name);
    };
    next.then(done, done);
    return next;
  };
  return Object.assign(serial, {
    isIdle: (name: string) => !tails.has(name),
    async idle(name: string) {
      await tails.get(name)?.catch(() => undefined);
    },
  });
}
