/**
 * Everything that can go wrong in operation, in one table.
 *
 * `retry`: what the controller does about it: nothing until the input changes, again with growing waits, or
 * at once. `http`: the status a REST route answers with when the reason reaches it. `means`: one line for
 * whoever reads it at 3 a.m.; docs and tests read this table, so a reason without a meaning does not compile.
 */
export const REASONS = {
  BadRequest: { retry: 'never', http: 400, means: 'The request is malformed; the message names the field.' },
  Forbidden: {
    retry: 'never',
    http: 403,
    means: "Host, Origin or Sec-Fetch-Site is not one this API serves, or the token's role may not do this.",
  },
  NotFound: { retry: 'never', http: 404, means: 'No such program or route.' },
  NotRunning: { retry: 'never', http: 404, means: 'The call needs a program that is Running or Ready.' },
  MethodNotAllowed: { retry: 'never', http: 405, means: 'The route exists, but not with this method.' },
  Conflict: { retry: 'never', http: 409, means: 'The call does not fit the present state of the program.' },
  PreconditionFailed: {
    retry: 'never',
    http: 412,
    means: 'If-Match is missing or names an older manifest; get it again and repeat the edit.',
  },
  PayloadTooLarge: { retry: 'never', http: 413, means: 'The body is over the limit.' },
  UnsupportedMediaType: { retry: 'never', http: 415, means: 'The body is not of the type the route takes.' },
  InvalidManifest: {
    retry: 'never',
    http: 400,
    means: 'The manifest does not parse or validate; the last valid one stays in force.',
  },
  BuildFailed: {
    retry: 'never',
    http: 500,
    means: 'The image could not be built; the build log says why. Tried again when spec or sources change.',
  },
  BuildNetworkFailed: {
    retry: 'backoff',
    http: 500,
    means:
      'The build failed for want of a network, or over something else that passes; it is tried again, 3 times in all.',
  },
  DiskFull: {
    retry: 'backoff',
    http: 507,
    means: 'The engine has no room for the image; free disk space, and it is built or pulled by itself.',
  },
  ContextChanged: {
    retry: 'now',
    http: 500,
    means: 'The sources changed while they were read; what they are now is built instead.',
  },
  BuildAborted: { retry: 'never', http: 500, means: 'Nobody waits for this build any more; it was stopped.' },
  ImageNotFound: {
    retry: 'backoff',
    http: 502,
    means: 'spec.image is not on this machine, or another is asked for, and could not be pulled.',
  },
  ImageRefused: {
    retry: 'never',
    http: 403,
    means: 'The host does not fetch spec.image: the message says why, and what is allowed instead.',
  },
  Busy: {
    retry: 'never',
    http: 503,
    means:
      'As many calls as are allowed wait for a pull already, whose registry may not answer, run commands in that program, or bring large bodies.',
  },
  CrashLoopBackOff: {
    retry: 'backoff',
    http: 500,
    means: 'The program keeps exiting; it is started again after a wait that doubles up to 60 s.',
  },
  StartFailed: { retry: 'backoff', http: 500, means: 'The engine could not create or start the container.' },
  PortConflict: {
    retry: 'backoff',
    http: 409,
    means: 'The pinned port is taken by something else on this machine.',
  },
  StateNotTaken: {
    retry: 'backoff',
    http: 409,
    means: 'The /state that its annotation asks for can not be had; nothing begins on an empty one instead.',
  },
  PortsExhausted: { retry: 'backoff', http: 503, means: 'Every port of the range is held by a program.' },
  ProgressDeadlineExceeded: {
    retry: 'never',
    http: 500,
    means:
      'The program runs but did not become ready within progressDeadlineSeconds; its readiness probe fails.',
  },
  RolledBack: {
    retry: 'never',
    http: 500,
    means: 'The newest revision did not become ready, and the last good one came back.',
  },
  Building: {
    retry: 'never',
    http: 503,
    means: 'An older revision serves while the wanted one is being built.',
  },
  Paused: {
    retry: 'never',
    http: 409,
    means: 'Somebody has the host leave it alone; it does not run, and is not started until it is resumed.',
  },
  Completed: {
    retry: 'never',
    http: 409,
    means: 'The program ran to its end, and its restartPolicy leaves it there; start runs it anew.',
  },
  EngineUnavailable: { retry: 'backoff', http: 503, means: 'The Docker engine does not answer.' },
  RegistryUnavailable: {
    retry: 'backoff',
    http: 503,
    means: 'The registry folder is missing, unreadable or can not be written.',
  },
  ProgramUnavailable: {
    retry: 'never',
    http: 503,
    means: 'The program does not run at present, so nothing can be proxied to it.',
  },
  BadGateway: { retry: 'never', http: 502, means: 'The program did not answer on its port.' },
  GatewayTimeout: { retry: 'never', http: 504, means: 'The program sent no first byte within 30 s.' },
  InternalError: {
    retry: 'backoff',
    http: 500,
    means: 'A bug of Hersh Host. The other programs go on; please report it with the log line.',
  },
} as const satisfies Record<string, { retry: 'never' | 'backoff' | 'now'; http: number; means: string }>;

export type Reason = keyof typeof REASONS;

/** One thing wrong with an input: where, and what to do. Lines and columns count from 1. */
export interface Problem {
  /** Relative to the registry, e.g. `programs/x.yaml`. */
  file?: string;
  line?: number;
  column?: number;
  /** Path inside the document, e.g. `spec.publishPort`; `""` is the document itself. */
  path: string;
  message: string;
}

export interface AppErrorOptions {
  cause?: unknown;
  /** What the reader can do about it. */
  hint?: string | undefined;
  details?: Problem[];
}

/** An error somebody outside can do something about. Its message is written for them. */
export class AppError extends Error {
  readonly reason: Reason;
  readonly hint: string | undefined;
  readonly details: Problem[] | undefined;

  constructor(reason: Reason, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.reason = reason;
    this.hint = options.hint;
    this.details = options.details;
  }

  get retry(): 'never' | 'backoff' | 'now' {
    return REASONS[this.reason].retry;
  }

  get http(): number {
    return REASONS[this.reason].http;
  }
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The message with what to do about it, where that is known. */
export function withHint(error: unknown): string {
  const message = messageOf(error);
  const hint = error instanceof AppError ? error.hint : undefined;
  return hint === undefined ? message : `${message}. ${hint}`;
}

/** The `code` of a system error (`ENOENT`, …), or `""`. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** Whether nothing lies at the path that was asked for, by the error of the file system. */
export function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(codeOf(error));
}

/** `programs/x.yaml:12:16: spec.publishPort must be an integer` */
export function describeProblem(problem: Problem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(':');
  return place === '' ? problem.message : `${place}: ${problem.message}`;
}
