/** Work that goes one after the other, in the order it was asked for. */
export interface Serial {
  <T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when all that was asked for is over. */
  idle(): Promise<void>;
}

export function createSerial(): Serial {
  let tail: Promise<unknown> = Promise.resolve();
  const serial = <T>(work: () => Promise<T>): Promise<T> => {
    const next = tail.then(work, work);
    tail = next.catch(() => undefined);
    return next;
  };
  return Object.assign(serial, {
    async idle() {
      await tail;
    },
  });
}
