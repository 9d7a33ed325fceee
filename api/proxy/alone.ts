import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { AppError } from '../../schemas/errors.ts';
import { allowedTrailers, passAnswer } from './answer.ts';
import { onClientGone } from './client-gone.ts';
import { gatewayError, isConnectionLost, tooLate } from './gateway-error.ts';
import { requestHeaders } from './headers.ts';
import type { Attempt } from './sending.ts';
import { type ProxyTarget, TARGET_HOST } from './target.ts';
import type { Body } from './upload.ts';

export interface AloneOptions {
  /** How long the program may take to connect, and to its first byte; milliseconds. */
  firstByteMsMax: number;
  /** Epoch milliseconds. */
  now(): number;
  /** The client's; not opened before the connection stands. Undefined where there is none. */
  body: Body | undefined;
}

/** Methods that Node sends without a length, where there is no body (`http.ClientRequest`, 20.20). */
const WITHOUT_LENGTH = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

/**
 * A request over a connection of its own, which no program can be about to close for having lain idle: for what may
 * not be sent twice, and for a second try of what may. Nothing of it is sent, nor its body read, before the
 * connection stands. When the client goes away it is destroyed; when the program breaks off, the answer is.
 */
export function sendAlone(
  req: IncomingMessage,
  res: ServerResponse,
  target: ProxyTarget,
  attempt: Attempt,
  options: AloneOptions,
): void {
  const socket = connect({ host: TARGET_HOST, port: attempt.port, noDelay: true });
  const timer = setTimeout(() => socket.destroy(tooLate()), options.firstByteMsMax);
  const unwatch = onClientGone(res, () => socket.destroy());
  const settle = (): void => {
    clearTimeout(timer);
    unwatch();
  };
  const onError = (error: Error): void => {
    settle();
    if (!res.destroyed) attempt.failed(gatewayError(error), isConnectionLost(error) ? 'no' : undefined);
  };
  socket.once('error', onError);
  socket.once('close', settle);
  socket.once('connect', () => {
    settle();
    socket.off('error', onError);
    try {
      new Exchange(req, res, target, attempt, options, socket).start();
    } catch (error) {
      socket.destroy();
      attempt.failed(gatewayError(error as Error));
    }
  });
}

class Exchange {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #attempt: Attempt;
  readonly #options: AloneOptions;
  readonly #socket: Socket;
  readonly #upstream: ClientRequest;
  readonly #connectedAtMs: number;
  #body: Readable | undefined;
  #timer: NodeJS.Timeout | undefined;
  #settled = false;
  #unwatch: (() => void) | undefined;

  constructor(
    req: IncomingMessage,
    res: ServerResponse,
    target: ProxyTarget,
    attempt: Attempt,
    options: AloneOptions,
    socket: Socket,
  ) {
    this.#req = req;
    this.#res = res;
    this.#attempt = attempt;
    this.#options = options;
    this.#socket = socket;
    this.#connectedAtMs = options.now();
    this.#upstream = request({
      createConnection: () => socket,
      path: target.path,
      method: req.method ?? 'GET',
      headers: this.#headers(target.prefix),
    });
  }

  #headers(prefix: string): string[] {
    const { body } = this.#options;
    const headers = requestHeaders(this.#req, prefix);
    headers.push('Host', `${TARGET_HOST}:${this.#attempt.port}`);
    if (body !== undefined) {
      // Node's own choice depends on the method.
      if (this.#req.headers['transfer-encoding'] !== undefined) headers.push('Transfer-Encoding', 'chunked');
    } else if (
      this.#req.headers['content-length'] === undefined &&
      !WITHOUT_LENGTH.has(this.#req.method ?? 'GET')
    ) {
      headers.push('Content-Length', '0');
    }
    return headers;
  }

  start(): void {
    const upstream = this.#upstream;
    this.#timer = setTimeout(() => this.#fail(tooLate()), this.#options.firstByteMsMax);
    this.#unwatch = onClientGone(this.#res, () => this.#onClientGone());
    upstream.on('error', (error) => this.#fail(error));
    upstream.on('response', (answer) => this.#pass(answer));
    upstream.on('upgrade', (_answer, socket) => {
      socket.destroy();
      this.#fail(new AppError('BadGateway', 'the program switched protocols, which nobody asked for'));
    });
    const body = this.#options.body?.open();
    if (body === undefined) return void upstream.end();
    this.#body = body;
    upstream.flushHeaders();
    body.on('data', () => this.#timer?.refresh());
    body.on('error', () => upstream.destroy());
    body.on('end', () => {
      const trailers = allowedTrailers(this.#req.rawTrailers);
      if (trailers.length > 0) upstream.addTrailers(trailers);
    });
    upstream.on('close', () => body.destroy());
    body.pipe(upstream);
  }

  #onClientGone(): void {
    this.#settle();
    this.#upstream.destroy();
  }

  /** Gives whether nothing had happened yet that counts. */
  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    clearTimeout(this.#timer);
    return true;
  }

  #fail(error: Error): void {
    if (!this.#settle()) return;
    this.#unwatch?.();
    const isWhole = this.#options.body?.isWhole ?? true;
    const isUnanswered = isWhole && isConnectionLost(error) && this.#socket.bytesRead === 0;
    this.#upstream.destroy();
    this.#body?.destroy();
    const unanswered = { connectedAtMs: this.#connectedAtMs, failedAtMs: this.#options.now() };
    this.#attempt.failed(gatewayError(error), isUnanswered ? unanswered : undefined);
  }

  #pass(answer: IncomingMessage): void {
    try {
      const after = passAnswer(answer, this.#res);
      this.#settle();
      this.#attempt.begun();
      if (after !== 'body') this.#upstream.destroy();
    } catch (error) {
      this.#fail(error as Error);
    }
  }
}
