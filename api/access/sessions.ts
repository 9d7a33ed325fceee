import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A working day. */
const SESSION_MS = 12 * 3_600_000;
/** Browsers that one token is used in; the one that signed in first goes. */
const OF_TOKEN_MAX = 20;
const SECRET_BYTES = 32;

export interface OpenedSession {
  /** For the cookie. */
  id: string;
  /** For the page, which sends it in a header: what is served on other ports of the machine gets the cookie too. */
  key: string;
  endsMs: number;
}

/** Browsers that have shown a token. They are known to this process alone, which keeps hashes of what they send. */
export interface Sessions {
  open(tokenId: string, nowMs: number): OpenedSession;
  /** The id of the token that it was opened with; undefined for what is none, or none any more. */
  tokenOf(id: string, key: string, nowMs: number): string | undefined;
  end(id: string, key: string): void;
}

export function createSessions(): Sessions {
  const sessions = new Map<string, { tokenId: string; key: Buffer; endsMs: number }>();

  /** Found by a hash: how long that takes tells nothing of an id. */
  function find(id: string, key: string) {
    const hash = hashOf(id).toString('hex');
    const session = sessions.get(hash);
    return session !== undefined && timingSafeEqual(session.key, hashOf(key)) ? { hash, session } : undefined;
  }

  function makeRoom(tokenId: string, nowMs: number): void {
    for (const [hash, { endsMs }] of sessions) if (endsMs <= nowMs) sessions.delete(hash);
    const own = [...sessions].filter(([, session]) => session.tokenId === tokenId);
    for (const [hash] of own.slice(0, Math.max(0, own.length - OF_TOKEN_MAX + 1))) sessions.delete(hash);
  }

  return {
    open(tokenId, nowMs) {
      makeRoom(tokenId, nowMs);
      const [id, key] = [secret(), secret()];
      const endsMs = nowMs + SESSION_MS;
      sessions.set(hashOf(id).toString('hex'), { tokenId, key: hashOf(key), endsMs });
      return { id, key, endsMs };
    },
    tokenOf(id, key, nowMs) {
      const found = find(id, key);
      return found === undefined || found.session.endsMs <= nowMs ? undefined : found.session.tokenId;
    },
    end(id, key) {
      const found = find(id, key);
      if (found !== undefined) sessions.delete(found.hash);
    },
  };
}

const secret = (): string => randomBytes(SECRET_BYTES).toString('base64url');
const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();
