/** What a long run comes to. Pure. */
import { quantile } from '../stats.ts';

/** One thing that was done: when it began, in milliseconds since the run did, and how long it took; null: it failed. */
export interface Sample {
  atMs: number;
  ms: number | null;
}

/** What a process has at a moment. */
export interface Look {
  atMs: number;
  rssMb: number;
  files: number;
  /** CPU time until then. */
  cpuMs: number;
}

/** What a whole run came to; also what is written as JSON. */
export interface Run {
  programs: number;
  manifests: number;
  minutes: number;
  sandbox: string;
  /** By the name of what was done. */
  samples: Record<string, Sample[]>;
  looks: Look[];
  listeners: unknown;
}

export interface Summary {
  count: number;
  failed: number;
  p50: number;
  p99: number;
}

export function summaryOf(samples: readonly Sample[]): Summary {
  const done = samples.flatMap(({ ms }) => (ms === null ? [] : [ms]));
  return {
    ...{ count: samples.length, failed: samples.length - done.length },
    ...{ p50: quantile(done, 0.5), p99: quantile(done, 0.99) },
  };
}

/** One summary for each span of time, from the beginning on; a span in which nothing began has none. */
export function bySpan(samples: readonly Sample[], spanMs: number): (Summary & { atMs: number })[] {
  const spans = new Map<number, Sample[]>();
  for (const sample of samples) {
    const span = Math.floor(sample.atMs / spanMs);
    const kept = spans.get(span);
    if (kept === undefined) spans.set(span, [sample]);
    else kept.push(sample);
  }
  return [...spans]
    .sort(([a], [b]) => a - b)
    .map(([span, kept]) => ({ atMs: span * spanMs, ...summaryOf(kept) }));
}

/** The medians of the first and of the last tenth of a run, of which the first does not count the time to warm up. */
export function ends(
  looks: readonly Look[],
  of: (look: Look) => number,
  warmMs: number,
): { start: number; end: number } {
  const warm = looks.filter(({ atMs }) => atMs >= warmMs);
  const tenth = Math.max(1, Math.floor(warm.length / 10));
  return {
    start: quantile(warm.slice(0, tenth).map(of), 0.5),
    end: quantile(warm.slice(-tenth).map(of), 0.5),
  };
}

/**
 * How often something happens to one of `count` programs in turn, so that it is at least `restMs` until it happens to
 * the same one again; never more often than `everyMs`.
 */
export function spreadMs(count: number, everyMs: number, restMs: number): number {
  return Math.max(everyMs, Math.ceil(restMs / Math.max(1, count)));
}
