/** The room of the proxy: requests to programs, passed on as raw as they come, past the routes and their rules. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { AppError } from '../../schemas/errors.ts';
import { isUpState, NAME_PATTERN } from '../../schemas/program.ts';
import type { ApiDeps } from '../deps.ts';
import { answerOf, programNotFound } from '../errors.ts';
import { answerRaw, answerSocket } from '../http/raw-answer.ts';
import { ProxyExchange } from './exchange.ts';
import { requestHeaders } from './headers.ts';
import { createPools } from './pools.ts';
import { type ProxyTarget, pipeUpgrade, TARGET_HOST } from './upgrade.ts';

/** How long a program may take to its first byte, in milliseconds (contract, section 1). */
const FIRST_BYTE_MS_MAX = 30_000;
/** What may be asked twice. */
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS']);

export interface ProxyOptions {
  firstByteMsMax?: number;
}

export interface Proxy {
  /** Whether `url`, a request target in origin form, is a proxy path. */
  matches(url: string): boolean;
  /** Passes a request on. Call only where `matches`. */
  handle(req: IncomingMessage, res: ServerResponse): void;
  /** Passes a WebSocket upgrade on. Call only where `matches`. `head` is what came after the request's headers. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Breaks off all exchanges with programs. */
  close(): Promise<void>;
}

/**
 * `/programs/{id}/proxy…` → the program's own port. Raw, because each layer between costs a large part of the
 * rate (engine.md), and because the path must reach the program exactly as it came: no URL is ever made of it, so
 * no path can change where the request goes. The target is 127.0.0.1 and the port the ledger holds.
 */
export function createProxy(deps: Pick<ApiDeps, 'programs' | 'log'>, options: ProxyOptions = {}): Proxy {
  const firstByteMsMax = options.firstByteMsMax ?? FIRST_BYTE_MS_MAX;
  const pools = createPools(TARGET_HOST, firstByteMsMax);

  const fail = (res: ServerResponse, error: AppError): void => {
    deps.log.debug({ reason: error.reason, err: error.cause }, error.message);
    answerRaw(res, answerOf(error));
  };

  const send = (req: IncomingMessage, res: ServerResponse, target: ProxyTarget, mayRetry: boolean): void => {
    const exchange = new ProxyExchange(req, res, mayRetry, {
      fail,
      retry: () => send(req, res, target, false),
    });
    try {
      pools.at(target.port).dispatch(
        {
          path: target.path,
          method: req.method as Dispatcher.HttpMethod,
          headers: requestHeaders(req, target.prefix),
          body: hasBody(req) ? exchange.body() : null,
        },
        exchange,
      );
    } catch (error) {
      exchange.onError(error as Error);
    }
  };

  return {
    matches: (url) => proxyEnd(url) !== -1,

    handle(req, res) {
      const target = findTarget(deps, req.url ?? '');
      if (target instanceof AppError) return answerRaw(res, answerOf(target));
      if (req.headers.expect !== undefined) res.writeContinue();
      send(req, res, target, REPEATABLE.has(req.method ?? '') && !hasBody(req));
    },

    upgrade(req, socket, head) {
      const target = findTarget(deps, req.url ?? '');
      if (target instanceof AppError) return answerSocket(socket, answerOf(target));
      pipeUpgrade(req, socket, head, target, { firstByteMsMax, fail });
    },

    close: pools.close,
  };
}

/** Whether the request brings a body, if only an empty one. */
export function hasBody(req: IncomingMessage): boolean {
  const length = req.headers['content-length'];
  return (length !== undefined && length !== '0') || req.headers['transfer-encoding'] !== undefined;
}

const PREFIX = '/programs/';
const SUFFIX = '/proxy';

/** Where `/programs/{id}/proxy` ends in a request target, or -1 where it is no such path. */
function proxyEnd(url: string): number {
  if (!url.startsWith(PREFIX)) return -1;
  const slash = url.indexOf('/', PREFIX.length);
  if (slash === -1 || !url.startsWith(SUFFIX, slash)) return -1;
  const end = slash + SUFFIX.length;
  const next = url[end];
  if (next !== undefined && next !== '/' && next !== '?') return -1;
  // A `?` before the slash: all of this is a query.
  const query = url.indexOf('?');
  return query !== -1 && query < end ? -1 : end;
}

function findTarget(deps: Pick<ApiDeps, 'programs'>, url: string): ProxyTarget | AppError {
  const end = proxyEnd(url);
  const name = decodeOnce(url.slice(PREFIX.length, end - SUFFIX.length));
  const view = NAME_PATTERN.test(name) ? deps.programs.get(name) : undefined;
  if (view === undefined) return programNotFound(name);
  const { state, publishPort } = view.status;
  if (!isUpState(state) || publishPort === 0) {
    return new AppError('ProgramUnavailable', `the program does not run; its state is ${state}`, {
      hint: `GET /programs/${name} says why; POST /programs/${name}/start starts one that is stopped`,
    });
  }
  const rest = url.slice(end);
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  return { port: publishPort, path, prefix: url.slice(0, end) };
}

function decodeOnce(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
