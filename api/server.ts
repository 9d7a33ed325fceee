import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { AppError } from '../schemas/errors.ts';
import { auditLine } from './access/audit.ts';
import type { Passed, Refusal } from './access/gate.ts';
import type { Api } from './app.ts';
import type { ApiDeps, ApiLog } from './deps.ts';
import { answerFor, type ErrorAnswer, errorAnswer, StatusError } from './errors.ts';
import { createCors } from './http/cors.ts';
import { createOriginGuard } from './http/guard.ts';
import { LOOK_MS, serveHalfOpen } from './http/half-open.ts';
import { GIT_HOOK_PATH } from './http/hook-proof.ts';
import { hostNameOf, listen, requireSafeAddress, type Tls } from './http/listen.ts';
import { answerOffers, createAnswersAhead } from './http/offers.ts';
import { answerRaw, answerSocket, lingerAfterAnswer } from './http/raw-answer.ts';
import { sendError } from './http/route.ts';
import { onClientGone } from './proxy/client-gone.ts';
import { createProxy, hasBody } from './proxy/proxy.ts';
import { targetOf } from './proxy/target.ts';

/** Time a client has to send its headers, in milliseconds. */
const HEADERS_MS_MAX = 30_000;
/** An idle connection stays open this long, in milliseconds: longer than the pause of a script that polls. */
const KEEP_ALIVE_MS = 65_000;
/** What `close` gives requests in flight before it cuts them, in milliseconds. */
const CLOSE_MS_MAX = 1_000;

const LIMITS = {
  requireHostHeader: false,
  headersTimeout: HEADERS_MS_MAX,
  // A body may stream for as long as it flows; own routes limit theirs in http/body.ts.
  requestTimeout: 0,
  keepAliveTimeout: KEEP_ALIVE_MS,
};

export interface ServerOptions {
  app: Api;
  deps: ApiDeps;
  /** A loopback address, or `localhost`; with tokens and TLS any. */
  host: string;
  /** Its own certificate; left out, it speaks plain HTTP. */
  tls?: Tls | undefined;
  /** Whoever runs it says that a proxy in front of it speaks TLS. */
  isTlsByProxy?: boolean;
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
  /** Another certificate, for connections from now on. Throws where it is none. */
  renew(tls: Tls): void;
}

