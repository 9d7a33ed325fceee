import { type Container, isRunOf, revisionOf } from '../../schemas/container.ts';
import { describeExit } from '../../schemas/last-exit.ts';
import { type Bad, emptyMemory, type ProgramMemory } from '../../schemas/memory.ts';
import type { ProgramSpec } from '../../schemas/program.ts';
import { revisionHash } from '../../schemas/spec-hash.ts';
import { afterStartFailure, forgetCrashes, withProgram } from './memory.ts';
import { asRunning, isLate, type Running } from './roles.ts';
import type { Situation } from './situation.ts';
import { ended, numberTaken, refused, rolledBack } from './verdicts.ts';

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
  | Refused
  | GaveUp
  | { kind: 'removed'; containerId: string };

interface Failed {
  spec: ProgramSpec;
  imageKey: string;
  bad: Bad;
}
/** The engine would not start the wanted attempt. */
type Refused = { kind: 'refused'; nowMs: number } & Failed;
/** The wanted attempt had its time. */
type GaveUp = { kind: 'gaveUp' } & Failed;

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
    case 'failed':
      return afterStartFailure(memory, { reason: deed.reason, message: deed.message }, deed.nowMs);
    case 'refused':
      return withRollout(memory, refused(rollout, deed.spec, deed.imageKey, deed.bad, deed.nowMs));
    case 'gaveUp':
      return withRollout(memory, rolledBack(rollout, deed.spec, deed.imageKey, deed.bad));
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
  const runs = Object.entries(containers).flatMap(([id, { run }]) =>
    run === undefined ? [] : [[id, { run }]],
  );
  const own = isSameUser && { ...(volume !== undefined && { volume }), ...(newest && { newest }) };
  return withProgram({ ...emptyMemory(), containers: Object.fromEntries(runs) }, { ...own });
}

/** That the wanted revision had its time and did not become ready, while an older one did; or undefined. */
export function givesUp(situation: Situation): GaveUp | undefined {
  const running = asRunning(situation);
  const { good } = situation.memory.rollout;
  if (running?.current === undefined || running.rollback !== undefined || good === undefined)
    return undefined;
  const { current, spec, imageKey, rolloutMs, probes } = running;
  if (good.hash === revisionHash(spec, imageKey) || !isLate(running, current, spec, rolloutMs))
    return undefined;
  const found = crashesOf(running, current) || (probes.get(current.id)?.message ?? '');
  const message = `not ready within ${spec.progressDeadlineSeconds} s${found === '' ? '' : `: ${found}`}`;
  return { kind: 'gaveUp', ...failedOf(running, current, 'ProgressDeadlineExceeded', message) };
}

/** How often it ended by itself, how, and its last line; `""` where it did not. */
function crashesOf({ memory: { starts }, lastExit }: Situation, container: Container): string {
  if (lastExit === null || starts.crashes === undefined || !isRunOf(lastExit.run, container)) return '';
  const { count } = starts.crashes;
  const line = lastExit.logTail.split('\n').at(-1) ?? '';
  const times = count === 1 ? 'once' : `${count} times in a row`;
  return `exited ${times} (${describeExit(lastExit)})${line === '' ? '' : `: ${line}`}`;
}

/** That the engine would not start what is wanted; undefined for an older one that only serves until that can be had. */
export function refusedStart(
  situation: Situation,
  containerId: string,
  message: string,
): Refused | undefined {
  // The one that served was stopped for this one, so it has to come back now and not after a deadline.
  const running = asRunning(situation);
  if (running?.current?.id !== containerId) return undefined;
  const failed = failedOf(running, running.current, 'StartFailed', message);
  return { kind: 'refused', nowMs: situation.nowMs, ...failed };
}

function failedOf(
  { spec, imageKey, memory }: Running,
  current: Container,
  reason: string,
  message: string,
): Failed {
  // That it was made for; not the newest, where an older one was still there when that was wanted again.
  const revision = revisionOf(current) || (memory.program.newest?.number ?? 0);
  return { spec, imageKey, bad: { revision, reason, message } };
}
