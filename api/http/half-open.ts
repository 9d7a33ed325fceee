import type { Server, ServerResponse } from 'node:http';
import { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';

/** How often a client that has ended its side is looked at, in milliseconds. */
export const LOOK_MS = 1_000;
/** Looks without a byte of an answer that has begun, until its client is taken for gone. */
const SILENT_LOOKS_MAX = 5;

/**
 * A client that ends its side after the request (`nc -N`, `shutdownOutput()`) gets its answer. One that went away
 * looks the same until something is sent to it, so something is: before the answer, `100 Continue`, which every
 * HTTP/1.1 client reads over and a machine that has closed the connection refuses. Within an answer nothing can be
 * slipped in; where that is silent for 5 s the client is taken for gone.
 * @param lastOf the newest answer on a connection
 */
export function serveHalfOpen(
  server: Server,
  lastOf: (socket: Socket) => ServerResponse | undefined,
  lookMs: number,
): void {
  // Not in Node's documentation (20.20), and without it an answer is cut off when the client ends its side.
  (server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
  const known = new WeakSet<Socket>();
  const onConnection = (socket: Socket): void => {
    if (known.has(socket)) return;
    known.add(socket);
    socket.once('end', () => {
      const last = lastOf(socket);
      if (last !== undefined && !last.writableFinished) lookAfter(socket, last, lookMs);
    });
  };
  // Under TLS what lies below is none that answers are written to.
  server.on(server instanceof SecureServer ? 'secureConnection' : 'connection', onConnection);
}

function lookAfter(socket: Socket, answer: ServerResponse, lookMs: number): void {
  let sent = socket.bytesWritten;
  let silent = 0;
  const timer = setInterval(() => {
    const isSilent = socket.bytesWritten === sent;
    silent = isSilent ? silent + 1 : 0;
    if (!answer.headersSent) {
      // To HTTP/1.0 no interim answer may be sent.
      if (answer.req.httpVersion === '1.1') answer.writeContinue();
    } else if (silent >= SILENT_LOOKS_MAX) {
      socket.destroy();
    }
    sent = socket.bytesWritten;
  }, lookMs);
  timer.unref();
  socket.once('close', () => clearInterval(timer));
}
