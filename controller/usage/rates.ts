import type { UsageFigures } from '../../schemas/usage.ts';

/** What the kernel, or the engine, has counted of one container. Null is unknown. */
export interface Counters {
  /** CPU time since the run began, in nanoseconds. */
  cpuNanos: number | null;
  memoryBytes: number | null;
  cpuLimit: number | null;
  memoryLimitBytes: number | null;
  /** Between these two the counters were read; monotonic milliseconds. */
  fromMs: number;
  toMs: number;
}

/** Counters, and of which run of which container. */
export interface Reading extends Counters {
  run: string;
}

/** Of less time a rate says nothing: it is about as long as a busy machine may be late. */
const SPAN_MS_MIN = 1_000;

/**
 * The figures that two readings in a row come to. CPU is that of the time between them, of one run: where a run began
 * since, its counter began anew, and there is no rate.
 * @param before the reading before this one; undefined where there is none
 * @param sampledAtMs epoch milliseconds
 */
export function figuresOf(before: Reading | undefined, after: Reading, sampledAtMs: number): UsageFigures {
  const { memoryBytes, cpuLimit, memoryLimitBytes } = after;
  const [cpu, why] = cpuBetween(before, after);
  const whyNoMemory = memoryBytes === null ? ['its memory is not counted on this machine'] : [];
  const reason = [...(cpu === null ? [why] : []), ...whyNoMemory].join('; ');
  return { cpu, memoryBytes, cpuLimit, memoryLimitBytes, sampledAtMs, reason };
}

/** Of what could not be looked at. */
export function unknownFigures(reason: string, sampledAtMs: number): UsageFigures {
  return {
    ...{ cpu: null, memoryBytes: null, cpuLimit: null, memoryLimitBytes: null },
    ...{ sampledAtMs, reason },
  };
}

/** The rate as a fraction of one core, or why there is none. */
function cpuBetween(before: Reading | undefined, after: Reading): [cpu: number | null, why: string] {
  if (after.cpuNanos === null) return [null, 'its CPU is not counted on this machine'];
  const isSameRun = before !== undefined && before.run === after.run;
  if (!isSameRun || before.cpuNanos === null || after.cpuNanos < before.cpuNanos)
    return [null, 'CPU is measured between two samples of one run, and this is the first'];
  // The longest that may lie between them: an engine that answered late must not look like a peak.
  const spanMs = after.toMs - before.fromMs;
  if (spanMs < SPAN_MS_MIN)
    return [null, 'CPU is measured between two samples, and the last was just before'];
  return [(after.cpuNanos - before.cpuNanos) / 1e6 / spanMs, ''];
}
