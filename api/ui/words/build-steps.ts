import type { Build, BuildStep } from '../../../schemas/build-step.ts';
import { exactSpan, msOf } from './span.ts';

/** How a step stands. `Unended`: its build is over, and it never said how it ended. */
export type StepMark = 'Done' | 'Cached' | 'Failed' | 'Canceled' | 'Running' | 'Unended';

/** A step as it is drawn. */
export interface StepView {
  number: number;
  /** `[builder 2/5]`, or `""`. */
  stage: string;
  name: string;
  mark: StepMark;
  /** Where its bar begins and how long it is, both parts of the whole; null where it has none. */
  bar: { from: number; size: number } | null;
  /** How long it took; undefined where that is not known. */
  ms: number | undefined;
  /** Whether the builder did not say whether it was cached. */
  isCacheUnknown: boolean;
  output: readonly string[];
  error: string;
}

/** A bar that is there is seen. */
const BAR_MIN = 0.003;

/** @param nowMs epoch milliseconds, for what runs */
export function stepsOf(build: Build, nowMs: number): StepView[] {
  const known = build.steps.flatMap(({ started }) => msOf(started) ?? []);
  const from = known.length > 0 ? Math.min(...known) : (msOf(build.started) ?? nowMs);
  const marks = build.steps.map((step) => markOf(step, build));
  const ends = build.steps.map((step, at) =>
    marks[at] === 'Running' ? Math.max(nowMs, msOf(step.started) ?? from) : msOf(step.completed),
  );
  const to = Math.max(from + 1, ...ends.flatMap((ms) => ms ?? []));
  return build.steps.map((step, at) => {
    const [, stage = '', name = step.name] = /^(\[[^\]]*\]) (.*)$/s.exec(step.name) ?? [];
    const [begin, end] = [msOf(step.started), ends[at]];
    const mark = marks[at] ?? 'Done';
    const ms = begin === undefined || end === undefined ? undefined : Math.max(0, end - begin);
    const bar =
      ms === undefined || begin === undefined || mark === 'Cached'
        ? null
        : { from: (begin - from) / (to - from), size: Math.max(BAR_MIN, ms / (to - from)) };
    const { number, output, error, cached } = step;
    return { number, stage, name, mark, bar, ms, isCacheUnknown: cached === null, output, error };
  });
}

function markOf(step: BuildStep, build: Build): StepMark {
  if (/^cancell?ed$/i.test(step.error)) return 'Canceled';
  if (step.error !== '') return 'Failed';
  if (step.cached === true) return 'Cached';
  if (step.completed !== null || step.cached !== null) return 'Done';
  if (build.outcome === 'Running') return isNewest(step, build) ? 'Running' : 'Done';
  // Where the builder tells no times, an end is nothing that it would have told.
  return step.started === null || build.outcome === 'Succeeded' ? 'Done' : 'Unended';
}

/** A builder that tells no times goes one step after the other. */
function isNewest(step: BuildStep, { steps }: Build): boolean {
  return step.started !== null || step === steps.at(-1);
}

/** `0.4 s`, `1 min 12 s`. */
export function seconds(ms: number): string {
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : exactSpan(ms);
}

const TROUBLE = /error|missing|failed|fatal/i;

/** Lines in pieces, so that what speaks of trouble stands out. */
export function outputPieces(lines: readonly string[]): { text: string; isTrouble: boolean }[] {
  const pieces: { text: string; isTrouble: boolean }[] = [];
  for (const line of lines) {
    const isTrouble = TROUBLE.test(line);
    const last = pieces.at(-1);
    if (last?.isTrouble === isTrouble) last.text += `${line}\n`;
    else pieces.push({ text: `${line}\n`, isTrouble });
  }
  return pieces;
}

/** How a build came out, in a few words: what is firm, and what follows. */
export function outcomeWords(build: Build, nowMs: number): string {
  const [from, to] = [msOf(build.started), msOf(build.ended)];
  const took = from !== undefined && to !== undefined ? seconds(Math.max(0, to - from)) : '';
  const failed = build.steps.find((step) => markOf(step, build) === 'Failed');
  switch (build.outcome) {
    case 'Running':
      return from === undefined
        ? 'It is being built'
        : `It is being built, for ${seconds(Math.max(0, nowMs - from))}`;
    case 'Succeeded':
      return took === '' ? 'Built' : `Built in ${took}`;
    case 'Failed':
      return `Failed${took === '' ? '' : ` after ${took}`}${failed ? ` in step ${failed.number}` : ''}`;
    case 'Canceled':
      return `Stopped${took === '' ? '' : ` after ${took}`}: nobody wanted it any more`;
    case 'Interrupted':
      return 'Interrupted: the host ended meanwhile';
    case null:
      return 'How it went is not known';
  }
}

/** `4 of 7 steps were cached`; `""` where the builder did not say so of any. */
export function cachedWords({ steps }: Build): string {
  if (steps.every(({ cached }) => cached === null)) return '';
  return `${steps.filter(({ cached }) => cached === true).length} of ${steps.length} steps were cached.`;
}
