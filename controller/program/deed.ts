import type { Container } from '../../schemas/container.ts';
import { emptyMemory, type OfContainer, type ProgramMemory, withProgram } from '../../schemas/memory.ts';
import { timestamp } from '../../schemas/program.ts';
import { forgetCrashes } from './memory.ts';
import { ended, type Failed, numberTaken, refused, rolledBack } from './verdicts.ts';
import { backOffMs } from './waits.ts';

/** What the host did, or is about to do and has to be known if it dies in between: data, as the facts of a look. */
export type Deed =
  | { kind: 'startAsked' }
  | { kind: 'deleted'; commit: string }
  /** The name was deleted and comes back before all of the old program is gone. */
  | { kind: 'bornAnew'; isSameUser: boolean }
  /** `isWish`: and not since its liveness fails. */
  | { kind: 'stops'; container: Container; isWish: boolean }
  /** `isAgain`: of the good one, which comes back. `from`: the program that is gone, whose volume this was. */
  | {
      kind: 'makes';
      revision: number;
      hash: string;
      specHash: string;
      volume: string;
      isAgain: boolean;
      from?: string;
    }
  | { kind: 'made'; containerId: string }
  | { kind: 'numberTaken'; number: number; hash: string }
  | { kind: 'started' }
  | { kind: 'failed'; reason: string; message: string; nowMs: number }
  /** The engine would not start the wanted attempt. */
  | ({ kind: 'refused'; nowMs: number } & Failed)
  /** The wanted attempt had its time. */
  | ({ kind: 'gaveUp' } & Failed)
  | { kind: 'removed'; containerId: string };

export type DeedOf<K> = Extract<Deed, { kind: K }>;

/** What is remembered after the host did something. Pure: the other half of `learn`, which says the same of a look. */
export function afterDeed(memory: ProgramMemory, deed: Deed): ProgramMemory {
  const { rollout, program, starts } = memory;
  switch (deed.kind) {
    case 'startAsked':
      return withProgram(memory, { startRequested: true });
    case 'deleted':
      return withProgram(memory, { deletion: { commit: deed.commit } });
    case 'bornAnew':
      return bornAnew(memory, deed.isSameUser);
    case 'stops':
      return ended(memory, deed.container, deed.isWish ? 'asked' : 'unhealthy');
    case 'makes': {
      const { revision: number, hash, specHash: making, volume, from } = deed;
      const taken = from !== undefined && { stateFrom: { name: from, taken: true } };
      // What is made of the good one again leaves the number of the bad one given.
      const isNewest = !deed.isAgain && number >= (program.newest?.number ?? 0);
      const isKnown = program.newest?.number === number && program.newest.hash === hash;
      const newest = isKnown ? program.newest : { number, hash };
      return withProgram(memory, { volume, making, ...taken, ...(isNewest && { newest }) });
    }
    case 'made': {
      const containers = { ...memory.containers, [deed.containerId]: { made: true as const } };
      return withProgram({ ...memory, containers }, { making: '' });
    }
    case 'numberTaken': {
      const { number, hash } = deed;
      return withProgram({ ...memory, rollout: numberTaken(rollout, number) }, { newest: { number, hash } });
    }
    case 'started':
      return { ...memory, starts: starts.crashes === undefined ? {} : { crashes: starts.crashes } };
    case 'failed': {
      const { kind: _, nowMs, ...why } = deed;
      const attempts = (starts.failed?.attempts ?? 0) + 1;
      const failed = { ...why, attempts, nextAt: timestamp(nowMs + backOffMs(attempts + 1)) };
      return { ...memory, starts: { ...starts, failed } };
    }
    case 'refused':
      return withRollout(memory, refused(rollout, deed, deed.nowMs));
    case 'gaveUp':
      return withRollout(memory, rolledBack(rollout, deed));
    case 'removed':
      if (program.served?.id !== deed.containerId) return memory;
      return withProgram(memory, { served: { id: deed.containerId, removed: true } });
  }
}

/** The revision that comes back starts with a clean slate. */
function withRollout(memory: ProgramMemory, rollout: ProgramMemory['rollout']): ProgramMemory {
  return rollout === memory.rollout ? memory : forgetCrashes({ ...memory, rollout });
}

/**
 * What was learnt of the old program goes, but for which containers there are of it and how their runs ended; its data
 * and its numbers are its user's.
 */
function bornAnew({ program, containers }: ProgramMemory, isSameUser: boolean): ProgramMemory {
  const { volume, newest, making } = program;
  const left = Object.entries(containers).flatMap(([id, { made, run }]): [string, OfContainer][] =>
    made || run ? [[id, { ...(made && { made }), ...(run && { run }) }]] : [],
  );
  const own = isSameUser && { ...(volume !== undefined && { volume }), ...(newest && { newest }) };
  const noted = making !== undefined && { making };
  return withProgram({ ...emptyMemory(), containers: Object.fromEntries(left) }, { ...own, ...noted });
}
