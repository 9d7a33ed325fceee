import { createHash, timingSafeEqual } from 'node:crypto';
import { hasEnded, type StoredToken, tokenIdOf, type Who, whoHas } from '../../schemas/token.ts';

/** Whose a token is, or why it is none, for the log. */
export type Verified = { who: Who } | { who: undefined; why: string; id: string };

/** Compared with where there is no token of that id, so that this takes as long. */
const NONE = Buffer.alloc(32);

/**
 * How long it takes tells which ids there are, which is no secret, and nothing of the rest: hashes of one length are
 * compared, in constant time.
 * @param find a token by its id
 */
export function verifyToken(
  token: string,
  find: (id: string) => StoredToken | undefined,
  nowMs: number,
): Verified {
  const id = tokenIdOf(token);
  if (id === undefined) return { who: undefined, why: 'it is not of the form of a token', id: '' };
  const stored = find(id);
  const digest = createHash('sha256').update(token).digest();
  const isSame = timingSafeEqual(digest, stored === undefined ? NONE : Buffer.from(stored.sha256, 'hex'));
  if (stored === undefined) return { who: undefined, why: 'there is no token of that id', id };
  if (!isSame) return { who: undefined, why: 'it is not the token of its id', id };
  if (hasEnded(stored, nowMs)) return { who: undefined, why: 'it has come to its end', id };
  return { who: whoHas(stored) };
}
