import type { Clock } from '../../schemas/clock.ts';
import type { Engine } from './engine.ts';

/** What is asked and answered: `watch` never ends, and `hasSandboxes` is known. */
type Operation = Exclude<keyof Engine, 'watch' | 'hasSandboxes'>;
type Call = (...given: unknown[]) => Promise<unknown>;

/** A method that the port gets later does not compile until it is here. */
const OPERATIONS: Record<Operation, true> = {
  ...{ ping: true, info: true, listContainers: true, inspectContainer: true, createContainer: true },
  ...{ startContainer: true, stopContainer: true, unpauseContainer: true, renameContainer: true },
  ...{ removeContainer: true, inspectImage: true, build: true, pull: true, logs: true, removeVolume: true },
  ...{ listVolumes: true, hasVolume: true, listBuiltImages: true, removeImage: true, holdImage: true },
  ...{ listHeldImages: true, releaseImage: true, volumeSizes: true, placeOf: true, usageOf: true },
  ...{ listSandboxes: true, removeSandbox: true, exec: true, readVolume: true, fillVolume: true },
  ...{ listSpares: true, makeSpare: true, removeSpare: true },
};

/** The same engine, which tells how long each call took and whether it was answered, in milliseconds. */
export function measured(
  engine: Engine,
  clock: Clock,
  tell: (operation: string, outcome: 'ok' | 'error', ms: number) => void,
): Engine {
  const timed = (operation: Operation): Call => {
    const call = engine[operation] as Call;
    return async (...given) => {
      const startedMs = clock.monotonic();
      let outcome: 'ok' | 'error' = 'error';
      try {
        const answer = await call(...given);
        outcome = 'ok';
        return answer;
      } finally {
        tell(operation, outcome, clock.monotonic() - startedMs);
      }
    };
  };
  const calls = (Object.keys(OPERATIONS) as Operation[]).map((name) => [name, timed(name)]);
  return { ...engine, ...Object.fromEntries(calls) };
}
