import type { Clock } from '../../schemas/clock.ts';

/** How long anything goes on by what it was let in by, when that is no more. */
const LOOK_MS = 1_000;

/** What was let in and goes on: streams, WebSockets, long calls. */
export interface Held {
  /** @param mayGoOn asked again and again @param end called once, where it may not @returns what lets go of it */
  add(mayGoOn: () => boolean, end: () => void): () => void;
  /** Ends what may not go on. */
  look(): void;
}

/** Looks again and again while anything is held. */
export function createHeld(after: Clock['after']): Held {
  const held = new Map<object, { mayGoOn(): boolean; end(): void }>();
  let isWaiting = false;

  function look(): void {
    for (const [key, { mayGoOn, end }] of [...held]) {
      if (mayGoOn()) continue;
      held.delete(key);
      end();
    }
  }

  /** Most of what comes is over long before the look, which is not called off for it. */
  function wait(): void {
    if (isWaiting || held.size === 0) return;
    isWaiting = true;
    after(LOOK_MS, () => {
      isWaiting = false;
      look();
      wait();
    });
  }

  return {
    add(mayGoOn, end) {
      const key = {};
      held.set(key, { mayGoOn, end });
      wait();
      return () => void held.delete(key);
    },
    look,
  };
}
