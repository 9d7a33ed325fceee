import type { ProgramBody } from '../../../routes/view.ts';
import { type Kind, kindOf, reasonOf } from '../../words/kind.ts';
import { sinceOf } from '../../words/since.ts';

/** A program as the list looks at it, to filter and to sort. */
export interface Seen {
  name: string;
  p: ProgramBody;
  kind: Kind;
  reason: string;
  /** Epoch milliseconds, 0 where it is not known. */
  since: number;
  /** -1 where it has none. */
  port: number;
  /** What words are looked for in, in small letters. */
  text: string;
}

/** Parts of its limits that it uses; null where that is not known. */
export interface Figures {
  cpu: number | null;
  memory: number | null;
}

const known = new WeakMap<ProgramBody, Seen>();

/** Made once of each: a change of one program is no work for all others. */
export function seen(p: ProgramBody): Seen {
  let found = known.get(p);
  if (found === undefined) {
    found = look(p);
    known.set(p, found);
  }
  return found;
}

function look(p: ProgramBody): Seen {
  const reason = reasonOf(p);
  return {
    name: p.program_id,
    ...{ p, reason, kind: kindOf(p), since: sinceOf(p).at ?? 0, port: portOf(p.proxy_url) },
    text: `${p.program_id} ${p.user_id} ${reason} ${p.error_msg}`.toLowerCase(),
  };
}

/** Of `http://localhost:19005`; -1 where it has none. */
export function portOf(url: string): number {
  const port = /:(\d+)(?:\/|$)/.exec(url)?.[1];
  return port === undefined ? -1 : Number(port);
}
