import type { Container } from '../../schemas/container.ts';
import { isSameData } from '../../schemas/is-same-data.ts';
import {
  attemptImage,
  type Bad,
  isSameImage,
  type Made,
  type ProgramMemory,
  type Pulled,
  type Rollout,
  type RunEnd,
} from '../../schemas/memory.ts';
import { type ProgramSpec, timestamp } from '../../schemas/program.ts';
import { attemptOf, revisionHash } from '../../schemas/spec-hash.ts';
import { waitMs } from './waits.ts';

/** What an attempt and a run may come to: every transition is a function here, and drawn in ARCHITECTURE.md. */

/** An attempt that failed, and of what. */
export interface Failed {
  spec: ProgramSpec;
  imageKey: string;
  /** See `Made`. */
  image?: string;
  bad: Bad;
}

/** That attempt is wanted: another than before starts anew, and one that was rolled back does when it is due. */
export function wanted(rollout: Rollout, attempt: string, nowMs: number): Rollout {
  if (rollout.attempt !== attempt) return attempted(attempt, 0, rollout.good);
  const isDue =
    rollout.verdict === 'bad' && rollout.nextAt !== undefined && waitMs(rollout.nextAt, nowMs) === 0;
  return isDue ? attempted(attempt, rollout.refusals, rollout.good, lookedUp(rollout)) : rollout;
}

/** A fresh try was asked for: the name of its image is looked up anew, where it is not the good one. */
export function askedAgain(rollout: Rollout): Rollout {
  return attempted(rollout.attempt, 0, rollout.good);
}

/** It was ready: the wanted attempt, or an older one that took longer than its successor. */
export function nowReady(rollout: Rollout, made: Made): Rollout {
  if (isSameData(rollout.good, made)) return rollout;
  return attempted(rollout.attempt, refusalsOf(rollout), made, lookedUp(rollout));
}

/** The wanted attempt has a container, which is made of that image. */
export function madeFrom(rollout: Rollout, image: string): Rollout {
  return rollout.verdict !== 'new' || rollout.image === image ? rollout : { ...rollout, image };
}

/** The name of its image was pulled for that attempt. @param error why that failed, or `""` */
export function pulledFor(rollout: Rollout, attempt: string, error: string): Rollout {
  if (rollout.verdict !== 'new' || rollout.attempt !== attempt) return rollout;
  return rollout.pulled?.error === error ? rollout : { ...rollout, pulled: { error } };
}

/** The number of the good one turned out to be that of a revision which nobody remembers. */
export function numberTaken(rollout: Rollout, number: number): Rollout {
  if (rollout.good?.revision !== number) return rollout;
  return attempted(rollout.attempt, refusalsOf(rollout), undefined, lookedUp(rollout));
}

/** It did not get ready in its time. The same where there is no other revision to come back. */
export function rolledBack(rollout: Rollout, { spec, imageKey, image, bad }: Failed): Rollout {
  const { good } = rollout;
  if (good === undefined) return rollout;
  const attempt = attemptOf(spec, imageKey);
  // The same attempt is made of another image only where that of the good one is gone: it can not come back.
  const isIts = isSameImage(good.image, image) || attemptOf(good.spec, good.imageKey) === attempt;
  if (isIts && good.hash === revisionHash(spec, imageKey)) return rollout;
  const refusals = rollout.attempt === attempt ? refusalsOf(rollout) : 0;
  return { verdict: 'bad', attempt, refusals, ...(image && { image }), good, ...bad };
}

/** A revision that the engine would not start is tried again after this, since the fault may be the machine's, */
const START_AGAIN_MS = 60_000;
/** up to so often, since what serves is stopped for each try; */
const REFUSALS_MAX = 5;
/** and without end where the engine says whose fault it is. */
const MACHINES_FAULT = /no space left|disk quota|too many open files|cannot allocate memory/i;

/** The engine refused to start it, for which the good one was stopped: as `rolledBack`, and tried again a few times. */
export function refused(rollout: Rollout, failed: Failed, nowMs: number): Rollout {
  const after = rolledBack(rollout, failed);
  if (after === rollout || after.verdict !== 'bad') return after;
  const refusals = after.refusals + 1;
  const isLast = refusals >= REFUSALS_MAX && !MACHINES_FAULT.test(after.message);
  const nextAt = { nextAt: timestamp(nowMs + START_AGAIN_MS) };
  return { ...after, refusals, reason: 'StartFailed', ...(!isLast && nextAt) };
}

/** What is known of its image, which is looked up, and pulled, once an attempt. */
interface LookedUp {
  image?: string;
  pulled?: Pulled;
}

function lookedUp(rollout: Rollout): LookedUp {
  const image = attemptImage(rollout);
  const pulled = rollout.verdict === 'new' ? rollout.pulled : undefined;
  return { ...(image && { image }), ...(pulled && { pulled }) };
}

function attempted(attempt: string, refusals: number, good: Made | undefined, known: LookedUp = {}): Rollout {
  const anew = { verdict: 'new', attempt, refusals, ...known } as const;
  if (good === undefined) return anew;
  const isGood = attemptOf(good.spec, good.imageKey) === attempt;
  return isGood ? { verdict: 'good', attempt, good } : { ...anew, good };
}

const refusalsOf = (rollout: Rollout): number => (rollout.verdict === 'good' ? 0 : rollout.refusals);

/** What the run that the container is in, or was in last, has come to; undefined where it is not told yet. */
export function endOf({ containers }: ProgramMemory, { id, startedAtMs }: Container): RunEnd | undefined {
  const run = containers[id]?.run;
  return run?.startedAtMs === startedAtMs ? run.end : undefined;
}

/** Whether the end of its run has been taken in, as a crash or as a wish. */
export function isAccounted(memory: ProgramMemory, container: Container): boolean {
  const end = endOf(memory, container);
  return end !== undefined && end !== 'unhealthy';
}

/** The run ended so, or is about to: what was asked for stays so, and what is told stays told. */
export function ended(memory: ProgramMemory, container: Container, end: RunEnd): ProgramMemory {
  if (end !== 'asked' && isAccounted(memory, container)) return memory;
  const { id, startedAtMs } = container;
  const before = memory.containers[id];
  if (endOf(memory, container) === end) return memory;
  return { ...memory, containers: { ...memory.containers, [id]: { ...before, run: { startedAtMs, end } } } };
}
