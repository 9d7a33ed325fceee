import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as SecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { errorAnswer } from '../errors.ts';
import { answerSocket } from './raw-answer.ts';

/** What an offer is made of: without it the request is a plain one. */
const OFFERS = new Set(['upgrade', 'http2-settings']);

/** The answers that are under way on each connection: Node tells of an offer before those ahead of it are out. */
export interface AnswersAhead {
  /** Called with each answer as its request comes. */
  note(socket: Duplex, res: ServerResponse): void;
  /** The newest one noted on a connection. */
  last(socket: Duplex): ServerResponse | undefined;
  /** Calls once all answers noted on the connection are out; not at all where it closes before. */
  after(socket: Duplex, then: () => void): void;
}

export function createAnswersAhead(): AnswersAhead {
  const last = new WeakMap<Duplex, ServerResponse>();
  return {
    note: (socket, res) => void last.set(socket, res),
    last: (socket) => last.get(socket),
    after(socket, then) {
      const ahead = last.get(socket);
      if (ahead === undefined || ahead.writableFinished || ahead.destroyed) return then();
      ahead.once('close', () => {
        if (!socket.destroyed) then();
      });
    },
  };
}

/**
 * Answers what Node lets go of its connection for: upgrades and CONNECT.
 * @param take gives what takes an offer; undefined for one that is passed over. Called once what is ahead is out
 * @returns the connections that Node does not look after
 */
export function answerOffers(
  server: Server,
  ahead: AnswersAhead,
  take: (req: IncomingMessage) => ((socket: Duplex, head: Buffer) => void) | undefined,
): ReadonlySet<Duplex> {
  const owned = new Set<Duplex>();
  /** Gives what hands the connection back. */
  const own = (socket: Duplex): (() => void) => {
    const onClose = () => owned.delete(socket);
    const onError = () => socket.destroy();
    owned.add(socket);
    socket.once('close', onClose).on('error', onError);
    return () => {
      onClose();
      socket.off('close', onClose).off('error', onError);
    };
  };
  server.on('connect', (_req: IncomingMessage, socket: Duplex) => {
    own(socket);
    ahead.after(socket, () => answerSocket(socket, errorAnswer(405, 'CONNECT is not served here')));
  });
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    const letGo = own(socket);
    ahead.after(socket, () => {
      const taken = take(req);
      if (taken !== undefined) return taken(socket, head);
      letGo();
      passOver(server, req, socket, head);
    });
  });
  return owned;
}

/**
 * An upgrade is an offer (RFC 9110, 7.8): passed over, the request is answered as it stands. Node (20.20) has taken
 * it for whole at its headers and let go of the connection, though a body may follow: Java's HttpClient and
 * `curl --http2` offer h2c with every POST. So the request goes to the server once more as it came, without its
 * offer, and is read with its body as any other.
 */
function passOver(server: Server, req: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${req.method} ${req.url} HTTP/${req.httpVersion}`];
  const { rawHeaders } = req;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const lower = name.toLowerCase();
    if (OFFERS.has(lower)) continue;
    const value = rawHeaders[i + 1] as string;
    const said = lower === 'connection' ? withoutOffers(value) : value;
    if (said !== undefined) lines.push(`${name}: ${said}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  // Under TLS it is one that has been made out already.
  server.emit(server instanceof SecureServer ? 'secureConnection' : 'connection', socket);
}

function withoutOffers(value: string): string | undefined {
  const kept = value.split(',').filter((part) => !OFFERS.has(part.trim().toLowerCase()));
  return kept.length === 0 ? undefined : kept.join(',');
}
