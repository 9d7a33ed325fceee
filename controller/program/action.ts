import type { ProgramSpec } from '../../schemas/program.ts';

/**
 * Everything the controller can do to the engine, as data. `plan` gives these, `execute` carries them out, and
 * tests compare them. Whatever ends or removes something says why.
 */
export type Action =
  | { kind: 'build'; hash: string; buildId: string }
  | { kind: 'pull'; reference: string }
  | { kind: 'cancelImage'; why: string }
  | CreateAction
  | { kind: 'start'; containerId: string; why: 'first' | 'restart' | 'again' }
  | { kind: 'unpause'; containerId: string }
  | { kind: 'stop'; containerId: string; graceSeconds: number; why: string; wanted: boolean }
  | { kind: 'rename'; containerId: string; to: string }
  | { kind: 'remove'; containerId: string; why: string }
  | { kind: 'forget'; why: string }
  | { kind: 'wait'; ms: number; why: string };

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

/** One line for people: dry runs, logs and the tables of the tests. */
export function describe(action: Action): string {
  switch (action.kind) {
    case 'build':
      return `build ${action.buildId}`;
    case 'pull':
      return `pull ${action.reference}`;
    case 'cancelImage':
      return `cancel the build: ${action.why}`;
    case 'create':
      return `create ${action.containerName} for revision ${action.revision}${action.why === '' ? '' : `: ${action.why}`}`;
    case 'start':
      return `start ${short(action.containerId)} (${action.why})`;
    case 'unpause':
      return `unpause ${short(action.containerId)}`;
    case 'stop':
      return `stop ${short(action.containerId)} within ${action.graceSeconds} s: ${action.why}`;
    case 'rename':
      return `rename ${short(action.containerId)} to ${action.to}`;
    case 'remove':
      return `remove ${short(action.containerId)}: ${action.why}`;
    case 'forget':
      return `forget the program: ${action.why}`;
    case 'wait':
      return `look again in ${action.ms} ms: ${action.why}`;
  }
}

/** The 12 digits Docker shows of an id. */
export function short(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}
