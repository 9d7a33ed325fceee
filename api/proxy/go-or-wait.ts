import { isUpState } from '../../schemas/program.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { ProgramView } from '../program-answers.ts';
import type { Unanswered } from './sending.ts';

/** How long it may take until the host knows that a program has ended that does not answer, in milliseconds. */
export const NOTICE_MS_MAX = 5_000;
/** What a client is told to let pass where nobody knows when the program is back, in seconds. */
export const RETRY_AFTER_SECONDS = 2;

/** The last try of a request, which got no answer. */
export interface Tried {
  /** `servingOf` the status it was sent by. */
  serving: string;
  /** Of the status it was sent by, as `runKey` says it. */
  run: string;
  /** Epoch milliseconds. */
  failedAtMs: number;
  /** Where the program may have read it, and must not read it twice. */
  unanswered: Unanswered | undefined;
}

/** A request, as far as it matters when it is to be sent. Times in milliseconds. */
export interface Question {
  /** Epoch. */
  nowMs: number;
  /** What a request may wait in all. 0: nobody waits. */
  waitMs: number;
  /** What is left of that for this one. */
  leftMs: number;
  /** Whether asking twice does no harm. */
  repeatable: boolean;
  tried: Tried | undefined;
}

export type Verdict =
  | { kind: 'go' }
  /** So long at most; asked again when the program changes. */
  | { kind: 'wait'; ms: number }
  /** The error of the last try is the answer. */
  | { kind: 'fail' }
  /** It does not run, and is not about to. */
  | { kind: 'refuse'; retryAfterSeconds: number | undefined };

/**
 * Whether a request goes to the program now, waits for it or is refused. Pure. Sent to what runs; waiting for what
 * was Ready before, is wanted Running and on its way back within the time that is left. What runs and is about to be
 * stopped counts as on its way.
 */
export function verdictOf(view: ProgramView, question: Question): Verdict {
  const { status } = view;
  const { tried, nowMs, leftMs } = question;
  const waitOr = (ms: number, otherwise: Verdict): Verdict =>
    ms > 0 && leftMs > 0 ? { kind: 'wait', ms: Math.min(ms, leftMs) } : otherwise;

  if (tried?.unanswered !== undefined) {
    const was = wasRead(status, tried, tried.unanswered);
    if (was === 'perhaps') return waitOr(tried.failedAtMs + NOTICE_MS_MAX - nowMs, { kind: 'fail' });
    if (was === 'yes') return { kind: 'fail' };
  }
  if (!isServing(status)) return whileAway(view, question);
  const isNew = comesBack(view) ? (Date.parse(status.startedAt) || 0) + question.waitMs - nowMs : 0;
  if (tried === undefined || tried.serving !== servingOf(status)) {
    // One that has just begun to run may not listen yet. Who can ask twice finds out, the others wait for Ready.
    const isEarly = status.state === 'Running' && !question.repeatable;
    return isEarly ? waitOr(isNew, { kind: 'go' }) : { kind: 'go' };
  }
  const untilNoticed = tried.failedAtMs + NOTICE_MS_MAX - nowMs;
  const patience = status.state === 'Running' ? Math.max(isNew, untilNoticed) : untilNoticed;
  return waitOr(patience, { kind: 'fail' });
}

/** It does not serve: whether that is about to change. */
function whileAway(view: ProgramView, { nowMs, leftMs }: Question): Verdict {
  const { state, reason, memory } = view.status;
  const refuse = (retryAfterSeconds?: number): Verdict => ({ kind: 'refuse', retryAfterSeconds });
  if (!comesBack(view) || state === 'Created' || state === 'Stopped') return refuse();
  if (state === 'Error' && reason !== 'CrashLoopBackOff') return refuse();
  const backOffMs = Date.parse(memory.starts.crashes?.nextAt ?? '') - nowMs;
  if (backOffMs > leftMs) return refuse(Math.ceil(backOffMs / 1000));
  return leftMs > 0 ? { kind: 'wait', ms: leftMs } : refuse(RETRY_AFTER_SECONDS);
}

/** Wanted Running, and Ready before. */
function comesBack({ desiredState, finished, status: { memory } }: ProgramView): boolean {
  return (
    desiredState === 'Running' &&
    !finished &&
    memory.program.deletion === undefined &&
    memory.rollout.good !== undefined
  );
}

/** Whether something runs that is not about to be stopped: that is written down before the engine is asked to. */
function isServing(status: ProgramStatus): boolean {
  const { state, publishPort, containerId, startedAt, memory } = status;
  if (!isUpState(state) || publishPort === 0) return false;
  const ended = memory.containers[containerId]?.run;
  return ended === undefined || ended.startedAtMs !== Date.parse(startedAt);
}

/** The run that a status shows, as `runKey` says it. */
export function runOf({ containerId, startedAt }: ProgramStatus): string {
  return `${containerId}@${Date.parse(startedAt)}`;
}

/** What serves: another run, or the same once it is Ready, is worth another try. */
export function servingOf(status: ProgramStatus): string {
  return `${runOf(status)} ${status.state} ${status.readyAt}`;
}

/**
 * Whether the program read a request that it did not answer. It did not where its run had ended before we were
 * connected, to what listens in its place, and the next one began after the connection was closed. `perhaps` until
 * the host knows how the run ended.
 */
function wasRead(status: ProgramStatus, { run }: Tried, sent: Unanswered): 'yes' | 'no' | 'perhaps' {
  const { lastExit } = status;
  const isNext = runOf(status) !== run;
  if (lastExit?.run !== run) return isNext ? 'yes' : 'perhaps';
  const wasOver = Date.parse(lastExit.finishedAt) < sent.connectedAtMs;
  const isLater = !isNext || Date.parse(status.startedAt) > sent.failedAtMs;
  return wasOver && isLater ? 'no' : 'yes';
}
