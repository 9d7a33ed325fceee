/** Whom to tell of changes. One that throws harms neither the others nor the one who tells. */
export interface Listeners<T> {
  tell(change: T): void;
  add(listener: (change: T) => void): () => void;
}

/** @param onError told what a listener threw */
export function createListeners<T>(onError: (error: unknown) => void): Listeners<T> {
  const listeners = new Set<(change: T) => void>();
  return {
    tell(change) {
      for (const listener of [...listeners]) {
        try {
          listener(change);
        } catch (error) {
          onError(error);
        }
      }
    },
    add(listener) {
      // Wrapped, so that one that is added twice is told twice and each is taken away by its own.
      const own = (change: T) => listener(change);
      listeners.add(own);
      return () => {
        listeners.delete(own);
      };
    },
  };
}
