/** The arithmetic of the benchmark. Pure. */

/** A bound on the ratio of a row, or on the median of ours where there is nothing to compare with. */
export interface Limit {
  /** `each at most`: not the median but every round, for what must never happen. */
  kind: 'at most' | 'at least' | 'each at most';
  value: number;
}

/** What one measurement found; rates in requests, or megabytes, a second. */
export interface Row {
  name: string;
  unit: 'ms' | 'ms/s' | 'KB' | 'MB' | 'MB/s' | 'req/s' | 'builds' | 'failed' | 'files';
  /** One a round. */
  ours: readonly number[];
  /** What it is measured against, one a round, in the same order; empty where there is nothing to compare with. */
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
  /**
   * The median of each round's own ratio: what slows a machine down for a while slows both sides of a round
   * down, and leaves it alone. NaN where there is nothing to compare with.
   */
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
  const ratio = median(ours.map((value, round) => value / (bare[round] ?? Number.NaN)));
  const compared = bare.length > 0;
  const sound = ours.length > 0 && [...ours, ...bare].every(Number.isFinite);
  const paired = !compared || bare.length === ours.length;
  const whole = limit?.kind === 'each at most' ? Math.max(...ours) : median(ours);
  const judged = compared ? ratio : whole;
  const ok = limit === null || (sound && paired && within(judged, limit));
  return { ours: median(ours), bare: median(bare), ratio, ok };
}

function within(value: number, limit: Limit): boolean {
  return limit.kind === 'at least' ? value >= limit.value : value <= limit.value;
}

/**
 * The order of the contestants in a round, turned by one each round: what the machine does to whoever comes
 * first or last, it does to all alike.
 */
export function turned<T>(contestants: readonly T[], round: number): T[] {
  const shift = round % Math.max(1, contestants.length);
  return [...contestants.slice(shift), ...contestants.slice(0, shift)];
}

/** What each round had more of than the other side; for what stands beside a cost and does not multiply it. */
export function beyond(ours: readonly number[], bare: readonly number[]): number[] {
  return ours.map((value, round) => value - (bare[round] ?? Number.NaN));
}

/** Interpolated between the two nearest; NaN of nothing. @param part from 0 to 1 */
export function quantile(samples: readonly number[], part: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const place = part * (sorted.length - 1);
  const low = sorted[Math.floor(place)] ?? Number.NaN;
  const high = sorted[Math.ceil(place)] ?? Number.NaN;
  return low + (high - low) * (place - Math.floor(place));
}

/** Measures each in turn, a round unseen first so that nobody is measured cold. */
export async function inTurn<K extends string>(
  rounds: number,
  contestants: Record<K, (round: number) => Promise<number>>,
  done: (round: number) => void = () => {},
): Promise<Record<K, number[]>> {
  const keys = Object.keys(contestants) as K[];
  const samples = Object.fromEntries(keys.map((key) => [key, [] as number[]])) as Record<K, number[]>;
  for (let round = -1; round < rounds; round++) {
    for (const key of turned(keys, Math.max(0, round))) {
      const value = await contestants[key](round);
      if (round >= 0) samples[key].push(value);
    }
    if (round >= 0) done(round);
  }
  return samples;
}
