import { AppError } from '../schemas/errors.ts';

/**
 * The object a body holds, `{}` where it is empty. Throws `BadRequest` for all else.
 * @param hint what to send instead
 */
export function jsonObject(text: string, hint?: string): Record<string, unknown> {
  if (text.trim() === '') return {};
  const options = hint === undefined ? {} : { hint };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const details = [{ path: '', message: (cause as SyntaxError).message }];
    throw new AppError('BadRequest', 'the body is not valid JSON', { ...options, cause, details });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  const message = 'the body must be a JSON object';
  throw new AppError('BadRequest', message, { ...options, details: [{ path: '', message }] });
}
