import { type Figures, LONG, one } from './kit.ts';

/** How a build or a pull ended; `superseded`: its sources have changed meanwhile, and it begins anew. */
export type ImageOutcome = 'succeeded' | 'failed' | 'canceled' | 'superseded';

/** Asked when somebody scrapes. */
export interface ImageSources {
  counts(): Record<'builds' | 'pulls', { running: number; waiting: number }>;
}

export interface ImageFigures {
  watch(sources: ImageSources): void;
  built(outcome: ImageOutcome, ms: number): void;
  pulled(outcome: ImageOutcome, ms: number): void;
}

const BUILD_OUTCOMES: readonly ImageOutcome[] = ['succeeded', 'failed', 'canceled', 'superseded'];
const PULL_OUTCOMES: readonly ImageOutcome[] = ['succeeded', 'failed', 'canceled'];

/** Each outcome is there from the start, so that the first one of its kind is seen as an increase. */
export function countImages(figures: Figures): ImageFigures {
  let sources: ImageSources | undefined;
  const of = (kind: 'builds' | 'pulls', word: string, outcomes: readonly ImageOutcome[]) => {
    const histogram = figures.histogram(
      `hersh_${word}_seconds`,
      `Duration of ${kind}; its count is how many there were.`,
      LONG,
      'outcome',
    );
    for (const outcome of outcomes) histogram.zero({ outcome });
    for (const [phase, does] of [
      ['running', 'run'],
      ['waiting', 'wait for their turn'],
    ] as const)
      figures.gauge(`hersh_${kind}_${phase}`, `How many ${kind} of images ${does}.`, [], () =>
        one(sources?.counts()[kind][phase] ?? 0),
      );
    return (outcome: ImageOutcome, ms: number) => histogram.observe({ outcome }, ms / 1000);
  };
  return {
    built: of('builds', 'build', BUILD_OUTCOMES),
    pulled: of('pulls', 'pull', PULL_OUTCOMES),
    watch(given) {
      sources = given;
    },
  };
}
