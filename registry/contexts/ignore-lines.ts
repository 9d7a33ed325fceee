import type { Work } from './work.ts';

/** One line of a `.dockerignore` as Docker takes it. */
export interface IgnoreLine {
  /** Counted from 1. */
  number: number;
  isException: boolean;
  /** Cleaned, without the `!`. */
  pattern: string;
}

/** Docker reads no longer ones (bufio.Scanner). */
const LINE_BYTES_MAX = 65_535;
/** What a line costs beside its characters. */
const LINE_STEPS = 20;
/** What Go trims: neither all that JavaScript does, nor nothing else. */
const SPACE = /[\t-\r \x85\xA0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]/;

/**
 * Reads a `.dockerignore` as two parts of Docker do, one after the other: the engine, which cleans what stands after a
 * `!`, and the client (buildx 0.13.1), which cleans the line once more and may find a `!` only then.
 * @throws Error that names the line that both would refuse
 */
export function* readIgnoreLines(text: string, work: Work): Generator<void, IgnoreLine[]> {
  const lines: IgnoreLine[] = [];
  let number = 0;
  let end: number;
  for (let from = text.startsWith('\uFEFF') ? 1 : 0; from <= text.length; from = end + 1) {
    number++;
    end = text.indexOf('\n', from);
    if (end === -1) end = text.length;
    if (work.spend(end - from + LINE_STEPS)) yield;
    try {
      const line = lineOf(text.slice(from, text[end - 1] === '\r' ? end - 1 : end), number);
      if (line !== undefined) lines.push(line);
    } catch (error) {
      throw ofLine(number, error);
    }
  }
  return lines;
}

export function ofLine(number: number, error: unknown): Error {
  return new Error(`line ${number}: ${(error as Error).message}`, { cause: error });
}

function lineOf(raw: string, number: number): IgnoreLine | undefined {
  // Of no character UTF-8 makes more than three bytes for each unit of UTF-16.
  if (raw.length > LINE_BYTES_MAX / 3 && new TextEncoder().encode(raw).length > LINE_BYTES_MAX)
    throw new Error(`it has more than ${LINE_BYTES_MAX} bytes`);
  if (raw.startsWith('#')) return undefined;
  const trimmed = trim(raw);
  if (trimmed === '') return undefined;
  const written = trim(asTheEngine(trimmed));
  if (written === '') return undefined;
  const line = clean(written);
  if (line === '!') throw new Error('a "!" stands alone');
  const isException = line.startsWith('!');
  const pattern = isException ? line.slice(1) : line;
  mustBeWellFormed(pattern);
  return { number, isException, pattern };
}

/** Without an expression for both ends, which would look at each stretch of spaces from each of its places. */
function trim(text: string): string {
  let from = 0;
  let end = text.length;
  while (from < end && SPACE.test(text[from] ?? '')) from++;
  while (from < end && SPACE.test(text[end - 1] ?? '')) end--;
  return text.slice(from, end);
}

function asTheEngine(line: string): string {
  const isException = line.startsWith('!');
  const written = isException ? trim(line.slice(1)) : line;
  const cleaned = written === '' ? '' : clean(written).replace(/^\/(?=.)/s, '');
  return isException ? `!${cleaned}` : cleaned;
}

/** As Go's filepath.Clean. Nothing of Node is used for it: the page reads these files too, in a browser. */
export function clean(path: string): string {
  if (!path.includes('/')) return path || '.';
  const root = path.startsWith('/') ? '/' : '';
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..' || (parts.at(-1) ?? '..') === '..') {
      if (part !== '..' || root === '') parts.push(part);
    } else parts.pop();
  }
  return `${root}${parts.join('/')}` || '.';
}

/**
 * As Go's filepath.Match has it, which Docker asks whether the pattern fits the name `.` before it makes something else
 * of it: what stands behind the first `*` is only looked at where the rest fits.
 */
function mustBeWellFormed(pattern: string): void {
  if (!/[[\\]/.test(pattern)) return;
  const chars = [...pattern];
  let at = 0;
  const bad = () => new Error(`the pattern ${pattern} has a malformed [...]`);
  const bound = (): number => {
    if (['-', ']', undefined].includes(chars[at])) throw bad();
    if (chars[at] === '\\') at++;
    const code = chars[at++]?.codePointAt(0) ?? 0;
    if (at >= chars.length) throw bad();
    return code;
  };
  /** Whether the class that begins here has a dot in it. */
  const hasDot = (): boolean => {
    const isNegated = chars[at] === '^';
    if (isNegated) at++;
    let isIn = false;
    for (let isFirst = true; isFirst || chars[at] !== ']'; isFirst = false) {
      const from = bound();
      const isRange = chars[at] === '-';
      if (isRange) at++;
      const to = isRange ? bound() : from;
      if (from <= DOT && DOT <= to) isIn = true;
    }
    at++;
    return isIn !== isNegated;
  };
  for (let chunk = 0; chunk < 2; chunk++) {
    while (chars[at] === '*') at++;
    const fits: boolean[] = [];
    while (at < chars.length && chars[at] !== '*') {
      const char = chars[at++];
      if (char === '[') fits.push(hasDot());
      else if (char !== '\\') fits.push(char === '?' || char === '.');
      else if (at >= chars.length) throw new Error(`the pattern ${pattern} ends with a backslash`);
      else fits.push(chars[at++] === '.');
    }
    if (fits.length !== 1 || fits[0] !== true) return;
  }
}

const DOT = 0x2e;
