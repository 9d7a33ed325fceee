/**
 * The room of the figures that `/metrics` tells of the host, one file a topic. Names keep to the conventions of
 * Prometheus: base units, `_total` for what is counted up. Labels have few values: programs, receivers, words of ours.
 */

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Seconds; of what takes from milliseconds to a few seconds. */
export const SHORT = [0.005, 0.02, 0.1, 0.5, 2, 10];
/** Seconds; of what takes up to the 30 minutes of a pull. */
export const LONG = [0.1, 0.5, 2, 10, 30, 60, 120, 300, 900, 1800];

/** A value for each set of labels. */
export type Samples = Iterable<readonly [labels: Readonly<Record<string, string>>, value: number]>;

/** What makes figures in one registry. */
export interface Figures {
  /** Counted where it happens. */
  counter(name: string, help: string, ...labelNames: string[]): Counter;
  /** Observed where it happens, in seconds. */
  histogram(name: string, help: string, buckets: number[], ...labelNames: string[]): Histogram;
  /** Asked when somebody scrapes; what is not told any more has no series any more. */
  gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => Samples | Promise<Samples>,
  ): void;
  /** The same of what only grows. */
  total(name: string, help: string, labelNames: readonly string[], read: () => Samples): void;
}

export function createFigures(registry: Registry): Figures {
  const registers = [registry];
  return {
    counter: (name, help, ...labelNames) => new Counter({ name, help, labelNames, registers }),
    histogram: (name, help, buckets, ...labelNames) =>
      new Histogram({ name, help, buckets, labelNames, registers }),
    gauge(name, help, labelNames, read) {
      new Gauge({
        ...{ name, help, labelNames, registers },
        async collect() {
          const samples = await read();
          this.reset();
          // What is unknown is no 0, which a reset leaves where there are no labels.
          if (labelNames.length === 0) this.remove();
          for (const [labels, value] of samples) this.set(labels, value);
        },
      });
    },
    total(name, help, labelNames, read) {
      new Counter({
        ...{ name, help, labelNames, registers },
        collect() {
          this.reset();
          for (const [labels, value] of read()) this.inc(labels, value);
        },
      });
    },
  };
}

/** One value without labels. */
export function one(value: number): Samples {
  return [[{}, value]];
}
