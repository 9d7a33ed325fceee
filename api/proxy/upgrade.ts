import { type ClientRequest, type IncomingMessage, request, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { passAnswer } from './answer.ts';
import { gatewayError, isConnectionLost, tooLate } from './gateway-error.ts';
import { requestHeaders } from './headers.ts';
import type { Attempt } from './sending.ts';
import { type ProxyTarget, TARGET_HOST } from './target.ts';

/** An upgrade that a client asks for. */
export interface HeldUpgrade {
  /** Asks the program; may be called again after a try that failed. */
  send(target: ProxyTarget, attempt: Attempt): void;
  /** It is refused: what still comes is thrown away. */
  letGo(): void;
}

/** What a client may send before the program has agreed, in bytes; by the protocol it sends nothing. */
const EARLY_BYTES_MAX = 64 * 1024;

/**
 * Passes a WebSocket upgrade on, when it is told to, and joins the two connections when the program agrees. When it
 * does not, its answer is passed back as any other and the connection closed. Either side going away ends the other.
 * @param firstByteMsMax how long the program may take to answer, in milliseconds
 * @param onAnswer told the code of the program's answer
 */
export function holdUpgrade(
  req: IncomingMessage,
  client: Duplex,
  head: Buffer,
  firstByteMsMax: number,
  onAnswer: (code: number) => void,
): HeldUpgrade {
  let early = true;
  const endEarly = readEarly(client, head, () => !early);
  return {
    letGo: () => {
      early = false;
    },
    send(target, attempt) {
      const upstream = requestUpgrade(req, target, attempt.port);
      let settled = false;
      /** Gives whether nothing had happened yet that counts. */
      const settle = (): boolean => {
        if (settled) return false;
        settled = true;
        clearTimeout(timer);
        client.off('close', onGone);
        return true;
      };
      const onGone = (): void => {
        settle();
        upstream.destroy();
      };
      const giveUp = (error: Error): void => {
        if (!settle()) return;
        upstream.destroy();
        attempt.failed(gatewayError(error), isConnectionLost(error) ? 'no' : undefined);
      };
      const timer = setTimeout(() => giveUp(tooLate()), firstByteMsMax);
      client.once('close', onGone);
      upstream.on('error', giveUp);
      upstream.on('upgrade', (answer, program, programHead) => {
        if (!settle()) return void program.destroy();
        attempt.begun();
        onAnswer(101);
        client.write(switchingHead(answer), 'latin1');
        if (programHead.length > 0) client.write(programHead);
        for (const chunk of endEarly()) program.write(chunk);
        join(client, program);
      });
      upstream.on('response', (answer) => {
        if (!settle()) return void answer.destroy();
        early = false;
        passRefusal(answer, responseOn(req, client), attempt, onAnswer);
        client.once('close', () => answer.destroy());
      });
      upstream.end();
    },
  };
}

function requestUpgrade(req: IncomingMessage, target: ProxyTarget, port: number): ClientRequest {
  const headers = requestHeaders(req, target.prefix);
  headers.push('Host', `${TARGET_HOST}:${port}`);
  headers.push('Connection', 'Upgrade', 'Upgrade', req.headers.upgrade ?? '');
  return request({
    host: TARGET_HOST,
    port,
    path: target.path,
    method: req.method ?? 'GET',
    headers,
    agent: false,
    setHost: false,
  });
}

/**
 * Reads from the client while the program thinks, or one that goes away would not be noticed. What comes once
 * nothing is to be passed on any more is thrown away.
 * @returns what ends it and gives all that came
 */
function readEarly(client: Duplex, head: Buffer, isSettled: () => boolean): () => Buffer[] {
  const early: Buffer[] = head.length > 0 ? [head] : [];
  let bytes = head.length;
  const onData = (chunk: Buffer): void => {
    if (isSettled()) return;
    bytes += chunk.length;
    if (bytes > EARLY_BYTES_MAX) client.destroy();
    else early.push(chunk);
  };
  const onEnd = (): void => void client.destroy();
  client.on('data', onData).on('end', onEnd);
  return () => {
    client.off('data', onData).off('end', onEnd);
    return early;
  };
}

/** The program did not agree: its answer goes back as any other. */
function passRefusal(
  answer: IncomingMessage,
  res: ServerResponse,
  attempt: Attempt,
  onAnswer: (code: number) => void,
): void {
  try {
    if (passAnswer(answer, res) !== 'body') answer.destroy();
    onAnswer(res.statusCode);
    attempt.begun();
  } catch (error) {
    answer.destroy();
    attempt.failed(gatewayError(error as Error));
  }
}

/** An answer for a request whose socket Node has let go of because it asked for an upgrade. Closes it at its end. */
function responseOn(req: IncomingMessage, socket: Duplex): ServerResponse {
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
