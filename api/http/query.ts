import type { Context } from 'hono';
import { AppError } from '../../schemas/errors.ts';
import { unknownField } from '../../schemas/nearest.ts';
import type { ApiEnv } from './env.ts';

/** Of a name that nobody knows its beginning is enough, in characters. */
const NAME_LENGTH_MAX = 120;

/**
 * Throws `BadRequest` for a query parameter other than these, with the nearest known one: a mistyped one must not pass
 * for one left out.
 */
export function refuseUnknownQuery(url: string, known: readonly string[]): void {
  const start = url.indexOf('?');
  if (start === -1) return;
  for (const name of new URLSearchParams(url.slice(start).replace(/#.*$/, '')).keys()) {
    if (known.includes(name)) continue;
    const where = name.slice(0, NAME_LENGTH_MAX);
    const message =
      known.length === 0
        ? `${where} is not a known query parameter; this route takes none`
        : unknownField(where, name, known, 'query parameter');
    throw new AppError('BadRequest', message, { details: [{ path: where, message }] });
  }
}

/** A query parameter that is a yes or no; absent is no. `BadRequest` for anything but true, false, 1, 0. */
export function flag(c: Context<ApiEnv>, key: string): boolean {
  const value = c.req.query(key);
  if (value === undefined || value === 'false' || value === '0') return false;
  if (value === 'true' || value === '1' || value === '') return true;
  throw new AppError('BadRequest', `${key} must be true or false`);
}

/** A query parameter that is one of these words; undefined where it is absent or empty. `BadRequest` for any other. */
export function choice<T extends string>(
  c: Context<ApiEnv>,
  key: string,
  words: readonly T[],
): T | undefined {
  const value = c.req.query(key);
  if (value === undefined || value === '') return undefined;
  const found = words.find((word) => word === value);
  if (found === undefined) throw new AppError('BadRequest', `${key} must be ${words.join(' or ')}`);
  return found;
}
