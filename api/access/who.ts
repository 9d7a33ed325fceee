import type { IncomingMessage } from 'node:http';
import type { Who } from '../../schemas/token.ts';

const known = new WeakMap<IncomingMessage, Who>();

export function noteWho(req: IncomingMessage, who: Who): void {
  known.set(req, who);
}

const made = new WeakMap<IncomingMessage, string>();

/** The program that a request has made, which its path does not name. */
export function noteProgram(req: IncomingMessage | undefined, name: string): void {
  if (req !== undefined) made.set(req, name);
}

export function programMadeBy(req: IncomingMessage): string | undefined {
  return made.get(req);
}

/** Who sends a request that was let in; undefined where nobody is asked, and behind no socket. */
export function whoSends(req: IncomingMessage | undefined): Who | undefined {
  return req && known.get(req);
}
