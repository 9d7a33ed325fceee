import { isIn, type Step, stepsOf } from './ignore-steps.ts';
import type { Work } from './work.ts';

/** One pattern of a `.dockerignore`, which BuildKit's matcher has cleaned. Compiled when it is first asked. */
export interface Pattern {
  /** Yields where other work should have its turn. @throws Error where the pattern can not be used */
  matches(path: string, work: Work): Generator<void, boolean>;
}

/**
 * Follows moby/patternmatcher (as in buildx 0.13.1): which pattern becomes a comparison, and which an expression.
 * Patterns come from strangers, so they are followed step by step and never become a regular expression of ours,
 * which could take years for a short name.
 */
export function patternOf(pattern: string): Pattern {
  let compiled: Pattern | undefined;
  return {
    matches(path, work) {
      compiled ??= compile(pattern);
      return compiled.matches(path, work);
    },
  };
}

function compile(pattern: string): Pattern {
  const simple = simplePattern(pattern);
  if (simple !== undefined) {
    return {
      *matches(path, work) {
        if (work.spend(1)) yield;
        return simple(path);
      },
    };
  }
  const steps = stepsOf(pattern);
  const end = literalEnd(steps);
  return {
    *matches(path, work) {
      if (work.spend(1)) yield;
      return path.endsWith(end) && (yield* follows(steps, path, work));
    },
  };
}

const SPECIAL = /[*?[\]\\]/;

/** A comparison, where Docker's matcher has one for the pattern. */
function simplePattern(pattern: string): ((path: string) => boolean) | undefined {
  if (!SPECIAL.test(pattern)) return (path) => path === pattern;
  // `**x` is any name that ends with x, and `**/x` also x itself.
  const suffix = /^\*\*/.test(pattern) ? pattern.slice(2) : undefined;
  if (suffix !== undefined && !SPECIAL.test(suffix))
    return (path) => path.endsWith(suffix) || (suffix.startsWith('/') && path === suffix.slice(1));
  const prefix = pattern.endsWith('**') ? pattern.slice(0, -2) : undefined;
  if (prefix !== undefined && !SPECIAL.test(prefix)) return (path) => path.startsWith(prefix);
  return undefined;
}

/** What a name has to end with: `*.log` and its like are most of what there is. */
function literalEnd(steps: readonly Step[]): string {
  let end = '';
  for (const step of steps.toReversed()) {
    if (step.kind !== 'char' || step.literal === undefined) break;
    end = step.literal + end;
  }
  // A group before it may be skipped together with its last step.
  return steps.some(({ kind }) => kind === 'maybe') ? end.replace(/^.*\//s, '') : end;
}

/** Follows all ways through the pattern at once: the time is the product of the two lengths at worst. */
function* follows(steps: readonly Step[], path: string, work: Work): Generator<void, boolean> {
  /** Per place in the pattern: the character, counted from 1, before which it was reached last. */
  const reachedAt = new Uint32Array(steps.length + 1);
  const chars = [...path];
  let now = [0];
  let next: number[] = [];
  if (work.spend(steps.length)) yield;
  for (const [index, char] of chars.entries()) {
    expand(steps, now, reachedAt, chars, index);
    if (work.spend(now.length)) yield;
    for (const at of now) {
      const step = steps[at];
      if (step?.kind === 'char' && isIn(step, char)) next.push(at + 1);
      if (step?.kind === 'many' && isIn(step, char)) next.push(at);
    }
    if (next.length === 0) return false;
    [now, next] = [next, now];
    next.length = 0;
  }
  expand(steps, now, reachedAt, chars, chars.length);
  return reachedAt[steps.length] === chars.length + 1;
}

/** Adds where one can stand without reading more, and takes out what is there twice. */
function expand(
  steps: readonly Step[],
  places: number[],
  reachedAt: Uint32Array,
  chars: readonly string[],
  index: number,
): void {
  let kept = 0;
  // An array that grows while it is walked is walked to its end.
  for (const at of places) {
    if (reachedAt[at] === index + 1) continue;
    reachedAt[at] = index + 1;
    places[kept++] = at;
    const step = steps[at];
    if (step === undefined || step.kind === 'char') continue;
    if (step.kind === 'place') {
      if (step.holds(chars, index)) places.push(at + 1);
      continue;
    }
    places.push(at + 1);
    if (step.kind === 'maybe') places.push(at + 1 + step.over);
  }
  places.length = kept;
}
