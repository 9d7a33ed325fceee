import type { Who } from '../../schemas/token.ts';
import { RIGHTS, type Right, type RouteName } from './routes.ts';

/**
 * - `unknown`: who asks has to say who they are (401)
 * - `forbidden`: they may not, and that there is such a thing is no secret (403)
 * - `absent`: they may not know whether there is one (404)
 */
export type Verdict = 'allowed' | 'unknown' | 'forbidden' | 'absent';

/**
 * What anybody may: the one place that says so. Pure.
 * @param who undefined for one without a token
 * @param route undefined for one that is in no table
 * @param owner of the program that it is about; undefined where there is none, or it is about none
 * @param isPublic whether what that program serves is for everybody
 * @param isThere whether there is such a program, be it of no single user
 */
export function authorityOf(
  who: Who | undefined,
  route: RouteName | undefined,
  owner: string | undefined,
  isPublic = false,
  isThere = owner !== undefined,
): Verdict {
  const right: Right | undefined = route && RIGHTS[route];
  if (right === 'open') return 'allowed';
  const isProxy = right === 'proxy' || right === 'proxy-read';
  if (isProxy && isPublic) return 'allowed';
  if (who === undefined) return 'unknown';
  switch (who.role) {
    case 'admin':
      return 'allowed';
    case 'viewer':
      return ofViewer(right);
    case 'user':
      return ofUser(right, owner === who.userId, isThere);
  }
}

function ofViewer(right: Right | undefined): Verdict {
  switch (right) {
    case 'known':
    case 'read':
    case 'host-read':
    case 'proxy-read':
      return 'allowed';
    case undefined:
      return 'absent';
    default:
      return 'forbidden';
  }
}

function ofUser(right: Right | undefined, isOwn: boolean, isThere: boolean): Verdict {
  switch (right) {
    // Whose program it is to be stands in the body, which the route looks at.
    case 'known':
    case 'create':
      return 'allowed';
    case 'put':
      return isOwn || !isThere ? 'allowed' : 'absent';
    case 'host-read':
    case 'host-change':
      return 'forbidden';
    case undefined:
      return 'absent';
    default:
      return isOwn ? 'allowed' : 'absent';
  }
}
