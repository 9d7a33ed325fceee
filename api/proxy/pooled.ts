import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import { sendHead, sendTrailers } from './answer.ts';
import { gatewayError } from './gateway-error.ts';
import { requestHeaders } from './headers.ts';
import type { Pools } from './pools.ts';
import { isWorthAnother } from './second-try.ts';
import type { Attempt } from './sending.ts';
import type { ProxyTarget } from './target.ts';

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
  const exchange = new PooledExchange(res, attempt, again);
  try {
    pools.at(attempt.port).dispatch(
      {
        path: target.path,
        method: req.method as Dispatcher.HttpMethod,
        headers: requestHeaders(req, target.prefix),
      },
      exchange,
    );
  } catch (error) {
    exchange.onError(error as Error);
  }
}

/**
 * The handler undici calls. Chunks pass through unchanged and each side waits for the other. When the client goes
 * away the program's request is destroyed; when the program breaks off, the client's answer is.
 */
class PooledExchange implements Dispatcher.DispatchHandler {
  readonly #res: ServerResponse;
  readonly #attempt: Attempt;
  readonly #again: () => void;
  #abort: ((error?: Error) => void) | undefined;
  #resume: (() => void) | undefined;
  #clientGone = false;
  #done = false;

  constructor(res: ServerResponse, attempt: Attempt, again: () => void) {
    this.#res = res;
    this.#attempt = attempt;
    this.#again = again;
    res.on('close', this.#onClose);
  }

  readonly #onClose = (): void => {
    if (this.#done) return;
    this.#clientGone = true;
    this.#abort?.(new Error('the client went away'));
  };

  readonly #onDrain = (): void => this.#resume?.();

  onConnect(abort: (error?: Error) => void): void {
    this.#abort = abort;
    if (this.#clientGone) abort(new Error('the client went away'));
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void, phrase: string): boolean {
    // Interim answers are the program's business with us: the client asked us, and we send our own 100.
    if (status < 200) return true;
    this.#resume = resume;
    // undici has read it as UTF-8.
    const bytes = Buffer.from(phrase).toString('latin1');
    // What it throws, undici gives to `onError`.
    const after = sendHead(this.#res, { status, phrase: bytes, raw });
    this.#attempt.begun();
    if (after !== 'body') this.#done = true;
    if (after === 'close') this.#abort?.(new Error('an answer without a body came with one'));
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (this.#done || this.#res.write(chunk)) return true;
    this.#res.once('drain', this.#onDrain);
    return false;
  }

  onComplete(trailers: (string | Buffer)[] | null): void {
    if (this.#done) return;
    this.#done = true;
    if (trailers !== null) sendTrailers(this.#res, trailers);
    this.#res.end();
  }

  onError(error: Error): void {
    if (this.#done) return;
    this.#done = true;
    if (this.#clientGone || this.#res.destroyed) return;
    this.#res.off('close', this.#onClose);
    if (!this.#res.headersSent && isWorthAnother(error)) this.#again();
    else this.#attempt.failed(gatewayError(error));
  }
}
