import { short } from '../../schemas/container.ts';
import type { ProgramSpec } from '../../schemas/program.ts';

/**
 * Everything the controller can do to the engine, as data. `plan` gives these, `execute` carries them out, and
 * tests compare them. Whatever ends or removes something says why.
 */
export type Action =
  /** `pull`: base images are asked for at their registry, though they are here. */
  | { kind: 'build'; hash: string; buildId: string; pull: boolean }
  | { kind: 'pull'; reference: string }
  | { kind: 'cancelImage'; why: string }
  | CreateAction
  | { kind: 'start'; containerId: string; why: 'first' | 'restart' | 'again' }
  | { kind: 'unpause'; containerId: string }
  | StopAction
  | { kind: 'rename'; containerId: string; to: string }
  | { kind: 'remove'; containerId: string; why: string }
  | { kind: 'removeSandbox'; sandboxId: string; why: string }
  | { kind: 'forget'; why: string }
  | { kind: 'wait'; ms: number; why: string };

export interface StopAction {
  kind: 'stop';
  containerId: string;
  graceSeconds: number;
  why: string;
  /** Not since its liveness fails. */
  wanted: boolean;
  /** The reason of the event that tells of it, where it is no part of a usual change. */
  tells?: 'PortYielded';
}

export interface CreateAction {
  kind: 'create';
  containerName: string;
  specHash: string;
  revision: number;
  imageId: string;
  spec: ProgramSpec;
  /** What was found wrong with the container that this one takes the place of, or `""`. */
  why: string;
}

/** Each kind in words. */
const WORDS: { [K in Action['kind']]: (action: Extract<Action, { kind: K }>) => string } = {
  build: ({ buildId, pull }) => `build ${buildId}${pull ? ' on base images that are pulled' : ''}`,
  pull: ({ reference }) => `pull ${reference}`,
  cancelImage: ({ why }) => `cancel the build: ${why}`,
  create: ({ containerName, revision, why }) =>
    `create ${containerName} for revision ${revision}${why === '' ? '' : `: ${why}`}`,
  start: ({ containerId, why }) => `start ${short(containerId)} (${why})`,
  unpause: ({ containerId }) => `unpause ${short(containerId)}`,
  stop: ({ containerId, graceSeconds, why }) => `stop ${short(containerId)} within ${graceSeconds} s: ${why}`,
  rename: ({ containerId, to }) => `rename ${short(containerId)} to ${to}`,
  remove: ({ containerId, why }) => `remove ${short(containerId)}: ${why}`,
  removeSandbox: ({ sandboxId, why }) => `remove sandbox ${short(sandboxId)}: ${why}`,
  forget: ({ why }) => `forget the program: ${why}`,
  wait: ({ ms, why }) => `look again in ${ms} ms: ${why}`,
};

/** One line for people: dry runs, logs and the tables of the tests. */
export function describe(action: Action): string {
  // The compiler does not see that the row of a kind takes an action of that kind.
  return WORDS[action.kind](action as never);
}
