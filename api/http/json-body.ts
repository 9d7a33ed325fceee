import { AppError } from '../../schemas/errors.ts';
import { isRecord } from '../../schemas/is-record.ts';
import { unknownField } from '../../schemas/nearest.ts';

/** Unknown fields told at once. */
const PROBLEMS_MAX = 20;
/** Of a name that nobody knows its beginning is enough, in characters. */
const NAME_LENGTH_MAX = 120;

/**
 * The object a body holds, `{}` where it is empty. Throws `BadRequest` for all else.
 * @param hint what to send instead
 */
export function jsonObject(text: string, hint?: string): Record<string, unknown> {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const details = [{ path: '', message: (cause as SyntaxError).message }];
    throw new AppError('BadRequest', 'the body is not valid JSON', { hint, cause, details });
  }
  if (isRecord(value)) return value;
  const message = 'the body must be a JSON object';
  throw new AppError('BadRequest', message, { hint, details: [{ path: '', message }] });
}

/** Throws `BadRequest` for fields of a body other than these: a mistyped one must not pass for one left out. */
export function refuseUnknown(
  body: Readonly<Record<string, unknown>>,
  known: readonly string[],
  hint?: string,
): void {
  const details = Object.keys(body)
    .filter((field) => !known.includes(field))
    .slice(0, PROBLEMS_MAX)
    .map((field) => field.slice(0, NAME_LENGTH_MAX))
    .map((field) => ({ path: field, message: unknownField(field, field, known) }));
  const first = details[0];
  if (first === undefined) return;
  throw new AppError('BadRequest', first.message, { hint, details });
}
