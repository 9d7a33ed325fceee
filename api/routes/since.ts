import { AppError } from '../../schemas/errors.ts';
import { nanosOf, nanosOfMs } from '../../schemas/log-piece.ts';

const UNIT_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d))+$/;
const NUMBER = /^(\d{1,30})(?:\.(\d{0,30}))?(?:[eE]\+?(\d{1,2}))?$/;
const DATE_TIME = /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})?)?$/;
/** A number from here on counts in the unit: as seconds, milliseconds or microseconds it would be after the year 5000. */
const UNITS_FROM: readonly [from: bigint, nanos: bigint][] = [
  [10n ** 17n, 1n],
  [10n ** 14n, 1_000n],
  [10n ** 11n, 1_000_000n],
  [0n, 1_000_000_000n],
];

/**
 * A time or how long ago, as `docker logs --since` takes it, in epoch nanoseconds; 0n where absent. A number may count
 * seconds, milliseconds, microseconds or nanoseconds, in any form in which languages print one.
 * @param nowMs epoch milliseconds
 */
export function parseSince(value: string | undefined, nowMs: number): bigint {
  if (value === undefined || value === '') return 0n;
  const nanos = ofNumber(value) ?? ofDuration(value, nowMs) ?? ofDateTime(value);
  if (nanos !== undefined) return nanos > 0n ? nanos : 0n;
  throw new AppError('BadRequest', 'since must be a time (RFC 3339 or epoch seconds) or a duration', {
    hint: 'e.g. since=2026-11-22T10:00:00Z, since=1795341600 or since=10m; encode a + as %2B',
  });
}

function ofNumber(value: string): bigint | undefined {
  const match = NUMBER.exec(value);
  if (match === null) return undefined;
  const [, whole = '', decimals = '', exponent = '0'] = match;
  const shift = Number(exponent);
  const number = BigInt(whole + decimals.slice(0, shift).padEnd(shift, '0'));
  const rest = decimals.slice(shift, shift + 9).padEnd(9, '0');
  const unit = UNITS_FROM.find(([from]) => number >= from)?.[1] ?? 1n;
  return number * unit + (BigInt(rest) * unit) / 1_000_000_000n;
}

function ofDuration(value: string, nowMs: number): bigint | undefined {
  if (!DURATION.test(value)) return undefined;
  let ms = 0;
  for (const [, count, unit] of value.matchAll(/([0-9.]+)(ms|s|m|h|d)/g)) {
    ms += Number(count) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return nanosOfMs(Math.max(0, nowMs - ms));
}

function ofDateTime(value: string): bigint | undefined {
  const [, day = '', minute = '00:00', second = ':00', zone = 'Z'] = DATE_TIME.exec(value) ?? [];
  const nanos = nanosOf(`${day}T${minute}${second}${zone.toUpperCase()}`);
  // A day that no month has is read as one of the next.
  const isDay = nanos !== undefined && new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
  return isDay ? nanos : undefined;
}
