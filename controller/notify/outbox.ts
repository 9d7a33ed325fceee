import type { Clock } from '../../schemas/clock.ts';
import { codeOf } from '../../schemas/errors.ts';
import { createDeliveryLog, type DeliveryLogOptions } from './delivery-log.ts';
import type { Notice } from './notice.ts';
import { NotTaken } from './post.ts';

/** Notices that wait for one receiver; for another one, the oldest goes. */
export const QUEUE_MAX = 100;
/** A receiver has this long to take one. */
export const TRY_MS_MAX = 10_000;
/** Tries of one notice. */
export const TRIES_MAX = 12;
/** Waits after a failed try double from the first to the second of these, and begin anew with each notice. */
const WAIT_MS_MIN = 1_000;
const WAIT_MS_MAX = 300_000;

/** What one receiver still has to be told. It keeps nobody waiting. */
export interface Outbox {
  offer(notice: Notice): void;
  /** How many wait. */
  waiting(): number;
  /** Gives all that waits one more try, without pauses, until one fails or `msMax` is over; the rest is lost. */
  close(msMax: number): Promise<void>;
}

export interface OutboxOptions extends DeliveryLogOptions {
  /** Rejects where it was not taken. */
  send: (notice: Notice, signal: AbortSignal) => Promise<void>;
  clock: Clock;
}

export function createOutbox(options: OutboxOptions): Outbox {
  const { clock } = options;
  const delivery = createDeliveryLog(options);
  const queue: { notice: Notice; tries: number }[] = [];
  /** Ends the try that is under way, which is of the first in the queue. */
  let trying: AbortController | undefined;
  let cancelWait: (() => void) | undefined;
  let onEnd: (() => void) | undefined;

  function next(): void {
    if (trying !== undefined || cancelWait !== undefined) return;
    const [first] = queue;
    if (first === undefined) onEnd?.();
    else void tryOnce(first.notice);
  }

  async function tryOnce(notice: Notice): Promise<void> {
    trying = new AbortController();
    const outcome = await sendWithin(options, trying, notice);
    trying = undefined;
    if (outcome !== 'taken') failed(outcome.error);
    else {
      queue.shift();
      delivery.taken();
    }
    next();
  }

  function failed(error: unknown): void {
    const why = wordsOf(error);
    delivery.failed(why);
    const [first] = queue;
    if (first === undefined) return;
    first.tries += 1;
    if (onEnd !== undefined) lose(0, queue.length, `the host ends, and the last try failed: ${why}`);
    else if (error instanceof NotTaken && error.isFinal) lose(0, 1, `it is refused for good: ${why}`);
    else if (first.tries === TRIES_MAX) lose(0, 1, `${TRIES_MAX} tries failed; the last: ${why}`);
    if (onEnd === undefined) wait(waitMs(error, queue[0] === first ? first.tries : 1));
  }

  const lose = (from: number, count: number, why: string) =>
    delivery.lost(queue.splice(from, count).length, why);

  function wait(ms: number): void {
    cancelWait = clock.after(ms, () => {
      cancelWait = undefined;
      next();
    });
  }

  return {
    waiting: () => queue.length,
    offer(notice) {
      if (queue.length >= QUEUE_MAX)
        lose(trying === undefined ? 0 : 1, 1, `${QUEUE_MAX} wait already, and the oldest goes`);
      queue.push({ notice, tries: 0 });
      next();
    },
    async close(msMax) {
      const ended = new Promise<void>((resolve) => {
        onEnd = resolve;
      });
      const cancel = clock.after(msMax, () => trying?.abort());
      cancelWait?.();
      cancelWait = undefined;
      next();
      await ended;
      cancel();
    },
  };
}

/** @param tries of the notice that is next */
function waitMs(error: unknown, tries: number): number {
  const askedMs = error instanceof NotTaken ? error.retryAfterMs : 0;
  return Math.min(WAIT_MS_MAX, Math.max(askedMs, WAIT_MS_MIN * 2 ** (tries - 1)));
}

/** One try, which does not take longer than it may, whatever becomes of the request. */
async function sendWithin(
  { clock, send }: OutboxOptions,
  ends: AbortController,
  notice: Notice,
): Promise<'taken' | { error: unknown }> {
  const { signal } = ends;
  const cancel = clock.after(TRY_MS_MAX, () => ends.abort());
  const aborted = new Promise<{ error: unknown }>((resolve) => {
    signal.addEventListener('abort', () => resolve({ error: signal.reason }), { once: true });
  });
  const sent = send(notice, signal).then(
    () => 'taken' as const,
    (error: unknown) => ({ error }),
  );
  const outcome = await Promise.race([sent, aborted]);
  cancel();
  return outcome;
}

/** No words of a library: they may hold the address. */
function wordsOf(error: unknown): string {
  if (error instanceof NotTaken) return error.message;
  if (error instanceof Error && error.name === 'AbortError') return 'it did not answer in time';
  return codeOf(error) || 'it could not be reached';
}
