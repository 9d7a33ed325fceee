import { useEffect, useState } from 'preact/hooks';
import type { Build } from '../../../schemas/build-step.ts';
import { outputPieces, type StepMark, type StepView, seconds, stepsOf } from '../words/build-steps.ts';
import { Sign } from './glyph.tsx';
import { Unknown } from './time.tsx';

const WORDS: Record<StepMark, string> = {
  ...{ Done: '', Running: '', Cached: 'cached', Failed: 'failed', Canceled: 'stopped', Unended: 'no end' },
};
/** As the styles call them. */
const CLASSES: Record<StepMark, string> = {
  ...{ Done: 'DONE', Running: 'RUN', Cached: 'CACHED', Failed: 'ERROR', Canceled: 'WAIT', Unended: 'WAIT' },
};
const BARS: Partial<Record<StepMark, string>> = { Failed: 'bad', Running: 'busy' };
/** The bar of what runs grows this often, in milliseconds. */
const GROW_MS = 200;

/** The steps of a build as a waterfall: what took long is what is long. Cached ones have no bar, and say so. */
export function BuildView({ build }: { build: Build }) {
  const nowMs = useTicks(build.outcome === 'Running');
  return (
    <ol class="build">
      {stepsOf(build, nowMs).map((step) => (
        <Step key={step.number} step={step} />
      ))}
    </ol>
  );
}

/** Epoch milliseconds, while something runs. */
export function useTicks(isRunning: boolean): number {
  const [nowMs, tick] = useState(Date.now);
  useEffect(() => {
    if (!isRunning) return;
    const ticks = setInterval(() => {
      if (document.visibilityState === 'visible') tick(Date.now());
    }, GROW_MS);
    return () => clearInterval(ticks);
  }, [isRunning]);
  return nowMs;
}

function Step({ step }: { step: StepView }) {
  const isOpen = step.mark === 'Failed' || step.mark === 'Running';
  const lines = step.error === '' || step.mark === 'Canceled' ? step.output : [...step.output, step.error];
  const head = <Head step={step} />;
  if (lines.length === 0)
    return (
      <li class={`step ${CLASSES[step.mark]}`}>
        <div class="step-head">{head}</div>
      </li>
    );
  return (
    <li class={`step ${CLASSES[step.mark]}`}>
      <details open={isOpen}>
        <summary class="step-head">{head}</summary>
        <pre class="step-out" tabIndex={0} aria-label={`What step ${step.number} printed`}>
          {outputPieces(lines).map(({ text, isTrouble }, at) =>
            isTrouble ? (
              <span key={at} class="err">
                {text}
              </span>
            ) : (
              text
            ),
          )}
        </pre>
      </details>
    </li>
  );
}

function Head({ step }: { step: StepView }) {
  const { number, stage, name, mark, bar, ms } = step;
  const word = WORDS[mark];
  return (
    <>
      <span class="step-no">#{number}</span>
      <span class="step-name" title={name}>
        {stage !== '' && <span class="stage">{stage} </span>}
        {name || <Unknown why="how it is called can not be read" />}
      </span>
      <span class="step-bar">
        <svg class="build-bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
          {bar && (
            <rect
              class={BARS[mark] ?? 'done'}
              x={bar.from * 1000}
              y={2}
              height={6}
              width={Math.min(bar.size, 1 - bar.from + 0.003) * 1000}
            />
          )}
        </svg>
      </span>
      <span class={`step-time ${CLASSES[mark]}`}>
        {mark === 'Failed' && <Sign role="bad" />}
        {word !== '' && <span>{word}</span>}
        {mark === 'Running' && ms === undefined && <span>running</span>}
        {mark !== 'Cached' &&
          mark !== 'Running' &&
          (ms === undefined ? (
            <Unknown
              why={
                mark === 'Unended'
                  ? 'its end was not told'
                  : 'the builder does not tell when it began and ended'
              }
            />
          ) : (
            <span>{seconds(ms)}</span>
          ))}
        {mark === 'Running' && ms !== undefined && <span>{seconds(ms)}</span>}
      </span>
    </>
  );
}
