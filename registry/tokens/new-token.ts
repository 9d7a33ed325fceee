import { createHash, randomBytes } from 'node:crypto';
import { timestamp } from '../../schemas/program.ts';
import { type StoredToken, TOKEN_PREFIX, type TokenRole } from '../../schemas/token.ts';

const ID_BYTES = 6;
/** Nobody guesses it, however many may be tried. */
const SECRET_BYTES = 32;

export interface TokenWish {
  name: string;
  role: TokenRole;
  userId?: string | undefined;
  expiresAt?: string | undefined;
}

/** A token, which is told once, and what is kept of it. */
export function newToken(
  { name, role, userId, expiresAt }: TokenWish,
  nowMs: number,
): { token: string; stored: StoredToken } {
  const id = randomBytes(ID_BYTES).toString('hex');
  const token = `${TOKEN_PREFIX}${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  const stored: StoredToken = {
    ...{ id, name, role },
    ...(userId !== undefined && { userId }),
    sha256: createHash('sha256').update(token).digest('hex'),
    createdAt: timestamp(nowMs),
    ...(expiresAt !== undefined && { expiresAt }),
  };
  return { token, stored };
}
