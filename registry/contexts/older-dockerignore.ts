import { posix } from 'node:path';

/** One step of a pattern. */
type Step =
  | { kind: 'char'; matches: (char: string) => boolean }
  /** Any number of characters; `slash`: also `/`. */
  | { kind: 'many'; slash: boolean }
  /** The next `over` steps, or none of them. */
  | { kind: 'maybe'; over: number };

/** More wildcards than anyone needs: each may have to be tried at every character of every name. */
const WILDCARDS_MAX = 200;

interface Rule {
  isException: boolean;
  wildcards: number;
  matches: (path: string) => boolean;
}

/**
 * Reads a `.dockerignore` as Docker's own matcher does: a rule that matches a folder covers what lies in it, and
 * the last rule that matches counts. Patterns come from strangers, so they are followed step by step and never
 * become a regular expression, which could take years for a short name.
 * @returns whether a path relative to the context, with `/`, is left out
 * @throws Error that names the line of a malformed pattern
 */
export function readOlderDockerignore(text: string): (path: string) => boolean {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  const rules = lines.flatMap((line, index) => {
    try {
      return ruleOf(line.replace(/\r$/, ''));
    } catch (error) {
      throw new Error(`line ${index + 1}: ${(error as Error).message}`);
    }
  });
  const wildcards = rules.reduce((sum, rule) => sum + rule.wildcards, 0);
  if (wildcards > WILDCARDS_MAX) throw new Error(`it has ${wildcards} wildcards, more than ${WILDCARDS_MAX}`);
  /** Which rules match each folder that was asked about. */
  const folders = new Map<string, boolean[]>([['.', rules.map(() => false)]]);

  const matchesOf = (path: string, known: readonly boolean[]): boolean[] =>
    rules.map((rule, index) => known[index] === true || rule.matches(path));
  const folderMatches = (folder: string): boolean[] => {
    const known = folders.get(folder);
    if (known !== undefined) return known;
    const matches = matchesOf(folder, folderMatches(posix.dirname(folder)));
    folders.set(folder, matches);
    return matches;
  };

  return (path) => {
    const matches = folders.get(path) ?? matchesOf(path, folderMatches(posix.dirname(path)));
    const last = matches.lastIndexOf(true);
    return last !== -1 && rules[last]?.isException === false;
  };
}

function ruleOf(line: string): Rule[] {
  if (line.startsWith('#')) return [];
  const trimmed = line.trim();
  if (trimmed === '') return [];
  const isException = trimmed.startsWith('!');
  const written = isException ? trimmed.slice(1).trim() : trimmed;
  if (written === '') throw new Error('a "!" stands alone');
  const pattern = posix.normalize(written).replace(/^\/(?=.)|(?<=.)\/$/g, '');
  const steps = stepsOf(pattern);
  const plain = /[*?[\]\\]/.test(pattern) ? undefined : pattern;
  const wildcards = steps.filter(({ kind }) => kind === 'many').length;
  const matches = (path: string) => (plain === undefined ? follows(steps, path) : path === plain);
  return [{ isException, wildcards, matches }];
}

function stepsOf(pattern: string): Step[] {
  const chars = [...pattern];
  const steps: Step[] = [];
  const literal = (char: string): Step => ({ kind: 'char', matches: (other) => other === char });
  for (let index = 0; index < chars.length; index++) {
    const char = chars[index] ?? '';
    if (char === '*' && chars[index + 1] === '*') {
      const isFirst = index === 0;
      index += chars[index + 2] === '/' ? 2 : 1;
      const rest = chars.slice(index + 1).join('');
      // Docker takes `**x` for any name that ends with x, and `**/x` for x in any folder.
      const isSuffix = isFirst && index === 1 && !/[*?[\]\\]/.test(rest);
      const anything: Step = { kind: 'many', slash: true };
      if (rest === '' || isSuffix) steps.push(anything);
      else steps.push({ kind: 'maybe', over: 2 }, anything, literal('/'));
    } else if (char === '*') {
      steps.push({ kind: 'many', slash: false });
    } else if (char === '?') {
      steps.push({ kind: 'char', matches: (other) => other !== '/' });
    } else if (char === '\\') {
      index++;
      const next = chars[index];
      if (next === undefined) throw new Error(`the pattern ${pattern} ends with a backslash`);
      steps.push(literal(next));
    } else if (char === '[') {
      const { matches, end } = classAt(chars, index, pattern);
      steps.push({ kind: 'char', matches });
      index = end;
    } else {
      steps.push(literal(char));
    }
  }
  return steps;
}

/** `[abc]`, `[a-z]`, `[^a]`. */
function classAt(
  chars: readonly string[],
  start: number,
  pattern: string,
): { matches: (char: string) => boolean; end: number } {
  const ranges: [string, string][] = [];
  const bad = () => new Error(`the pattern ${pattern} has a malformed [...]`);
  let index = start + 1;
  const isNegated = chars[index] === '^';
  if (isNegated) index++;
  const next = (): string => {
    if (chars[index] === '\\') index++;
    const char = chars[index++];
    if (char === undefined) throw bad();
    return char;
  };
  while (chars[index] !== ']') {
    const from = next();
    let to = from;
    if (chars[index] === '-' && chars[index + 1] !== ']') {
      index++;
      to = next();
    }
    if (to < from) throw bad();
    ranges.push([from, to]);
  }
  if (ranges.length === 0) throw bad();
  const holds = (char: string) => ranges.some(([from, to]) => from <= char && char <= to);
  return { matches: (char) => holds(char) !== isNegated, end: index };
}

/** Follows all ways through the pattern at once: the time is the product of the two lengths at worst. */
function follows(steps: readonly Step[], path: string): boolean {
  /** Per place in the pattern: the character, counted from 1, before which it was reached last. */
  const reachedAt = new Uint32Array(steps.length + 1);
  let now = [0];
  let next: number[] = [];
  let count = 1;
  for (const char of path) {
    expand(steps, now, reachedAt, count++);
    for (const at of now) {
      const step = steps[at];
      if (step?.kind === 'char' && step.matches(char)) next.push(at + 1);
      if (step?.kind === 'many' && (step.slash || char !== '/')) next.push(at);
    }
    if (next.length === 0) return false;
    [now, next] = [next, now];
    next.length = 0;
  }
  expand(steps, now, reachedAt, count);
  return reachedAt[steps.length] === count;
}

/** Adds where one can stand without reading more, and takes out what is there twice. */
function expand(steps: readonly Step[], places: number[], reachedAt: Uint32Array, count: number): void {
  let kept = 0;
  // An array that grows while it is walked is walked to its end.
  for (const at of places) {
    if (reachedAt[at] === count) continue;
    reachedAt[at] = count;
    places[kept++] = at;
    const step = steps[at];
    if (step === undefined || step.kind === 'char') continue;
    places.push(at + 1);
    if (step.kind === 'maybe') places.push(at + 1 + step.over);
  }
  places.length = kept;
}
