import { type Figures, one, SHORT } from './kit.ts';

/** What the loop is at, asked when somebody scrapes. Times in milliseconds. */
export interface LoopSources {
  queue: { readonly depth: number; readonly oldestMs: number; readonly longestMs: number };
  slots: { counts(): { running: number; waiting: number } };
}

export interface LoopFigures {
  watch(sources: LoopSources): void;
  /** @param ms how long the pass took */
  reconciled(outcome: 'ok' | 'error', ms: number): void;
  /** Why a pass failed: a reason, `InternalError` for a bug. */
  failed(reason: string): void;
  /** A program was looked at, so long after somebody asked for it. */
  waited(ms: number): void;
}

export function countLoop(figures: Figures): LoopFigures {
  let sources: LoopSources | undefined;
  const passes = figures.histogram(
    'hersh_reconcile_seconds',
    'Duration of one look at one program.',
    SHORT,
    'outcome',
  );
  const errors = figures.counter(
    'hersh_reconcile_errors_total',
    'Looks at programs that failed, by reason; InternalError is a bug of the host.',
    'reason',
  );
  errors.inc({ reason: 'InternalError' }, 0);
  const waits = figures.histogram(
    'hersh_queue_wait_seconds',
    'How long a program waited to be looked at, since it was asked for.',
    SHORT,
  );
  const gauge = (name: string, help: string, read: (from: LoopSources) => number) =>
    figures.gauge(name, help, [], () => one(sources === undefined ? 0 : read(sources)));
  gauge('hersh_queue_depth', 'Programs that wait to be looked at.', ({ queue }) => queue.depth);
  gauge(
    'hersh_queue_oldest_wait_seconds',
    'How long the first of those has waited by now.',
    ({ queue }) => queue.oldestMs / 1000,
  );
  gauge(
    'hersh_reconcile_longest_running_seconds',
    'How long the oldest look that is still under way has taken by now.',
    ({ queue }) => queue.longestMs / 1000,
  );
  const operations = 'Container operations that';
  gauge('hersh_operations_running', `${operations} run.`, ({ slots }) => slots.counts().running);
  gauge(
    'hersh_operations_waiting',
    `${operations} wait for their turn.`,
    ({ slots }) => slots.counts().waiting,
  );
  return {
    watch(given) {
      sources = given;
    },
    reconciled: (outcome, ms) => passes.observe({ outcome }, ms / 1000),
    failed: (reason) => errors.inc({ reason }),
    waited: (ms) => waits.observe(ms / 1000),
  };
}
