import { AppError, codeOf, messageOf, type Reason } from '../../../schemas/errors.ts';
import { isEngineAway } from '../engine.ts';

/**
 * The one place where the engine's codes and words become reasons. Codes decide first, then HTTP statuses;
 * words only where the engine gives nothing better, which is for ports, networks and builds.
 */

/** No connection, or one that broke: the engine is away. */
const UNREACHABLE_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ENOENT',
  'ENOTSOCK',
  'EACCES',
  'EPERM',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ABORT_ERR',
  'ERR_STREAM_PREMATURE_CLOSE',
  'HPE_INVALID_CONSTANT',
]);

/** What an engine says while it goes down or has lost its containerd. */
const SHUTTING_DOWN =
  /transport is closing|closing transport|client connection is closing|graceful_stop|containerd\.sock|context canceled|daemon is shutting down|code = (Unavailable|Canceled)\b/i;

/** Another engine took the place of the one whose version calls name. */
const OTHER_VERSION = /client version \S+ is too (new|old)/;

const PORT_TAKEN = /port is already allocated|address already in use|ports are not available/i;

const NETWORK_MISSING = /network \S+ not found/i;

const BUILD_DENIED =
  /pull access denied|repository does not exist|manifest unknown|insufficient_scope|authorization failed|unauthorized|403 forbidden|manifest for \S+ not found|(^|\s)[^\s"]+\/[^\s"]+: not found\s*$/i;

/** Of a COPY or ADD; the path is in quotes, the name of an image never is. */
const FILE_MISSING = /failed to compute cache key: .*("\/[^"]*":? not found|no such file or directory)/;

const BUILD_NETWORK =
  /dial (tcp|udp)|no such host|i\/o timeout|TLS handshake timeout|connection refused|connection reset by peer|connection timed out|network is unreachable|no route to host|temporary failure (in name resolution|resolving)|could not resolve (host|'?[a-z0-9-]+\.)|getaddrinfo|EAI_AGAIN|ENOTFOUND|ECONNRESET|ETIMEDOUT|unexpected EOF(?! while)|: EOF\s*$|\b(502 Bad Gateway|503 Service Unavailable|504 Gateway Time-?out|too many requests)\b|proxyconnect/i;

/**
 * Docker 28.5.2 on containerd's store, where an image is removed while a build unpacks one that shares layers with it:
 * the same build goes through a moment later.
 */
const SNAPSHOT_GONE = /snapshot \S+ does not exist/;

const DISK_FULL = /no space left on device|disk quota exceeded/i;

export interface Failure {
  /** HTTP status; 0 where there was no answer. */
  status: number;
  /** The engine's own words, without dockerode's framing. */
  message: string;
}

/** What the engine said, out of whatever dockerode threw. */
export function failureOf(error: unknown): Failure {
  const thrown = error as { statusCode?: unknown; json?: { message?: unknown } } | null;
  const status = typeof thrown?.statusCode === 'number' ? thrown.statusCode : 0;
  const said = thrown?.json?.message;
  if (typeof said === 'string' && said !== '') return { status, message: said.trim() };
  return {
    status,
    message: messageOf(error)
      .replace(/^\(HTTP code \d+\) .*? - /s, '')
      .trim(),
  };
}

export function statusOf(error: unknown): number {
  return failureOf(error).status;
}

export function isUnavailable(error: unknown): boolean {
  if (error instanceof AppError) return error.reason === 'EngineUnavailable';
  const { status, message } = failureOf(error);
  if (status === 0) {
    const name = (error as { name?: unknown } | null)?.name;
    return (
      UNREACHABLE_CODES.has(codeOf(error)) ||
      name === 'AbortError' ||
      name === 'TimeoutError' ||
      message === 'socket hang up' ||
      message === 'aborted'
    );
  }
  if (status === 400 && OTHER_VERSION.test(message)) return true;
  return status === 502 || status === 503 || status === 504 || (status >= 500 && SHUTTING_DOWN.test(message));
}

/** The engine does not answer, and what to do about it. */
export function unavailable(error: unknown): AppError {
  if (isEngineAway(error)) return error;
  const code = codeOf(error);
  const { message } = failureOf(error);
  const hint = OTHER_VERSION.test(message)
    ? 'Update the host, where the next try fails too: the engine has given up the API version that the host asks in.'
    : code === 'EACCES' || code === 'EPERM'
      ? 'This user may not use the engine: add it to the docker group and log in again, or point DOCKER_HOST at a socket it may use.'
      : 'Start the Docker engine, or point DOCKER_HOST at one that runs.';
  return new AppError('EngineUnavailable', `the Docker engine does not answer: ${message}`, {
    cause: error,
    hint,
  });
}

/** Whatever a call threw, as an AppError; `otherwise` is its reason when the engine is there and refused. */
export function engineError(error: unknown, otherwise: Reason): AppError {
  if (error instanceof AppError) return error;
  if (isUnavailable(error)) return unavailable(error);
  return new AppError(otherwise, failureOf(error).message, { cause: error });
}

/** Why a container did not start. */
export function startError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isUnavailable(error)) return unavailable(error);
  const { message } = failureOf(error);
  return new AppError(PORT_TAKEN.test(message) ? 'PortConflict' : 'StartFailed', message, { cause: error });
}

