import { type Figures, one } from './kit.ts';

export interface EngineFigures {
  /** A call of the engine has ended. */
  called(operation: string, outcome: 'ok' | 'error', ms: number): void;
  /** @param isUp whether it answers, asked when somebody scrapes */
  watch(isUp: () => boolean): void;
}

/** Seconds; from the few milliseconds of a look to builds and pulls. */
const BUCKETS = [0.01, 0.05, 0.25, 1, 5, 30, 300];

export function countEngine(figures: Figures): EngineFigures {
  let isUp = () => false;
  const calls = figures.histogram(
    'hersh_engine_call_seconds',
    'Duration of what the container engine was asked, by operation; of logs, until they begin.',
    BUCKETS,
    ...['operation', 'outcome'],
  );
  figures.gauge('hersh_engine_up', '1 where the container engine answers, else 0.', [], () =>
    one(isUp() ? 1 : 0),
  );
  return {
    called: (operation, outcome, ms) => calls.observe({ operation, outcome }, ms / 1000),
    watch(given) {
      isUp = given;
    },
  };
}
