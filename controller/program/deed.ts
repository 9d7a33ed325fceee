import { type Container, isRunOf, revisionOf } from '../../schemas/container.ts';
import { describeCrashes } from '../../schemas/last-exit.ts';
import { emptyMemory, type ProgramMemory, withProgram } from '../../schemas/memory.ts';
import { timestamp } from '../../schemas/program.ts';
import type { Situation } from '../../schemas/situation.ts';
import { revisionHash } from '../../schemas/spec-hash.ts';
import { forgetCrashes } from './memory.ts';
import { asRunning, isLate } from './roles.ts';
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
  /** `isAgain`: of the good one, which comes back. */
  | { kind: 'makes'; revision: number; hash: string; volume: string; isAgain: boolean }
  | { kind: 'numberTaken'; number: number; hash: string }
  | { kind: 'started' }
  | { kind: 'failed'; reason: string; message: string; nowMs: number }
  /** The engine would not start the wanted attempt. */
  | ({ kind: 'refused'; nowMs: number } & Failed)
  /** The wanted attempt had its time. */
  | ({ kind: 'gaveUp' } & Failed)
  | { kind: 'removed'; containerId: string };

type Of<K> = Extract<Deed, { kind: K }>;

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
      const { revision: number, hash, volume } = deed;
      // What is made of the good one again leaves the number of the bad one given.
      const isNewest = !deed.isAgain && number >= (program.newest?.number ?? 0);
      return withProgram(memory, { volume, ...(isNewest && { newest: { number, hash } }) });
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

/** What was learnt of the old program goes, but for how its runs ended; its data and its numbers are its user's. */
function bornAnew({ program, containers }: ProgramMemory, isSameUser: boolean): ProgramMemory {
  const { volume, newest } = program;
  const runs = Object.entries(containers).flatMap(([id, { run }]) => (run ? [[id, { run }]] : []));
  const own = isSameUser && { ...(volume !== undefined && { volume }), ...(newest && { newest }) };
  return withProgram({ ...emptyMemory(), containers: Object.fromEntries(runs) }, { ...own });
}

/** That the wanted revision had its time and did not become ready, while an older one did; or undefined. */
export function givesUp(situation: Situation): Of<'gaveUp'> | undefined {
  const running = asRunning(situation);
  const { good } = situation.memory.rollout;
  if (running?.current === undefined || running.rollback || good === undefined) return undefined;
  const { current, spec, imageKey, rolloutMs, probes, lastExit } = running;
  const isGood = good.hash === revisionHash(spec, imageKey);
  if (isGood || !isLate(running, current, spec, rolloutMs)) return undefined;
  const { crashes } = running.memory.starts;
  const crashed = crashes && lastExit && isRunOf(lastExit.run, current);
  const probe = probes.get(current.id)?.message ?? '';
  const found = crashed ? describeCrashes(lastExit, crashes.count) : probe;
  const message = `not ready within ${spec.progressDeadlineSeconds} s${found === '' ? '' : `: ${found}`}`;
  const bad = { revision: numberOf(running, current), reason: 'ProgressDeadlineExceeded', message };
  return { kind: 'gaveUp', spec, imageKey, bad };
}

/** That the engine would not start what is wanted; undefined for an older one that only serves until that can be had. */
export function refusedStart(situation: Situation, id: string, message: string): Of<'refused'> | undefined {
  // The one that served was stopped for this one, so it has to come back now and not after a deadline.
  const running = asRunning(situation);
  if (running?.current?.id !== id) return undefined;
  const { spec, imageKey, nowMs, current } = running;
  const bad = { revision: numberOf(running, current), reason: 'StartFailed', message };
  return { kind: 'refused', spec, imageKey, bad, nowMs };
}

/** The revision it was made for; not the newest, where an older one was still there when that was wanted again. */
function numberOf({ memory }: Situation, container: Container): number {
  return revisionOf(container) || (memory.program.newest?.number ?? 0);
}
