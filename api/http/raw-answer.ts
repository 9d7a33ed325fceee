import type { IncomingMessage, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ErrorAnswer, OWN_HEADERS } from '../errors.ts';

/** How long a client may go on sending a body that nobody wants before its connection is cut, in milliseconds. */
const LINGER_MS_MAX = 5_000;

/** Answers with an error outside Hono. Where an answer has begun it can only be broken off. */
export function answerRaw(
  res: ServerResponse,
  answer: ErrorAnswer,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const body = Buffer.from(answer.body);
  res.writeHead(answer.status, {
    ...OWN_HEADERS,
    ...headers,
    'Content-Type': 'application/json',
    'Content-Length': body.byteLength,
  });
  res.end(body);
}

/** Answers with an error where there is only a socket: malformed HTTP and refused upgrades. Closes it. */
export function answerSocket(
  socket: Duplex,
  answer: ErrorAnswer,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const lines = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`, 'Connection: close'];
  for (const [name, value] of Object.entries({ ...OWN_HEADERS, ...headers })) lines.push(`${name}: ${value}`);
  lines.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(answer.body)}`);
  socket.on('error', () => {});
  socket.end(`${lines.join('\r\n')}\r\n\r\n${answer.body}`);
  // Closing with unread bytes resets the connection, and the answer would be lost with it.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS_MAX);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
}

/**
 * For a request with a body: when the answer is complete before the body is, the rest is read and thrown away, so
 * that the client gets to the answer; one that sends on for 5 s more is cut off.
 */
export function lingerAfterAnswer(req: IncomingMessage, res: ServerResponse): void {
  const { socket } = req;
  const close = () => Socket.prototype.destroySoon.call(socket);
  // Node calls this right after the answer where the client said `Connection: close`; unread bytes would reset
  // the connection, so only our half is closed until the body has come.
  socket.destroySoon = () => {
    if (req.complete || socket.destroyed) return close();
    socket.end();
    req.once('end', close);
  };
  res.once('finish', () => {
    if (req.complete) return;
    const timer = setTimeout(() => socket.destroy(), LINGER_MS_MAX);
    timer.unref();
    req.once('close', () => clearTimeout(timer));
    req.once('end', () => clearTimeout(timer));
    req.resume();
  });
}
