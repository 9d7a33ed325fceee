/** The arithmetic of the benchmark. Pure. */

/** A bound on a row: on `ours / bare` where there is something to compare with, on ours itself otherwise. */
export interface Limit {
  kind: 'at most' | 'at least';
  value: number;
}

/** What one measurement found; times in milliseconds, rates in requests a second. */
export interface Row {
  name: string;
  unit: 'ms' | 'req/s' | 'builds';
  /** One a round. */
  ours: readonly number[];
  /** What it is measured against, one a round; empty where there is nothing to compare with. */
  bare: readonly number[];
  /** What `bare` is. */
  against: string;
  /** Null: shown, and never missed. */
  limit: Limit | null;
}

export interface Verdict {
  ours: number;
  /** NaN where there is nothing to compare with. */
  bare: number;
  /** Median of ours by median of bare; NaN where there is nothing to compare with. */
  ratio: number;
  ok: boolean;
}

/** NaN of nothing. */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const high = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const low = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (low + high) / 2;
}

/** A row without samples, or with one that is no number, misses its limit: silence is no success. */
export function judge({ ours, bare, limit }: Row): Verdict {
  const verdict = { ours: median(ours), bare: median(bare) };
  const ratio = verdict.ours / verdict.bare;
  const judged = bare.length === 0 ? verdict.ours : ratio;
  const sound = [...ours, ...bare].every(Number.isFinite) && ours.length > 0;
  return { ...verdict, ratio, ok: limit === null || (sound && within(judged, limit)) };
}

function within(value: number, limit: Limit): boolean {
  return limit.kind === 'at most' ? value <= limit.value : value >= limit.value;
}

/**
 * The order of the contestants in a round, turned by one each round: what the machine does to whoever comes
 * first or last, it does to all alike.
 */
export function turned<T>(contestants: readonly T[], round: number): T[] {
  const shift = round % Math.max(1, contestants.length);
  return [...contestants.slice(shift), ...contestants.slice(0, shift)];
}