/**
 * The one listener of the host. Every request passes the guard first, then the gate; proxy paths then go to the raw
 * proxy, the rest to the app. Rejects with words for people where it may not or can not listen.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host, deps } = options;
  const { tls } = options;
  const hasTls = tls !== undefined || options.isTlsByProxy === true;
  await requireSafeAddress(host, { hasTokens: deps.access !== undefined, hasTls });
  const { proxy, ahead, onRequest, onOffer } = createFront(options);
  const secure = tls && createSecureServer({ ...LIMITS, ...tls });
  const server: Server = secure ?? createServer(LIMITS);
  serveHalfOpen(server, ahead.last, options.halfOpenLookMs ?? LOOK_MS);
  server.on('request', onRequest);
  server.on('checkContinue', onRequest);
  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => {
    answerRaw(res, errorAnswer(417, `Expect: ${req.headers.expect} is not something this server can do`));
  });
  const upgraded = answerOffers(server, ahead, onOffer);
  server.on('clientError', answerMalformed);

  await listen(server, host, options.port);
  // Out of file descriptors, for one: that connection is lost, the host is not.
  server.on('error', (err) => deps.log.error({ err }, 'a connection could not be accepted'));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => closeServer(server, upgraded, () => proxy.close(), options.closeMsMax ?? CLOSE_MS_MAX),
    renew: (next) => secure?.setSecureContext(next),
  };
}

/** What stands between the socket and what answers: who is let in, and where each request goes. */
function createFront(options: ServerOptions) {
  const { deps, app } = options;
  const { gate } = app;
  const proxy = createProxy(deps, {
    ...(options.firstByteMsMax !== undefined && { firstByteMsMax: options.firstByteMsMax }),
    ...(options.proxyWaitMs !== undefined && { waitMs: options.proxyWaitMs }),
  });
  const { refuse, cors } = createDoor(options);
  const routes = getRequestListener(app.fetch, {
    autoCleanupIncoming: false,
    errorHandler: (error) => listenerError(error, deps.log),
  });
  const ahead = createAnswersAhead();

  const refuseUnasked = (req: IncomingMessage, isUpgrade: boolean): Refusal | undefined => {
    const { url = '' } = req;
    return gate.refuse(req, proxy.matches(url) ? { name: targetOf(url).name, isUpgrade } : undefined);
  };

  const onRequest = (req: IncomingMessage, res: ServerResponse): void => {
    ahead.note(req.socket, res);
    const isBare = !hasBody(req) && req.headers.expect === undefined;
    if (hasBody(req)) lingerAfterAnswer(req, res);
    const refusal = refuse(req);
    if (refusal !== undefined) {
      answerRaw(res, refusal);
      return;
    }
    // A preflight is answered, and says nothing of who asks.
    if (cors(req, res)) return;
    if (gate.isOn) {
      const denied = refuseUnasked(req, false);
      if (denied !== undefined) {
        answerRaw(res, denied.answer, denied.headers);
        return;
      }
      const letGo = gate.hold(req, () => res.destroy());
      onClientGone(res, () => {
        letGo();
        writeDown(deps, gate.passed(req), req, res);
      });
    }
    if (proxy.matches(req.url ?? '')) {
      proxy.handle(req, res);
    } else if (!isBare || !app.plain(req, res)) {
      onClientGone(res, () => endQueued(res));
      if (req.headers.expect !== undefined) res.writeContinue();
      void routes(req, res);
    }
  };

  const onOffer = (req: IncomingMessage): ((socket: Duplex, head: Buffer) => void) | undefined => {
    if (!isWebSocket(req)) return undefined;
    const { url } = req;
    const refusal = refuse(req);
    if (refusal !== undefined) return (socket) => answerSocket(socket, refusal);
    if (!proxy.matches(req.url ?? '')) {
      req.url = url;
      return undefined;
    }
    const denied = refuseUnasked(req, true);
    if (denied !== undefined) return (socket) => answerSocket(socket, denied.answer, denied.headers);
    return (socket, head) => {
      socket.once(
        'close',
        gate.hold(req, () => socket.destroy()),
      );
      proxy.upgrade(req, socket, head);
    };
  };

  return { proxy, ahead, onRequest, onOffer };
}

/** Streams that stand behind another answer when their client goes would be told of it by nobody. */
function endQueued(res: ServerResponse): void {
  if (res.closed || res.writableFinished || res.socket !== null) return;
  res.destroy();
  res.emit('close');
}

/** Who changed what, when that is over. */
function writeDown(
  deps: ApiDeps,
  passed: Passed | undefined,
  req: IncomingMessage,
  res: ServerResponse,
): void {
  const { audit } = deps;
  if (audit === undefined || passed === undefined) return;
  const line = auditLine(deps, req, passed, res.writableFinished ? res.statusCode : 0);
  if (line !== undefined) audit(line);
}

/** What keeps web pages and malformed requests out, whoever asks. */
function createDoor({ deps, host, hosts = [], origins: allowed = [] }: ServerOptions) {
  const own = hostNameOf(host);
  const origins = new Set(allowed.map((origin) => origin.toLowerCase()));
  const anyHost = deps.gitHook === undefined ? [] : [`POST ${GIT_HOOK_PATH}`];
  const guard = createOriginGuard(own === undefined ? hosts : [own, ...hosts], origins, anyHost);
  const refuse = (req: IncomingMessage): ErrorAnswer | undefined => {
    const error = toOriginForm(req) ?? guard(req) ?? checkCoding(req);
    return error === undefined ? undefined : answerFor(error, deps.log, `${req.method} ${req.url}`);
  };
  return { refuse, cors: createCors(origins) };
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
