import type { AppError } from '../../schemas/errors.ts';

/** When a request was on its way to a program that closed the connection without a word; epoch milliseconds. */
export interface Unanswered {
  connectedAtMs: number;
  failedAtMs: number;
}

/** One try at a request, at the port that the program had then. Exactly one of its functions is called, once. */
export interface Attempt {
  port: number;
  /** The answer has begun: what comes now is between the program and the client. */
  begun(): void;
  /**
   * There was no answer. `sent`: `'no'` where not a byte of the request was; where it may have been, and could be
   * sent once more, when; undefined where that is the end of it.
   */
  failed(error: AppError, sent?: 'no' | Unanswered): void;
}
