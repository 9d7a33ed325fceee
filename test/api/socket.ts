import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { createApi } from '../../api/app.ts';
import type { AccessSource } from '../../api/deps.ts';
import type { ApiOptions } from '../../api/http/route.ts';
import type { ProgramView } from '../../api/program-answers.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../api/server.ts';
import type { ProxyAccess } from '../../schemas/token.ts';
import { fakeView } from './fake-view.ts';
import { type FakeHost, fakeHost } from './fakes.ts';
import { openapi } from './openapi.ts';

export interface TestServer extends RunningServer {
  host: FakeHost;
}

/** The API behind a real socket of 127.0.0.1, closed with the test. */
export async function serve(
  t: TestContext,
  views: readonly ProgramView[],
  options: Partial<ServerOptions> & ApiOptions & { access?: AccessSource } = {},
): Promise<TestServer> {
  const host = fakeHost(views, openapi);
  host.deps.access = options.access;
  const app = createApi(host.deps, options);
  const server = await startServer({
    app,
    deps: host.deps,
    host: '127.0.0.1',
    port: 0,
    closeMsMax: 50,
    halfOpenLookMs: 20,
    ...options,
  });
  t.after(() => server.close());
  return { ...server, host };
}

export interface TestProgram {
  server: Server;
  port: number;
  /** Requests as the program saw them. */
  seen: IncomingMessage[];
}

/** A program: an HTTP server of the test's own on a free port. */
export async function program(t: TestContext, listener: RequestListener): Promise<TestProgram> {
  const seen: IncomingMessage[] = [];
  const server = createServer((req, res) => {
    seen.push(req);
    listener(req, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port, seen };
}

/** An API whose program `p1` is Ready and answered by `listener`. */
export async function proxied(
  t: TestContext,
  listener: RequestListener,
  options: Parameters<typeof serve>[2] & { userId?: string; proxyAccess?: ProxyAccess } = {},
): Promise<{ api: TestServer; program: TestProgram }> {
  const upstream = await program(t, listener);
  const { userId, proxyAccess } = options;
  const view = {
    ...{ port: upstream.port, ...(userId !== undefined && { userId }) },
    ...(proxyAccess !== undefined && { details: { proxyAccess } }),
  };
  const api = await serve(t, [fakeView('p1', view)], options);
  return { api, program: upstream };
}

export interface HttpAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  rawHeaders: string[];
  text: string;
}

export interface AskInit {
  method?: string;
  headers?: Record<string, string | string[]>;
  body?: string | Uint8Array;
}

/** One request over a connection of its own. */
export function ask(port: number, path: string, init: AskInit = {}): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const req = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: init.method ?? 'GET',
        headers: init.headers ?? {},
        agent: false,
      },
      (res) => {
        const chunks: Uint8Array[] = [];
        res.on('data', (chunk: Uint8Array) => chunks.push(chunk));
        res.on('error', reject);
        res.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: res.statusCode ?? 0, headers: res.headers, rawHeaders: res.rawHeaders, text });
        });
      },
    );
    req.on('error', reject);
    req.end(init.body);
  });
}

/** A bare connection, destroyed with the test; what it received so far is in `text()`. */
export async function rawConnection(
  t: TestContext,
  port: number,
): Promise<{ socket: Socket; text(): string; ended: Promise<unknown> }> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  const ended = once(socket, 'close');
  ended.catch(() => {});
  await once(socket, 'connect');
  return { socket, text: () => Buffer.concat(chunks).toString('latin1'), ended };
}

/** Sends these bytes (one per character) over a connection of its own and gives all that comes back until it closes. */
export async function rawAsk(t: TestContext, port: number, bytes: string): Promise<string> {
  const { socket, text, ended } = await rawConnection(t, port);
  socket.write(bytes, 'latin1');
  await ended;
  return text();
}
