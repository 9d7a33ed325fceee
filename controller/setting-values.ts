import { parseMemory } from '../schemas/resolve.ts';
import { type Given, refuse } from './option.ts';

const DISK_BYTES_MIN = 2 ** 20;
export const DURATION_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const HOST_NAME_PATTERN = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;
/** As a browser says it: a scheme and a host, perhaps a port, and nothing behind. */
const ORIGIN_PATTERN = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@*]+$/i;

/** A whole number within bounds. Throws as `refuse`. */
export function integer(read: Given, min: number, max: number): number {
  const value = Number(read.text);
  if (!/^\d+$/.test(read.text) || value < min || value > max)
    throw refuse(read, `a number from ${min} to ${max}`);
  return value;
}

/** A text of that form. @param takes the form, in words Throws as `refuse`. */
export function pattern(read: Given, allowed: RegExp, takes: string): string {
  if (!allowed.test(read.text)) throw refuse(read, takes);
  return read.text;
}

/** One of those words. Throws as `refuse`. */
export function oneOf(read: Given, allowed: readonly string[]): string {
  if (!allowed.includes(read.text)) throw refuse(read, `one of ${allowed.join(', ')}`);
  return read.text;
}

/** Bytes of `20Gi`; undefined where none is given. Throws as `refuse`. */
export function size(read: Given): number | undefined {
  if (read.text === '') return undefined;
  const bytes = parseMemory(read.text);
  if (bytes === undefined || bytes < DISK_BYTES_MIN) throw refuse(read, 'a size such as 20Gi, at least 1Mi');
  return bytes;
}

/** Milliseconds of `500ms`, `30s`, `5m` or `1h`. */
export function duration(read: Given, min: number, max: number, takes: string): number {
  const match = /^(\d+)(ms|s|m|h)$/.exec(read.text);
  const unit = match?.[2] as keyof typeof DURATION_MS | undefined;
  const ms = unit === undefined ? Number.NaN : Number(match?.[1]) * DURATION_MS[unit];
  if (!(ms >= min && ms <= max)) throw refuse(read, takes);
  return ms;
}

/** Host names. Throws as `refuse`. */
export function names(read: Given): readonly string[] {
  const list = read.text.split(',').filter((name) => name !== '');
  for (const name of list)
    if (!HOST_NAME_PATTERN.test(name)) throw refuse(read, 'host names with "," between');
  return Object.freeze(list);
}

/** Origins as browsers say them. Throws as `refuse`. */
export function origins(read: Given): readonly string[] {
  const list = read.text.split(',').filter((origin) => origin !== '');
  const takes = 'origins such as https://desk.example:8443 with "," between, without a path';
  return Object.freeze(
    list.map((origin) => {
      const isWeb = /^https?:/i.test(origin);
      if (!ORIGIN_PATTERN.test(origin) || (isWeb && !URL.canParse(origin))) throw refuse(read, takes);
      // Without the port that a browser leaves out.
      return isWeb ? new URL(origin).origin : origin.toLowerCase();
    }),
  );
}
