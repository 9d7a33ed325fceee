/** The room of the proxy: requests to programs, passed on as raw as they come, past the routes and their rules. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { AppError } from '../../schemas/errors.ts';
import { isUpState } from '../../schemas/program.ts';
import type { ApiDeps } from '../deps.ts';
import { answerOf, programNotFound } from '../errors.ts';
import { answerRaw, answerSocket } from '../http/raw-answer.ts';
import { type AloneOptions, sendAlone } from './alone.ts';
import type { Attempt } from './attempt.ts';
import { sendPooled } from './pooled.ts';
import { createPools } from './pools.ts';
import { isName, isProxyPath, type ProxyTarget, targetOf } from './target.ts';
import { pipeUpgrade } from './upgrade.ts';
import { Upload } from './upload.ts';

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
export function createProxy(
  deps: Pick<ApiDeps, 'programs' | 'log' | 'now'>,
  options: ProxyOptions = {},
): Proxy {
  const firstByteMsMax = options.firstByteMsMax ?? FIRST_BYTE_MS_MAX;
  const pools = createPools(firstByteMsMax);

  const fail = (res: ServerResponse, error: AppError): void => {
    deps.log.debug({ reason: error.reason, err: error.cause }, error.message);
    answerRaw(res, answerOf(error));
  };

  const send = (req: IncomingMessage, res: ServerResponse, target: ProxyTarget, attempt: Attempt): void => {
    const body = hasBody(req) ? () => new Upload(req) : undefined;
    const alone: AloneOptions = { firstByteMsMax, now: deps.now, body };
    const byItself = () => sendAlone(req, res, target, attempt, alone);
    // A connection that was used before may be one that the program is closing: only what may be lost takes it.
    if (body === undefined && REPEATABLE.has(req.method ?? '')) {
      sendPooled(req, res, target, pools, attempt, byItself);
    } else {
      byItself();
    }
  };

  return {
    matches: isProxyPath,

    handle(req, res) {
      const target = targetOf(req.url ?? '');
      const port = portOf(deps, target.name);
      if (port instanceof AppError) return answerRaw(res, answerOf(port));
      if (req.headers.expect !== undefined) res.writeContinue();
      send(req, res, target, { port, begun() {}, failed: (error) => fail(res, error) });
    },

    upgrade(req, socket, head) {
      const target = targetOf(req.url ?? '');
      const port = portOf(deps, target.name);
      if (port instanceof AppError) return answerSocket(socket, answerOf(port));
      pipeUpgrade(req, socket, head, { ...target, port }, { firstByteMsMax, fail });
    },

    close: pools.close,
  };
}

/** Whether the request brings a body, if only an empty one. */
export function hasBody(req: IncomingMessage): boolean {
  const length = req.headers['content-length'];
  return (length !== undefined && length !== '0') || req.headers['transfer-encoding'] !== undefined;
}

function portOf(deps: Pick<ApiDeps, 'programs'>, name: string): number | AppError {
  const view = isName(name) ? deps.programs.get(name) : undefined;
  if (view === undefined) return programNotFound(name);
  const { state, publishPort } = view.status;
  if (isUpState(state) && publishPort !== 0) return publishPort;
  return new AppError('ProgramUnavailable', `the program does not run; its state is ${state}`, {
    hint: `GET /programs/${name} says why; POST /programs/${name}/start starts one that is stopped`,
  });
}
