import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { AppError, codeOf, messageOf } from '../../schemas/errors.ts';
import { answerHeaders } from './headers.ts';

const EMPTY = Buffer.alloc(0);

/** What a failed exchange reports; the answer, if one can still be given, is up to `fail`. */
export interface ExchangeHooks {
  fail(res: ServerResponse, error: AppError): void;
  /** The connection was closed under a request that may be sent again. Called at most once. */
  retry(): void;
}

/**
 * One request on its way to a program and its answer on the way back: the handler undici calls. Chunks pass
 * through unchanged and each side waits for the other. When the client goes away the program's request is
 * destroyed; when the program breaks off, the client's answer is.
 */
export class ProxyExchange implements Dispatcher.DispatchHandler {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #hooks: ExchangeHooks;
  #mayRetry: boolean;
  #abort: ((error?: Error) => void) | undefined;
  #resume: (() => void) | undefined;
  #clientGone = false;
  #done = false;

  /** `mayRetry`: the request has no body and asking twice does no harm. */
  constructor(req: IncomingMessage, res: ServerResponse, mayRetry: boolean, hooks: ExchangeHooks) {
    this.#req = req;
    this.#res = res;
    this.#mayRetry = mayRetry;
    this.#hooks = hooks;
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

  onHeaders(status: number, raw: Buffer[], resume: () => void): boolean {
    // Interim answers are the program's business with us: the client asked us, and we send our own 100.
    if (status < 200) return true;
    this.#resume = resume;
    this.#res.writeHead(status, answerHeaders(raw, status));
    // Without a length the body can be slow to begin (an event stream): the client gets the headers at once.
    // An empty write and not flushHeaders, which would encode them as UTF-8.
    if (!hasLength(raw)) this.#res.write(EMPTY);
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (this.#res.write(chunk)) return true;
    this.#res.once('drain', this.#onDrain);
    return false;
  }

  onComplete(): void {
    this.#done = true;
    this.#res.end();
  }

  onError(error: Error): void {
    if (this.#done) return;
    this.#done = true;
    if (this.#clientGone || this.#res.destroyed) return;
    if (this.#mayRetry && !this.#res.headersSent && isStaleConnection(error)) {
      this.#mayRetry = false;
      this.#res.off('close', this.#onClose);
      this.#hooks.retry();
      return;
    }
    this.#hooks.fail(this.#res, gatewayError(error));
  }

  /** The request's body, as undici takes it. */
  body(): Readable {
    return new Upload(this.#req);
  }
}

function hasLength(raw: readonly Buffer[]): boolean {
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i];
    if (name?.length === 14 && name.toString('latin1').toLowerCase() === 'content-length') return true;
  }
  return false;
}

/** Closed by the other side while it lay idle, or as good as: nobody has seen the request. */
function isStaleConnection(error: Error): boolean {
  const code = codeOf(error);
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
}

function gatewayError(error: Error): AppError {
  const code = codeOf(error);
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_CONNECT_TIMEOUT') {
    return new AppError('GatewayTimeout', 'the program did not answer in time', {
      cause: error,
      hint: 'its log may say why: GET /programs/{id}/logs',
    });
  }
  return new AppError('BadGateway', `the program did not answer: ${describe(error)}`, {
    cause: error,
    hint: 'it must listen on port 8080, on all addresses; GET /programs/{id}/logs shows what it says',
  });
}

function describe(error: Error): string {
  switch (codeOf(error)) {
    case 'ECONNREFUSED':
      return 'nothing listens on its port';
    case 'UND_ERR_SOCKET':
    case 'ECONNRESET':
    case 'EPIPE':
      return 'it closed the connection';
    default:
      return messageOf(error);
  }
}

/**
 * The client's body as a stream of its own. Handing undici the request itself would destroy the client's
 * connection, answer and all, when the program answers before it has read everything.
 */
class Upload extends Readable {
  readonly #req: IncomingMessage;

  constructor(req: IncomingMessage) {
    super();
    this.#req = req;
    req.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onGone).on('close', this.#onGone);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.#req.pause();
  };

  readonly #onEnd = (): void => {
    this.push(null);
  };

  readonly #onGone = (): void => {
    if (!this.#req.complete) this.destroy(new Error('the client went away'));
  };

  override _read(): void {
    this.#req.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // The 'error' listener stays: what still comes is thrown away, and its end is nobody's concern.
    this.#req.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onGone).resume();
    callback(error);
  }
}
