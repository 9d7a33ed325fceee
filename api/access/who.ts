import type { IncomingMessage } from 'node:http';
import type { Who } from '../../schemas/token.ts';

const known = new WeakMap<IncomingMessage, Who>();

export function noteWho(req: IncomingMessage, who: Who): void {
  known.set(req, who);
}

/** Who sends a request that was let in; undefined where nobody is asked, and behind no socket. */
export function whoSends(req: IncomingMessage | undefined): Who | undefined {
  return req && known.get(req);
}
