/** The room of the proxy: requests to programs, passed on as raw as they come, past the routes and their rules. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AppError } from '../../schemas/errors.ts';
import type { ApiDeps } from '../deps.ts';
import { answerOf, type ErrorAnswer } from '../errors.ts';
import { answerRaw, answerSocket } from '../http/raw-answer.ts';
import { sendAlone } from './alone.ts';
import { onClientGone } from './client-gone.ts';
import { createErrands } from './errands.ts';
import { sendPooled } from './pooled.ts';
import { createPools } from './pools.ts';
import { REPEATABLE } from './second-try.ts';
import { isProxyPath, targetOf } from './target.ts';
import { holdUpgrade } from './upgrade.ts';
import { Body } from './upload.ts';

/** How long a program may take to its first byte, in milliseconds (contract, section 1). */
const FIRST_BYTE_MS_MAX = 30_000;

export interface ProxyOptions {
  firstByteMsMax?: number;
  /** How long a request waits for a program that is on its way back, in milliseconds. Default 0: not at all. */
  waitMs?: number;
}

export interface Proxy {
  /** Whether `url`, a request target in origin form, is a proxy path. */
  matches(url: string): boolean;
  /** Passes a request on. Call only where `matches`. */
  handle(req: IncomingMessage, res: ServerResponse): void;
  /** Passes a WebSocket upgrade on. Call only where `matches`. `head` is what came after the request's headers. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Breaks off all exchanges with programs. */
  close(): void;
}

/**
 * `/programs/{id}/proxy…` → the program's own port. Raw, because each layer between costs a large part of the
 * rate (engine.md), and because the path must reach the program exactly as it came: no URL is ever made of it, so
 * no path can change where the request goes. The target is 127.0.0.1 and the port the ledger holds.
 */
export function createProxy(
  deps: Pick<ApiDeps, 'programs' | 'log' | 'now' | 'proxied'>,
  options: ProxyOptions = {},
): Proxy {
  const firstByteMsMax = options.firstByteMsMax ?? FIRST_BYTE_MS_MAX;
  const pools = createPools(firstByteMsMax);

  const run = createErrands(deps, options.waitMs ?? 0);

  const say = (error: AppError): ErrorAnswer => {
    deps.log.debug({ reason: error.reason, err: error.cause }, error.message);
    return answerOf(error);
  };

  return {
    matches: isProxyPath,

    handle(req, res) {
      const target = targetOf(req.url ?? '');
      onClientGone(res, () => deps.proxied(res.headersSent ? res.statusCode : 0));
      const body = hasBody(req) ? new Body(req) : undefined;
      // A connection that was used before may be one that the program is closing: only what may be lost takes it.
      const repeatable = body === undefined && REPEATABLE.has(req.method ?? '');
      let isFirst = true;
      run({
        name: target.name,
        repeatable,
        send(attempt) {
          if (isFirst && req.headers.expect !== undefined) res.writeContinue();
          const alone = () => sendAlone(req, res, target, attempt, { firstByteMsMax, now: deps.now, body });
          if (isFirst && repeatable) sendPooled(req, res, target, pools, attempt, alone);
          else alone();
          isFirst = false;
        },
        refuse: (error, headers) => answerRaw(res, say(error), headers),
        isGone: () => res.destroyed || req.socket.destroyed,
        onGone: (listener) => void onClientGone(res, listener),
      });
    },

    upgrade(req, socket, head) {
      const target = targetOf(req.url ?? '');
      const proxied = onceOnly(deps.proxied);
      socket.once('close', () => proxied(0));
      const offer = holdUpgrade(req, socket, head, firstByteMsMax, proxied);
      run({
        name: target.name,
        repeatable: true,
        send: (attempt) => offer.send(target, attempt),
        refuse(error, headers) {
          offer.letGo();
          const answer = say(error);
          proxied(answer.status);
          answerSocket(socket, answer, headers);
        },
        isGone: () => socket.destroyed,
        onGone: (listener) => void socket.once('close', listener),
      });
    },

    close: pools.close,
  };
}

function onceOnly(tell: (code: number) => void): (code: number) => void {
  let isTold = false;
  return (code) => {
    if (!isTold) tell(code);
    isTold = true;
  };
}

/** Whether the request brings a body, if only an empty one. */
export function hasBody(req: IncomingMessage): boolean {
  const length = req.headers['content-length'];
  return (length !== undefined && length !== '0') || req.headers['transfer-encoding'] !== undefined;
}