/** The engine has no room for an image, in its own words; undefined where that is not so. */
export function diskFull(message: string): AppError | undefined {
  return DISK_FULL.test(message) ? noRoom(message) : undefined;
}

function noRoom(message: string): AppError {
  return new AppError('DiskFull', message, {
    hint: 'Free disk space where the engine keeps its images (docker system df; docker builder prune): it is then tried again by itself.',
  });
}

/** The network the container belongs to was removed behind our back. */
export function isNetworkMissing(error: unknown): boolean {
  return NETWORK_MISSING.test(failureOf(error).message);
}

/** What the engine says a build does inside itself, and what differs from one try of the same to the next. */
const MACHINERY: readonly [RegExp, string][] = [
  [
    /^((failed to solve( with frontend \S+)?|failed to create LLB definition|rpc error: code = \S+ desc = .{0,40}?): )+/,
    '',
  ],
  [/failed to calculate checksum of ref \S+: /, ''],
  [/\/\S*\/buildkit-mount\d+(?=\/)/g, ''],
];

/** A step's command, up to what became of it: 20.10's words, and those of 26.1 and later. */
const COMMAND = /^(executor failed running \[.*\]|process ".*" did not complete successfully): /s;

/** Of what is written wrongly: all of it is about words that stand there. */
const OF_DOCKERFILE = /^(.{0,200}: )?dockerfile parse error /s;

/**
 * An error of a build with `change` made in what the engine and registries say, and none in what it repeats of the
 * Dockerfile: a step's command, a line that can not be read, files that are not there.
 */
export function besideDockerfile(message: string, change: (text: string) => string): string {
  if (OF_DOCKERFILE.test(message) || FILE_MISSING.test(message)) return message;
  const command = COMMAND.exec(message)?.[0] ?? '';
  return command + change(message.slice(command.length));
}

/**
 * Why a build failed. `message` is the engine's error; `tail` the last output of the failed step, which is
 * where a RUN that found no network says so. A step's own command says nothing, whatever words are in it.
 */
export function buildError(message: string, tail: string): AppError {
  const said = message.replace(COMMAND, '');
  if (SHUTTING_DOWN.test(said)) return unavailable(new Error(message));
  const text = MACHINERY.reduce((rest, [machinery, word]) => rest.replace(machinery, word), message);
  if (DISK_FULL.test(said) || DISK_FULL.test(tail)) return noRoom(text);
  if (FILE_MISSING.test(said)) {
    return new AppError('BuildFailed', text, {
      hint: 'Is that file in the build context, and not left out by .dockerignore? With --from, does that stage make it?',
    });
  }
  if (BUILD_DENIED.test(said)) {
    return new AppError('BuildFailed', text, {
      hint: 'Is the base image spelled right, and public, or one that --docker-config lets the host pull? The registry answered that it has none for us.',
    });
  }
  const passes = BUILD_NETWORK.test(said) || BUILD_NETWORK.test(tail) || SNAPSHOT_GONE.test(said);
  if (passes) return new AppError('BuildNetworkFailed', text);
  return new AppError('BuildFailed', text);
}

/**
 * Why a message of a stream (a build's, a pull's, a load's) says that it failed; `undefined` where it does not. The
 * older `error` beside `errorDetail` goes with newer API versions.
 */
export function streamError(message: { errorDetail?: unknown; error?: unknown }): string | undefined {
  const detail = (message.errorDetail as { message?: unknown } | null | undefined)?.message;
  if (typeof detail === 'string' && detail !== '') return detail;
  if (typeof message.error === 'string') return message.error;
  return message.errorDetail == null ? undefined : JSON.stringify(message.errorDetail);
}

/** What a call gives, or `undefined` where it was refused with one of `statuses`. */
export async function absent<T>(
  call: Promise<T>,
  statuses: number[],
  otherwise: 'InternalError' | 'StartFailed',
): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (statuses.includes(statusOf(error))) return undefined;
    throw engineError(error, otherwise);
  }
}

export async function refused<T>(
  call: Promise<T>,
  otherwise: 'InternalError' | 'EngineUnavailable',
): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw engineError(error, otherwise);
  }
}
