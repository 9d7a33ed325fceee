/** Who may ask, in the words of the tokens file. Types and constants only. */

export const TOKEN_ROLES = ['admin', 'user', 'viewer'] as const;
export type TokenRole = (typeof TOKEN_ROLES)[number];

/** A token as the file has it: whoever reads this can not ask with it. */
export interface StoredToken {
  /** Stands in the token too, and is no secret: by it a token is found. */
  id: string;
  name: string;
  role: TokenRole;
  /** Whose programs it is for; of the role `user`, and of no other. */
  userId?: string;
  /** Of the whole token; hex. It is long and random, so that a slow hash would add nothing. */
  sha256: string;
  createdAt: string;
  /** Left out: it does not end. */
  expiresAt?: string;
}

/** Who asks. */
export interface Who {
  /** Of the token. */
  id: string;
  name: string;
  role: TokenRole;
  /** `""` unless the role is `user`. */
  userId: string;
}

/** What stands before every token, so that one that lies about is known for what it is. */
export const TOKEN_PREFIX = 'hersh_';
const TOKEN_PATTERN = /^hersh_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;

/** What an `Authorization` header shows as a token, whoever's; undefined where it is of another scheme. */
export function bearerIn(header: string | undefined): string | undefined {
  return /^Bearer +(.*)$/is.exec(header ?? '')?.[1];
}

/** Whether it is meant for a host, be it valid or not: no program is told such, and all others may be for a program. */
export function isForHost(token: string): boolean {
  return token.toLowerCase().startsWith(TOKEN_PREFIX);
}

/** The id within a token; undefined for what can be none. */
export function tokenIdOf(token: string): string | undefined {
  return TOKEN_PATTERN.exec(token)?.[1];
}

/** Whether it has come to its end by now, epoch milliseconds. */
export function hasEnded({ expiresAt }: Pick<StoredToken, 'expiresAt'>, nowMs: number): boolean {
  return expiresAt !== undefined && Date.parse(expiresAt) <= nowMs;
}

export function whoHas({ id, name, role, userId = '' }: StoredToken): Who {
  return { id, name, role, userId };
}

/**
 * Whether who asks may know of a program of that user.
 * @param who undefined: nobody is asked who they are
 * @param userId undefined: of no single user
 */
export function seesUser(who: Who | undefined, userId: string | undefined): boolean {
  return who?.role !== 'user' || who.userId === userId;
}

/** Whether what a program serves through the proxy is given to those who have no token. */
export type ProxyAccess = 'token' | 'public';
export const PROXY_POLICIES = ['token', 'public', 'always-token'] as const;
/** The host's: the default of programs that say nothing, or that none may say `public`. */
export type ProxyPolicy = (typeof PROXY_POLICIES)[number];

export function proxyAccessOf(policy: ProxyPolicy, wanted: ProxyAccess | undefined): ProxyAccess {
  return policy === 'always-token' ? 'token' : (wanted ?? policy);
}
