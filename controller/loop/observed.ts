import { createListeners } from '../../registry/files/listeners.ts';

/** The programs that this host has looked at, so that what is told of them is no older host's word. */
export interface Observed {
  has(name: string): boolean;
  add(name: string): void;
  delete(name: string): void;
  /** Calls back with a name when it is looked at for the first time. Gives the function that ends it. */
  subscribe(listener: (name: string) => void): () => void;
}

/** @param onListenerError told what a listener threw */
export function createObserved(onListenerError: (error: unknown) => void): Observed {
  const names = new Set<string>();
  const listeners = createListeners<string>(onListenerError);
  return {
    has: (name) => names.has(name),
    add(name) {
      if (names.has(name)) return;
      names.add(name);
      listeners.tell(name);
    },
    delete: (name) => names.delete(name),
    subscribe: listeners.add,
  };
}
