import { type IncomingMessage, request, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { AppError } from '../../schemas/errors.ts';
import { answerHeaders, requestHeaders } from './headers.ts';

/** Where a proxied request goes: always a port of 127.0.0.1. */
export interface ProxyTarget {
  port: number;
  /** Request target as the program gets it. */
  path: string;
  /** The path in front of it, e.g. `/programs/x/proxy`. */
  prefix: string;
}

export interface UpgradeOptions {
  /** Milliseconds. */
  firstByteMsMax: number;
  fail(res: ServerResponse, error: AppError): void;
}

/** What a client may send before the program has agreed, in bytes; by the protocol it sends nothing. */
const EARLY_BYTES_MAX = 64 * 1024;

/**
 * Passes a WebSocket upgrade on and joins the two connections when the program agrees. When it does not, its
 * answer is passed back as any other and the connection closed. Either side going away ends the other.
 */
export function pipeUpgrade(
  req: IncomingMessage,
  client: Duplex,
  head: Buffer,
  target: ProxyTarget,
  options: UpgradeOptions,
): void {
  const headers = requestHeaders(req, target.prefix);
  headers.push(
    'Host',
    `127.0.0.1:${target.port}`,
    'Connection',
    'Upgrade',
    'Upgrade',
    req.headers.upgrade ?? '',
  );
  const upstream = request({
    host: '127.0.0.1',
    port: target.port,
    path: target.path,
    method: req.method ?? 'GET',
    headers,
    agent: false,
    setHost: false,
  });

  const res = responseOn(req, client);
  let settled = false;
  const giveUp = (error: AppError): void => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    upstream.destroy();
    options.fail(res, error);
  };
  const timer = setTimeout(
    () => giveUp(new AppError('GatewayTimeout', 'the program did not answer in time')),
    options.firstByteMsMax,
  );
  // Read while waiting, or a client that goes away would not be noticed.
  const early: Buffer[] = head.length > 0 ? [head] : [];
  let earlyBytes = head.length;
  const onEarly = (chunk: Buffer): void => {
    if (settled) return;
    earlyBytes += chunk.length;
    if (earlyBytes > EARLY_BYTES_MAX) client.destroy();
    else early.push(chunk);
  };
  const onGone = (): void => void client.destroy();
  client.on('data', onEarly).on('end', onGone);
  client.once('close', () => {
    settled = true;
    clearTimeout(timer);
    upstream.destroy();
  });

  upstream.on('error', (cause) => {
    giveUp(new AppError('BadGateway', `the program did not take the upgrade: ${cause.message}`, { cause }));
  });
  upstream.on('upgrade', (answer, program, programHead) => {
    if (settled) return void program.destroy();
    settled = true;
    clearTimeout(timer);
    res.detachSocket(client as Socket);
    client.write(switchingHead(answer), 'latin1');
    if (programHead.length > 0) client.write(programHead);
    client.off('data', onEarly).off('end', onGone);
    for (const chunk of early) program.write(chunk);
    join(client, program);
  });
  upstream.on('response', (answer) => {
    if (settled) return void answer.destroy();
    settled = true;
    clearTimeout(timer);
    res.writeHead(answer.statusCode ?? 502, [
      ...answerHeaders(answer.rawHeaders, answer.statusCode ?? 502),
      'Connection',
      'close',
    ]);
    answer.on('error', () => res.destroy());
    answer.on('close', () => {
      if (!answer.complete) res.destroy();
    });
    answer.pipe(res);
  });
  upstream.end();
}

/** An answer for a request whose socket Node has let go of because it asked for an upgrade. Closes it at its end. */
export function responseOn(req: IncomingMessage, socket: Duplex): ServerResponse {
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(socket as Socket);
  res.once('finish', () => {
    if (res.socket !== null) res.detachSocket(socket as Socket);
    socket.end();
  });
  return res;
}

/** The program's own 101: `Connection` and `Upgrade` belong to it, so here they are passed on. */
function switchingHead(answer: IncomingMessage): string {
  const lines = ['HTTP/1.1 101 Switching Protocols'];
  const { rawHeaders } = answer;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function join(client: Duplex, program: Duplex): void {
  const end = (): void => {
    client.destroy();
    program.destroy();
  };
  program.on('error', end);
  client.once('close', end);
  program.once('close', () => client.end(() => client.destroy()));
  client.pipe(program);
  program.pipe(client);
  client.resume();
}
