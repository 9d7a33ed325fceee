import { isIn, type Step, stepsOf } from './ignore-steps.ts';
import type { Work } from './work.ts';

/** One pattern of a `.dockerignore`, which BuildKit's matcher has cleaned. */
export interface Pattern {
  /** Yields where other work should have its turn. @throws TooMuchWork */
  matches(path: string, work: Work): Generator<void, boolean>;
}

/**
 * Follows moby/patternmatcher (as in buildx 0.13.1): which pattern becomes a comparison, and which an expression.
 * Patterns come from strangers, so they are followed step by step and never become a regular expression of ours,
 * which could take years for a short name.
 * @throws Error where the pattern can not be used
 */
export function patternOf(pattern: string): Pattern {
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
  const chars = [...path];
  let now = new Places(steps);
  let next = new Places(steps);
  if (work.spend(steps.length)) yield;
  now.add(0);
  for (const [index, char] of chars.entries()) {
    now.spread(chars, index);
    if (work.spend(now.count)) yield;
    next.clear();
    now.read(char.codePointAt(0) ?? 0, next);
    if (next.count === 0) return false;
    [now, next] = [next, now];
  }
  now.spread(chars, chars.length);
  return now.has(steps.length);
}

/** Where in a pattern one can stand, each place once. It is what most of the time goes to, and so holds numbers alone. */
class Places {
  count = 0;
  private readonly list: Uint32Array;
  private readonly addedIn: Uint32Array;
  private round = 1;

  constructor(private readonly steps: readonly Step[]) {
    this.list = new Uint32Array(steps.length + 1);
    this.addedIn = new Uint32Array(steps.length + 1);
  }

  clear(): void {
    this.count = 0;
    this.round++;
  }

  add(at: number): void {
    if (this.addedIn[at] === this.round) return;
    this.addedIn[at] = this.round;
    this.list[this.count++] = at;
  }

  has(at: number): boolean {
    return this.addedIn[at] === this.round;
  }

  /** Adds where one can stand without reading more. */
  spread(chars: readonly string[], index: number): void {
    // What is added is walked as well.
    for (let place = 0; place < this.count; place++) {
      const at = this.list[place] ?? 0;
      const step = this.steps[at];
      if (step === undefined || step.kind === 'char') continue;
      if (step.kind !== 'place' || step.holds(chars, index)) this.add(at + 1);
      if (step.kind === 'maybe') this.add(at + 1 + step.over);
    }
  }

  /** Where one stands after that character. */
  read(code: number, after: Places): void {
    for (let place = 0; place < this.count; place++) {
      const at = this.list[place] ?? 0;
      const step = this.steps[at];
      if (step === undefined || (step.kind !== 'char' && step.kind !== 'many')) continue;
      if (isIn(step, code)) after.add(step.kind === 'char' ? at + 1 : at);
    }
  }
}
