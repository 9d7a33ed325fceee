/** How much time is shown. `figures`: the range of the API in which figures of all of it are. */
export interface Range {
  key: string;
  label: string;
  ms: number;
  figures: '1h' | '7d';
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const HOUR_RANGE: Range = { key: '1h', label: '1 h', ms: HOUR, figures: '1h' };
const WEEK_RANGE: Range = { key: '7d', label: '7 days', ms: 7 * DAY, figures: '7d' };

export const RANGES: readonly Range[] = [
  { key: '15m', label: '15 min', ms: 15 * MINUTE, figures: '1h' },
  HOUR_RANGE,
  { key: '6h', label: '6 h', ms: 6 * HOUR, figures: '7d' },
  { key: '1d', label: '1 day', ms: DAY, figures: '7d' },
  WEEK_RANGE,
];

export function rangeOf(key: string | null): Range | undefined {
  return RANGES.find((range) => range.key === key);
}

/** The least, from an hour on, that shows how it began, with something of before. @param sinceMs undefined where nothing is wrong */
export function usualRange(sinceMs: number | undefined, nowMs: number): Range {
  if (sinceMs === undefined) return HOUR_RANGE;
  const ageMs = nowMs - sinceMs;
  return RANGES.find(({ key, ms }) => key !== '15m' && ageMs < ms * 0.8) ?? WEEK_RANGE;
}

/** Where times are on the picture. Times are epoch milliseconds, places CSS pixels. */
export interface Frame {
  from: number;
  to: number;
  width: number;
  /** Where the lanes begin and end. */
  left: number;
  right: number;
  isNarrow: boolean;
  /** Times outside are at the edge. */
  x(time: number): number;
  timeAt(x: number): number;
  has(time: number): boolean;
}

const WIDTH_MIN = 240;
const NARROW = 620;

export function frameOf(from: number, to: number, givenWidth: number): Frame {
  const width = Math.max(WIDTH_MIN, Math.floor(givenWidth));
  const isNarrow = width < NARROW;
  const left = isNarrow ? 68 : 96;
  const right = width - (isNarrow ? 4 : 60);
  const clamp = (value: number, least: number, most: number) => Math.min(most, Math.max(least, value));
  return {
    ...{ from, to, width, left, right, isNarrow },
    x: (time) => left + ((clamp(time, from, to) - from) / (to - from)) * (right - left),
    timeAt: (x) => from + ((clamp(x, left, right) - left) / (right - left)) * (to - from),
    has: (time) => time >= from && time <= to,
  };
}

/** The end of the picture moves a pixel at a time, and not with every second. */
export function endOf(nowMs: number, { ms }: Range, width: number): number {
  const pixelMs = Math.max(1_000, ms / Math.max(1, width));
  return Math.ceil(nowMs / pixelMs) * pixelMs;
}

const STEPS = [
  ...[1, 2, 5, 10, 15, 20, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2].map((n) => n * DAY),
];
/** Room for `03:12` and some air. */
const STEP_PX_MIN = 76;

/** Round times to be written under the axis. */
export function ticksOf({ from, to, left, right }: Frame): { stepMs: number; times: number[] } {
  const room = (step: number) => ((right - left) * step) / (to - from);
  const stepMs = STEPS.find((step) => room(step) > STEP_PX_MIN) ?? 2 * DAY;
  const times: number[] = [];
  for (let time = Math.ceil(from / stepMs) * stepMs; time <= to; time += stepMs) times.push(time);
  return { stepMs, times };
}
