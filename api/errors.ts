import { STATUS_CODES } from 'node:http';
import { AppError, type Problem } from '../schemas/errors.ts';
import type { ApiLog } from './deps.ts';

/** What every error of every route looks like on the wire. */
export interface ErrorBody {
  /** The reason phrase of `code`. */
  error: string;
  /** The HTTP status. */
  code: number;
  message: string;
  hint?: string;
  details?: Problem[];
}

export interface ErrorAnswer {
  status: number;
  /** JSON text of an `ErrorBody`. */
  body: string;
}

/** Headers that go with everything this API says itself, errors included. */
export const OWN_HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
};

/** An error answer of any status, for what has no `Reason` (408, 417, 431). */
export function errorAnswer(
  status: number,
  message: string,
  extra: { hint?: string | undefined; details?: Problem[] | undefined } = {},
): ErrorAnswer {
  const body: ErrorBody = { error: STATUS_CODES[status] ?? 'Error', code: status, message };
  if (extra.hint !== undefined) body.hint = extra.hint;
  if (extra.details !== undefined && extra.details.length > 0) body.details = extra.details;
  return { status, body: JSON.stringify(body) };
}

/**
 * The answer for whatever was thrown. An `AppError` says its own words, which are written for the caller;
 * anything else is a bug: it is logged whole, and the caller learns only that.
 * `request` is `METHOD /path`, for the log.
 */
export function answerFor(error: unknown, log: ApiLog, request: string): ErrorAnswer {
  if (error instanceof StatusError) return errorAnswer(error.status, error.message, { hint: error.hint });
  if (!(error instanceof AppError)) {
    log.error({ err: error, request }, 'a request failed through a bug of the API');
    return errorAnswer(500, 'internal error', {
      hint: "this is a bug of Hersh Host; the host's log has the details",
    });
  }
  if (error.http >= 500) {
    log.warn({ reason: error.reason, err: error.cause, request }, error.message);
  }
  return answerOf(error);
}

/** The answer in an error's own words. */
export function answerOf({ http, message, hint, details }: AppError): ErrorAnswer {
  return errorAnswer(http, message, { hint, details });
}

/** An HTTP refusal that no `Reason` stands for. */
export class StatusError extends Error {
  readonly status: number;
  readonly hint: string | undefined;

  constructor(status: number, message: string, hint?: string) {
    super(message);
    this.name = 'StatusError';
    this.status = status;
    this.hint = hint;
  }
}

export function programNotFound(name: string): AppError {
  return new AppError('NotFound', `no program ${JSON.stringify(name)}`, {
    hint: 'GET /programs lists the programs there are',
  });
}

export function unknownRoute(method: string, path: string): AppError {
  return new AppError('NotFound', `no route ${method} ${path}`, {
    hint: 'GET /openapi.json describes every route',
  });
}
