import { codeOf } from '../../schemas/errors.ts';

/** Which requests may be sent twice, and when that is of use: once, over a new connection. */

/** What may be asked twice. */
export const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** A connection that the other side was closing, or what was left over of an answer before. */
export function isWorthAnother(error: Error): boolean {
  const code = codeOf(error);
  return ['ECONNRESET', 'EPIPE', 'ECONNREFUSED'].includes(code) || code.startsWith('HPE_');
}
