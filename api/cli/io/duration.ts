const UNIT_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `1h30m`, `500ms`, or a number of seconds → milliseconds; undefined for what is none. */
export function parseDuration(text: string): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  if (!/^(\d{1,9}(ms|[smhd]))+$/.test(text)) return undefined;
  let ms = 0;
  for (const [, n, unit = ''] of text.matchAll(/(\d+)(ms|[smhd])/g)) ms += Number(n) * (UNIT_MS[unit] ?? 0);
  return ms;
}

/** As kubectl has ages: `42s`, `5m30s`, `3h`, `2d4h`; below 0 it is `0s`. */
export function age(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1_000));
  if (s < 120) return `${s}s`;
  const m = Math.floor(s / 60);
  if (m < 10) return two(m, 'm', s % 60, 's');
  if (m < 180) return `${m}m`;
  const h = Math.floor(m / 60);
  if (h < 8) return two(h, 'h', m % 60, 'm');
  if (h < 48) return `${h}h`;
  const d = Math.floor(h / 24);
  return d < 8 ? two(d, 'd', h % 24, 'h') : `${d}d`;
}

function two(n: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${n}${unit}` : `${n}${unit}${rest}${restUnit}`;
}

/** The age of a time as the API has it, `""` where there is none. */
export function ageOf(time: string | null | undefined, nowMs: number): string {
  const ms = Date.parse(time ?? '');
  return Number.isNaN(ms) ? '' : age(nowMs - ms);
}
