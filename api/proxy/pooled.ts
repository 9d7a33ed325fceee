import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AfterHead, sendHead, sendTrailers, sendWhole } from './answer.ts';
import type { Piece } from './answer-reader.ts';
import { onClientGone } from './client-gone.ts';
import { gatewayError } from './gateway-error.ts';
import { requestHeaders } from './headers.ts';
import type { Exchange, Kept } from './kept.ts';
import type { Pools } from './pools.ts';
import { isWorthAnother } from './second-try.ts';
import type { Attempt } from './sending.ts';
import { type ProxyTarget, TARGET_HOST } from './target.ts';

/** What could end a line, or the path within the first one. Node lets no such thing in. */
const NOT_IN_LINE = /[^\t\x20-\x7e\x80-\xff]/;
const NOT_IN_PATH = /[^\x21-\x7e\x80-\xff]/;

/**
 * The fast lane, for what has no body and may be sent twice: over a connection that was used before.
 * @param again called, in place of the attempt, where the connection was lost, or read something odd, before the
 *   answer began: that says nothing about the program, and a connection of its own will tell
 */
export function sendPooled(
  req: IncomingMessage,
  res: ServerResponse,
  target: ProxyTarget,
  pools: Pools,
  attempt: Attempt,
  again: () => void,
): void {
  let text: string;
  try {
    text = headOf(req, target, attempt.port);
  } catch (error) {
    attempt.failed(gatewayError(error as Error));
    return;
  }
  pools.send(attempt.port, new PooledExchange(text, res, attempt, again));
}

function headOf(req: IncomingMessage, { path, prefix }: ProxyTarget, port: number): string {
  if (NOT_IN_PATH.test(path)) throw new Error('the path can not be passed on');
  // What answers a HEAD with a body must not be asked again over the same connection.
  const connection = req.method === 'HEAD' ? 'close' : 'keep-alive';
  let text = `${req.method} ${path} HTTP/1.1\r\nHost: ${TARGET_HOST}:${port}\r\nConnection: ${connection}\r\n`;
  const headers = requestHeaders(req, prefix);
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const line = `${headers[i]}: ${headers[i + 1]}`;
    if (NOT_IN_LINE.test(line)) throw new Error(`the header ${headers[i]} can not be passed on`);
    text += `${line}\r\n`;
  }
  return `${text}\r\n`;
}

/**
 * Chunks pass through unchanged and each side waits for the other. When the client goes away the connection to the
 * program is ended; when the program breaks off, the client's answer is.
 */
class PooledExchange implements Exchange {
  readonly text: string;
  readonly isHead: boolean;
  readonly #res: ServerResponse;
  readonly #attempt: Attempt;
  readonly #again: () => void;
  readonly #unwatch: () => void;
  #kept: Kept | undefined;
  #isDone = false;
  #isWaiting = false;

  constructor(text: string, res: ServerResponse, attempt: Attempt, again: () => void) {
    this.text = text;
    this.isHead = res.req.method === 'HEAD';
    this.#res = res;
    this.#attempt = attempt;
    this.#again = again;
    this.#unwatch = onClientGone(res, () => this.#onClose());
  }

  #onClose(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#kept?.drop();
  }

  readonly #onDrain = (): void => {
    this.#isWaiting = false;
    if (!this.#isDone) this.#kept?.resume();
  };

  isGone(): boolean {
    return this.#isDone;
  }

  sentOver(connection: Kept): void {
    this.#kept = connection;
  }

  take(piece: Piece): 'more' | 'wait' | 'drop' {
    const then = piece.head === undefined ? this.#pass(piece) : this.#begin(piece);
    if (piece.isLast) this.#isDone = true;
    return then;
  }

  #begin(piece: Piece): 'more' | 'wait' | 'drop' {
    const { head, body, isLast, trailers } = piece;
    if (head === undefined) return 'more';
    const isAll = isLast && body.length < 2 && trailers.length === 0;
    let after: AfterHead;
    try {
      after = isAll ? sendWhole(this.#res, head, body[0]) : sendHead(this.#res, head);
    } catch (error) {
      this.#isDone = true;
      this.#unwatch();
      this.#attempt.failed(gatewayError(error as Error));
      return 'drop';
    }
    this.#attempt.begun();
    if (after === 'body') return isAll ? 'more' : this.#pass(piece);
    this.#isDone = true;
    return after === 'close' || !isLast ? 'drop' : 'more';
  }

  #pass({ body, isLast, trailers }: Piece): 'more' | 'wait' {
    let goesOn = true;
    for (const chunk of body) goesOn = this.#res.write(chunk);
    if (isLast) {
      if (trailers.length > 0) sendTrailers(this.#res, trailers);
      this.#res.end();
    } else if (!goesOn && !this.#isWaiting) {
      this.#isWaiting = true;
      this.#res.once('drain', this.#onDrain);
    }
    return this.#isWaiting ? 'wait' : 'more';
  }

  fail(error: Error): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#unwatch();
    if (!this.#res.headersSent && isWorthAnother(error)) this.#again();
    else this.#attempt.failed(gatewayError(error));
  }
}
