import { buildIdOf } from '../../schemas/build-id.ts';
import type { Clock } from '../../schemas/clock.ts';

/** A build that somebody asked about stays this long: from the look at its sources to the container. */
const IN_USE_MS = 60_000;

/** Lets others go first: what they are at work with stays, and for what is just going they wait. */
export interface RightOfWay {
  /** Runs the work while nothing is removed: what it reads is there, and what it then refers to stays. */
  hold<T>(work: () => Promise<T>): Promise<T>;
  /** Says that a build is wanted: what there is of it stays for a while. Resolves when nothing of it is just going. */
  use(hash: string): Promise<void>;
  /** Whole hashes of the builds that stay for a while. */
  inUse(): string[];
  /** Gives whether somebody holds, or has held since this was called. */
  watch(): () => boolean;
  /** Awaits a removal, of something of that build or of `""`; others wait for it. Rejects as it does. */
  removal(buildId: string, work: Promise<void>): Promise<void>;
}

export function createRightOfWay(clock: Clock): RightOfWay {
  /** Build ids of which something is just being removed. */
  const removing = new Map<string, Promise<void>>();
  /** Build hashes that were asked about, and when. */
  const used = new Map<string, number>();
  let current: Promise<void> = Promise.resolve();
  let holds = 0;
  let holdsEver = 0;

  return {
    async hold(work) {
      holds++;
      holdsEver++;
      try {
        await current;
        return await work();
      } finally {
        holds--;
      }
    },
    async use(hash) {
      used.set(hash, clock.monotonic());
      await removing.get(buildIdOf(hash));
    },
    inUse() {
      for (const [hash, atMs] of used) if (clock.monotonic() - atMs >= IN_USE_MS) used.delete(hash);
      return [...used.keys()];
    },
    watch() {
      const began = holdsEver;
      return () => holds > 0 || holdsEver !== began;
    },
    async removal(buildId, work) {
      current = work.catch(() => undefined);
      removing.set(buildId, current);
      try {
        await work;
      } finally {
        removing.delete(buildId);
      }
    },
  };
}
