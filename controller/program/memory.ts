import { type Container, hashOf, isRunOf, isUp, revisionOf } from '../../schemas/container.ts';
import type { ImageFailure } from '../../schemas/facts.ts';
import { describeMemory, type LastExit, outOfMemory } from '../../schemas/last-exit.ts';
import { finishedOf, type ProgramMemory, type Rollout, withProgram, withRest } from '../../schemas/memory.ts';
import { timestamp } from '../../schemas/program.ts';
import { imageOf, keyOf, madeOf, type Revision } from '../../schemas/revision.ts';
import { attemptOf } from '../../schemas/spec-hash.ts';
import { forgetEnd } from './after-exit.ts';
import { askedAgain, endOf } from './transitions.ts';
import { BACK_OFF_MS_MAX } from './waits.ts';

/** Tries of a build that failed for want of a network (contract: states). */
const BUILD_TRIES_MAX = 3;
const BUILD_RETRY_MS = 5_000;
/** Ends of a build that are no failure of it. */
const SAYS_NOTHING: ReadonlySet<string> = new Set(['BuildAborted', 'ContextChanged']);
/** What says nothing about the build itself is tried again until it is over. */
const NOT_THE_BUILDS_FAULT = new Set(['EngineUnavailable', 'RegistryUnavailable', 'DiskFull']);

export function afterFailedImage(memory: ProgramMemory, failure: ImageFailure, nowMs: number): ProgramMemory {
  if (SAYS_NOTHING.has(failure.reason)) return memory;
  const { key, reason, message } = failure;
  const last = memory.failedImage;
  // Tries that failed for another reason were none of this: an hour of a full disk leaves a network its three.
  const before = last?.key === key && last.reason === reason ? last.attempts : 0;
  const attempts = before + 1;
  const again = failure.again && (attempts < BUILD_TRIES_MAX || NOT_THE_BUILDS_FAULT.has(reason));
  const nextAt = again ? timestamp(nowMs + Math.min(BACK_OFF_MS_MAX, BUILD_RETRY_MS * 2 ** before)) : '';
  return { ...memory, failedImage: { key, reason, message, attempts, nextAt } };
}

/** A changed spec, or changed sources, are a new attempt, whatever the old one did. */
export function forgetCrashes(memory: ProgramMemory): ProgramMemory {
  return { ...memory, starts: {} };
}

/** Back-off, failed builds and starts, a rollback and "finished" are no more: a fresh try was asked for. */
export function forgetFailures({ failedImage, ...memory }: ProgramMemory): ProgramMemory {
  const known = finishedOf(memory) === undefined ? memory : withRest(memory);
  return { ...forgetCrashes(known), rollout: askedAgain(memory.rollout) };
}

/** The memory where that spec is wanted: what ended before another was wanted has not, when it is asked for again. */
export function afterWish(memory: ProgramMemory, specHash: string): ProgramMemory {
  const end = finishedOf(memory);
  if (end === undefined) return memory;
  if (end.specHash === specHash) return end.overtaken ? withRest(memory) : memory;
  return end.overtaken ? memory : withRest(memory, { ...end, overtaken: true });
}

/** The last exit, corrected where the engine tells only after the end that there was want of memory. */
export function withLateOom(lastExit: LastExit | null, containers: readonly Container[]): LastExit | null {
  if (lastExit === null || describeMemory(lastExit) !== '') return lastExit;
  const one = containers.find((container) => isRunOf(lastExit.run, container));
  if (one === undefined) return lastExit;
  const startedAtMs = Number(lastExit.run.slice(one.id.length + 1));
  // What is told after the next start is that run's.
  const isOfThatRun = startedAtMs === one.startedAtMs || one.oomToldMs < one.startedAtMs;
  if (one.oomToldMs <= startedAtMs || !isOfThatRun) return lastExit;
  const { exitCode, finishedAt } = lastExit;
  const run = { exitCode, oomToldMs: one.oomToldMs, startedAtMs, finishedAtMs: Date.parse(finishedAt) };
  return { ...lastExit, ...outOfMemory(run) };
}

/** Notes which build is wanted; changed sources are not kept waiting for what the old ones did. */
export function withBuild(memory: ProgramMemory, lastBuild: string): ProgramMemory {
  const before = memory.program.lastBuild;
  if (lastBuild === '' || lastBuild === before) return memory;
  return withProgram(before === '' ? memory : forgetCrashes(memory), { lastBuild });
}

/** What runs does not rest; and what had finished and runs, whoever started it, has not finished. */
export function awake(memory: ProgramMemory, containers: readonly Container[]): ProgramMemory {
  const up = containers.filter(isUp);
  const end = finishedOf(memory);
  const isAwake = end === undefined ? up.length > 0 : up.some((one) => hashOf(one) === end.specHash);
  return isAwake ? withRest(memory) : memory;
}

/** What comes back had come to its end before another was wanted, which may have hidden that: it is left at it. */
export function leftAgain(memory: ProgramMemory, one: Container): ProgramMemory {
  const isAtEnd = endOf(memory, one) === 'finished' && finishedOf(memory) === undefined;
  if (memory.rollout.verdict !== 'bad' || !isAtEnd) return memory;
  const rest = { why: 'finished', specHash: hashOf(one), exitCode: one.exitCode, overtaken: true } as const;
  return forgetEnd(withRest(memory, rest), memory.rollout.good.spec);
}

/** Notes that a container of the newest revision has run: what never did failed at nothing. */
export function withRan(memory: ProgramMemory, containers: readonly Container[]): ProgramMemory {
  const { newest } = memory.program;
  if (newest === undefined || newest.ran) return memory;
  const ran = containers.some((one) => one.startedAtMs > 0 && revisionOf(one) === newest.number);
  return ran ? withProgram(memory, { newest: { ...newest, ran } }) : memory;
}

/** What a lost ledger can be made good with: the labels of containers, and the revisions kept. */
export function rebuiltMemory(
  memory: ProgramMemory,
  containers: readonly Container[],
  kept: readonly Revision[],
): ProgramMemory {
  const newest = kept.at(-1);
  const number = Math.max(newest?.number ?? 0, ...containers.map(revisionOf));
  // A number without its hash belongs to no spec that is known: the next one made is the one after it.
  const known = newest?.number === number ? { hash: newest.hash, ...imageOf(newest) } : { hash: '' };
  const rebuilt = withProgram(memory, {
    startRequested: memory.program.startRequested || containers.some(({ startedAtMs }) => startedAtMs > 0),
    ...(number > 0 && { newest: { number, ...known } }),
  });
  // One that was deleted has no containers: what comes back under its name begins anew.
  return containers.length === 0 ? rebuilt : { ...rebuilt, rollout: rolloutOf(memory.rollout, kept) };
}

/** The last revision that was ready, to go back to, and the newest where that was rolled back. */
function rolloutOf(rollout: Rollout, kept: readonly Revision[]): Rollout {
  const ready = kept.findLast(({ outcome }) => outcome === 'Ready');
  const newest = kept.at(-1);
  if (ready === undefined || newest === undefined) return rollout;
  const anew = { attempt: '', refusals: 0, good: madeOf(ready) };
  const { number: revision, outcome, reason, message } = newest;
  // One that the engine would not start has its tries anew.
  if (outcome !== 'Failed' || reason !== 'ProgressDeadlineExceeded') return { ...anew, verdict: 'new' };
  const attempt = attemptOf(newest.spec, keyOf(newest));
  return { ...anew, verdict: 'bad', attempt, revision, reason, message };
}
