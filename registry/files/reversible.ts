/** Something done that can be taken back, until it is done for good. */
export interface Reversible {
  undo(): Promise<void>;
  done(): Promise<void>;
}

/** One of which nothing is left to do. */
export function reversible(undo: () => Promise<void>): Reversible {
  return { undo, done: async () => undefined };
}

/** Both or neither; the second is taken back first. */
export function together(first: Reversible, second: Reversible): Reversible {
  return {
    async undo() {
      await second.undo();
      await first.undo();
    },
    async done() {
      await first.done();
      await second.done();
    },
  };
}
