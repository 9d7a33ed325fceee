import { lookup } from 'node:dns/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { AppError, codeOf } from '../schemas/errors.ts';
import type { Api } from './app.ts';
import type { ApiDeps, ApiLog } from './deps.ts';
import { answerFor, type ErrorAnswer, errorAnswer, StatusError } from './errors.ts';
import { createCors } from './http/cors.ts';
import { createOriginGuard } from './http/guard.ts';
import { LOOK_MS, serveHalfOpen } from './http/half-open.ts';
import { GIT_HOOK_PATH } from './http/hook-proof.ts';
import { answerOffers, createAnswersAhead } from './http/offers.ts';
import { answerRaw, answerSocket, lingerAfterAnswer } from './http/raw-answer.ts';
import { sendError } from './http/route.ts';
import { createProxy, hasBody } from './proxy/proxy.ts';

/** Time a client has to send its headers, in milliseconds. */
const HEADERS_MS_MAX = 30_000;
/** An idle connection stays open this long, in milliseconds: longer than the pause of a script that polls. */
const KEEP_ALIVE_MS = 65_000;
/** What `close` gives requests in flight before it cuts them, in milliseconds. */
const CLOSE_MS_MAX = 1_000;

export interface ServerOptions {
  app: Api;
  deps: ApiDeps;
  /** A loopback address, or `localhost`. */
  host: string;
  /** 0 takes any free one. */
  port: number;
  /** Names accepted in `Host` besides localhost, 127.0.0.1 and [::1]. */
  hosts?: readonly string[];
  /** Origins whose pages may use the API, besides its own. Default none. */
  origins?: readonly string[];
  /** How long a program may take to its first byte through the proxy, in milliseconds. Default 30 s. */
  firstByteMsMax?: number;
  /** How long a proxied request waits for a program on its way back, in milliseconds. Default 0: not at all. */
  proxyWaitMs?: number;
  /** How often a client that has ended its side is looked at, in milliseconds. Default 1 s. */
  halfOpenLookMs?: number;
  /** How long `close` waits for requests in flight, in milliseconds. Default 1 s. */
  closeMsMax?: number;
}

export interface RunningServer {
  port: number;
  /** Stops listening, lets requests end for a moment, then cuts streams, WebSockets and all else. */
  close(): Promise<void>;
}

/**
 * The one listener of the host. Every request passes the guard first; proxy paths then go to the raw proxy, the
 * rest to the app. Rejects with words for people where it may not or can not listen.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host, deps } = options;
  await requireLoopback(host);
  const origins = new Set((options.origins ?? []).map((origin) => origin.toLowerCase()));
  const anyHost = deps.gitHook === undefined ? [] : [`POST ${GIT_HOOK_PATH}`];
  const guard = createOriginGuard(options.hosts ?? [], origins, anyHost);
  const cors = createCors(origins);
  const proxy = createProxy(deps, {
    ...(options.firstByteMsMax !== undefined && { firstByteMsMax: options.firstByteMsMax }),
    ...(options.proxyWaitMs !== undefined && { waitMs: options.proxyWaitMs }),
  });
  const routes = getRequestListener(options.app.fetch, {
    autoCleanupIncoming: false,
    errorHandler: (error) => listenerError(error, deps.log),
  });

  const refuse = (req: IncomingMessage): ErrorAnswer | undefined => {
    const error = toOriginForm(req) ?? guard(req) ?? checkCoding(req);
    return error === undefined ? undefined : answerFor(error, deps.log, `${req.method} ${req.url}`);
  };
  const ahead = createAnswersAhead();
  const onRequest = (req: IncomingMessage, res: ServerResponse): void => {
    ahead.note(req.socket, res);
    const isBare = !hasBody(req) && req.headers.expect === undefined;
    if (hasBody(req)) lingerAfterAnswer(req, res);
    const refusal = refuse(req);
    if (refusal !== undefined) {
      answerRaw(res, refusal);
    } else if (cors(req, res)) {
      // A preflight, and answered.
    } else if (proxy.matches(req.url ?? '')) {
      proxy.handle(req, res);
    } else if (!isBare || !options.app.plain(req, res)) {
      if (req.headers.expect !== undefined) res.writeContinue();
      void routes(req, res);
    }
  };

  const server = createServer({
    requireHostHeader: false,
    headersTimeout: HEADERS_MS_MAX,
    // A body may stream for as long as it flows; own routes limit theirs in http/body.ts.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
  });
  serveHalfOpen(server, ahead.last, options.halfOpenLookMs ?? LOOK_MS);
  server.on('request', onRequest);
  server.on('checkContinue', onRequest);
  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => {
    answerRaw(res, errorAnswer(417, `Expect: ${req.headers.expect} is not something this server can do`));
  });
  const upgraded = answerOffers(server, ahead, (req) => {
    if (!isWebSocket(req)) return undefined;
    const { url } = req;
    const refusal = refuse(req);
    if (refusal !== undefined) return (socket) => answerSocket(socket, refusal);
    if (proxy.matches(req.url ?? '')) return (socket, head) => proxy.upgrade(req, socket, head);
    req.url = url;
    return undefined;
  });
  server.on('clientError', answerMalformed);

  await listen(server, host, options.port);
  // Out of file descriptors, for one: that connection is lost, the host is not.
  server.on('error', (err) => deps.log.error({ err }, 'a connection could not be accepted'));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => closeServer(server, upgraded, () => proxy.close(), options.closeMsMax ?? CLOSE_MS_MAX),
  };
}

/** Passed on without its name, a body in another transfer coding would be read as what it is not (RFC 9112, 6.1). */
function checkCoding({ headers }: IncomingMessage): StatusError | undefined {
  const coding = headers['transfer-encoding'];
  if (coding === undefined || coding.trim().toLowerCase() === 'chunked') return undefined;
  const hint = 'send it chunked, or with a length; compress with Content-Encoding';
  return new StatusError(501, `the transfer coding ${JSON.stringify(coding)} is not read here`, hint);
}

