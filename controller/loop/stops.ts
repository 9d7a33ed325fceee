import type { Clock } from '../../schemas/clock.ts';
import { messageOf } from '../../schemas/errors.ts';
import { type Engine, isEngineAway } from '../engine/engine.ts';
import type { ControllerLog } from '../log.ts';

/** A stop that failed counts as under way so long, so that the passes in between do not try at once. */
const STOP_RETRY_MS = 1_000;

/** Stops that run in the background, since a program may take its whole grace. */
export interface Stops {
  /** Stops a container, unless that is under way. */
  stop(name: string, containerId: string, graceSeconds: number): void;
  /** The program's containers of which a stop is under way. */
  underWay(name: string): ReadonlySet<string>;
}

export interface StopsDeps {
  engine: Engine;
  clock: Clock;
  log: ControllerLog;
  /** A stop has ended, or may be tried again. */
  onEnd: (name: string) => void;
  /** A call found the engine away. */
  suspect: () => void;
}

export function createStops({ engine, clock, log, onEnd, suspect }: StopsDeps): Stops {
  /** By program and container. */
  const stops = new Map<string, Set<string>>();
  return {
    underWay: (name) => new Set(stops.get(name)),
    stop(name, containerId, graceSeconds) {
      const running = stops.get(name) ?? new Set<string>();
      if (running.has(containerId)) return;
      stops.set(name, running.add(containerId));
      const ended = () => {
        running.delete(containerId);
        if (running.size === 0 && stops.get(name) === running) stops.delete(name);
        onEnd(name);
      };
      engine.stopContainer(containerId, graceSeconds).then(ended, (error: unknown) => {
        const fields = { program: name, container: containerId, error: messageOf(error) };
        log.warn(fields, 'the stop failed and is tried again');
        if (isEngineAway(error)) suspect();
        clock.after(STOP_RETRY_MS, ended);
      });
    },
  };
}
