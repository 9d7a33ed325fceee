import type { Container } from '../../schemas/container.ts';
import {
  emptyMemory,
  isSameImage,
  type Made,
  type ProgramMemory,
  withProgram,
} from '../../schemas/memory.ts';
import { timestamp } from '../../schemas/program.ts';
import { forgetCrashes } from './memory.ts';
import { withMadeAt } from './ownership.ts';
import { ended, type Failed, numberTaken, refused, rolledBack } from './transitions.ts';
import { backOffMs } from './waits.ts';

/** What the host did, or is about to do and has to be known if it dies in between: data, as the facts of a look. */
export type Deed =
  | { kind: 'startAsked' }
  | { kind: 'deleted'; commit: string }
  /** The name was deleted and comes back before all of the old program is gone. */
  | { kind: 'bornAnew'; isSameUser: boolean }
  /** `isWish`: and not since its liveness fails. */
  | { kind: 'stops'; container: Container; isWish: boolean }
  | MakesDeed
  | { kind: 'made'; containerId: string }
  | { kind: 'numberTaken'; number: number; hash: string; image?: string }
  | { kind: 'started' }
  | { kind: 'failed'; reason: string; message: string; nowMs: number }
  /** The engine would not start the wanted attempt. */
  | ({ kind: 'refused'; nowMs: number } & Failed)
  /** The wanted attempt had its time. */
  | ({ kind: 'gaveUp' } & Failed)
  | { kind: 'removed'; containerId: string }
  /** Another volume is its `/state` from now on, which is there. */
  | { kind: 'stateReplaced'; volume: string };

/** A container, and its /state as far as that is missing. */
export interface MakesDeed extends Pick<Made, 'revision' | 'hash' | 'image'> {
  kind: 'makes';
  specHash: string;
  /** `LABELS.madeAt`. */
  at: string;
  volume: string;
  /** The program that is gone, whose volume this was. */
  from?: string;
  /** When the volume was found to be gone, which an earlier container had. */
  lostAt?: string;
  /** Of the good one, which comes back. */
  isAgain: boolean;
}

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
    case 'makes':
      return makes(memory, deed);
    case 'made': {
      const containers = { ...memory.containers, [deed.containerId]: { made: true as const } };
      return withProgram({ ...memory, containers }, { making: '', hasState: true });
    }
    case 'numberTaken': {
      const { kind: _, ...newest } = deed;
      return withProgram({ ...memory, rollout: numberTaken(rollout, newest.number) }, { newest });
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
    case 'stateReplaced': {
      const { stateLost: _, ...known } = program;
      return { ...memory, program: { ...known, volume: deed.volume, hasState: true } };
    }
  }
}

function makes(memory: ProgramMemory, deed: MakesDeed): ProgramMemory {
  const { revision: number, hash, image, specHash: making, volume, from, lostAt, isAgain } = deed;
  const { newest: before } = memory.program;
  // What is made of the good one again leaves the number of the bad one given.
  const isNewest = !isAgain && number >= (before?.number ?? 0);
  const isKnown = before?.number === number && before.hash === hash && isSameImage(before.image, image);
  const newest = { ...(isKnown ? before : { number, hash }), ...(image && { image }) };
  const known = withProgram(memory, {
    ...{ volume, making, madeAt: withMadeAt(memory.program, deed.at) },
    ...(from !== undefined && { stateFrom: { name: from, taken: true } }),
    ...(isNewest && { newest }),
  });
  if (lostAt === undefined) return known;
  const { hasState: _, ...program } = known.program;
  return { ...known, program: { ...program, stateLost: { at: lostAt, attempt: memory.rollout.attempt } } };
}

/** The revision that comes back starts with a clean slate. */
function withRollout(memory: ProgramMemory, rollout: ProgramMemory['rollout']): ProgramMemory {
  return rollout === memory.rollout ? memory : forgetCrashes({ ...memory, rollout });
}

/** What was learnt of the old program goes, but for what there is of it; its data and its numbers are its user's. */
function bornAnew({ program, containers }: ProgramMemory, isSameUser: boolean): ProgramMemory {
  const { volume, hasState, newest, making, madeAt } = program;
  const state = { ...(volume !== undefined && { volume }), ...(hasState && { hasState }) };
  const own = isSameUser && { ...state, ...(newest && { newest }) };
  const noted = { ...(making !== undefined && { making }), ...(madeAt && { madeAt }) };
  return withProgram({ ...emptyMemory(), containers }, { ...own, ...noted });
}