/** By RFC 6455 a GET; with a body it is none. */
function isWebSocket(req: IncomingMessage): boolean {
  return req.method === 'GET' && !hasBody(req) && (req.headers.upgrade ?? '').toLowerCase() === 'websocket';
}

/** Without tokens nobody but this machine may come in (contract 3.6). */
async function requireLoopback(host: string): Promise<void> {
  const addresses =
    isIP(host) === 0
      ? (await lookup(host, { all: true }).catch(() => [])).map(({ address }) => address)
      : [host];
  if (addresses.length > 0 && addresses.every(isLoopback)) return;
  throw new Error(
    `the API does not listen on ${host}: it has no access control yet, so only loopback addresses are allowed. ` +
      'Use --host 127.0.0.1, and ssh -L or a proxy with authentication to reach it from elsewhere.',
  );
}

function isLoopback(address: string): boolean {
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(listenError(cause, host, port)));
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function listenError(cause: Error, host: string, port: number): Error {
  switch (codeOf(cause)) {
    case 'EADDRINUSE':
      return new Error(
        `port ${port} on ${host} is taken, perhaps by another Hersh Host; stop that one, or choose another port with --port`,
        { cause },
      );
    case 'EACCES':
      return new Error(`port ${port} needs privileges; choose one above 1023 with --port`, { cause });
    default:
      return new Error(`can not listen on ${host}:${port}: ${cause.message}`, { cause });
  }
}

/**
 * Brings a request target in absolute form (`GET http://localhost:9000/x`) to origin form; its authority counts
 * in place of `Host` (RFC 9112, 3.2.2) and so has to pass the guard as that would.
 */
function toOriginForm(req: IncomingMessage): AppError | undefined {
  const url = req.url ?? '';
  if (url.startsWith('/')) return undefined;
  const match = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url);
  if (match === null) {
    return new AppError('BadRequest', `the request target ${JSON.stringify(url)} is not a path`);
  }
  const [, authority = '', rest = ''] = match;
  req.url = rest.startsWith('/') ? rest : `/${rest}`;
  req.headers.host = authority;
  return undefined;
}

/** A request the listener could not even make a `Request` of, or something thrown that is no Error. */
function listenerError(error: unknown, log: ApiLog): Response {
  const malformed = error instanceof Error && error.name === 'RequestError';
  return sendError(
    malformed
      ? errorAnswer(400, 'the request target is malformed')
      : answerFor(error, log, 'outside the routes'),
  );
}

const MALFORMED: Record<string, [status: number, message: string]> = {
  HPE_HEADER_OVERFLOW: [431, 'the headers are over the limit of 16 KiB'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'the chunk extensions are over the limit'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the headers did not arrive in time'],
};

function answerMalformed(error: Error & { code?: string }, socket: Duplex): void {
  // While an answer is on its way, a second one would end up in the middle of it.
  const { _httpMessage: current } = socket as { _httpMessage?: ServerResponse | null };
  if (error.code === 'ECONNRESET' || current?.headersSent) {
    socket.destroy();
    return;
  }
  const [status, message] = MALFORMED[error.code ?? ''] ?? [400, 'this is not valid HTTP/1.1'];
  answerSocket(socket, errorAnswer(status, message));
}

async function closeServer(
  server: Server,
  upgraded: ReadonlySet<Duplex>,
  closeProxy: () => void,
  closeMsMax: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection becomes idle when its last answer ends; Node looks for those only when asked.
  const sweep = setInterval(() => server.closeIdleConnections(), 20);
  const cut = setTimeout(() => {
    server.closeAllConnections();
    for (const socket of upgraded) socket.destroy();
  }, closeMsMax);
  await closed;
  clearInterval(sweep);
  clearTimeout(cut);
  for (const socket of upgraded) socket.destroy();
  closeProxy();
}
