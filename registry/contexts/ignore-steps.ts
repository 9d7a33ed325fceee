/** One step of a pattern that became an expression. */
export type Step =
  | ({ kind: 'char' } & Chars)
  /** Any number of such characters. */
  | ({ kind: 'many' } & Chars)
  /** The next `over` steps, or none of them. */
  | { kind: 'maybe'; over: number }
  /** Nothing is read, but the place has to be right. */
  | { kind: 'place'; holds: (chars: readonly string[], index: number) => boolean };

interface Chars {
  ranges: readonly Range[];
  negated: boolean;
  /** Where it is one character alone. */
  literal?: string;
}

type Range = readonly [from: number, to: number];

export function isIn({ ranges, negated }: Chars, code: number): boolean {
  for (const range of ranges) if (range[0] <= code && code <= range[1]) return !negated;
  return negated;
}

/**
 * What Docker's matcher makes of a pattern goes through RE2, and its quirks are what people's files do: a `*` in
 * `[...]` ends that, `\d` is a digit, `^` is the beginning. So the same text is made, and read as RE2 reads it.
 * @throws Error where RE2 would refuse it
 */
export function stepsOf(pattern: string): Step[] {
  const steps = new Reader([...expressionOf(pattern)], pattern).all();
  // Docker puts a `$` behind it for the end, which a backslash turns into one that is to be read.
  const isOpen = /(?<!\\)(\\\\)*\\$/.test(pattern);
  return isOpen ? [...steps, { kind: 'many', ranges: [], negated: true }] : steps;
}

function expressionOf(pattern: string): string {
  const chars = [...pattern];
  let text = '';
  for (let index = 0; index < chars.length; index++) {
    const char = chars[index] ?? '';
    if (char === '*' && chars[index + 1] === '*') {
      index += chars[index + 2] === '/' ? 2 : 1;
      text += index + 1 === chars.length ? '.*' : '(.*/)?';
    } else if (char === '*') text += '[^/]*';
    else if (char === '?') text += '[^/]';
    else if (char === '\\') text += `\\${chars[++index] ?? '$'}`;
    else text += /[.+()|{}$]/.test(char) ? `\\${char}` : char;
  }
  return text;
}

const GROUP = '(.*/)?';
const code = (char: string): number => char.codePointAt(0) ?? 0;
const one = (char: string): Step => ({
  kind: 'char',
  ranges: [[code(char), code(char)]],
  negated: false,
  literal: char,
});
/** RE2's `.` is no end of line. */
const ANY: Chars = { ranges: [[10, 10]], negated: true };

const DIGIT: readonly Range[] = [[48, 57]];
const SPACE: readonly Range[] = [
  [9, 10],
  [12, 13],
  [32, 32],
];
const WORD: readonly Range[] = [...DIGIT, [65, 90], [95, 95], [97, 122]];
const CLASSES: Readonly<Record<string, readonly Range[]>> = { d: DIGIT, s: SPACE, w: WORD };
const CONTROLS: Readonly<Record<string, string>> = {
  ...{ a: '\x07', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
};

const isWord = (char: string | undefined): boolean => char !== undefined && /^\w$/.test(char);
const isEdge = (chars: readonly string[], index: number) => isWord(chars[index - 1]) !== isWord(chars[index]);
const PLACES: Readonly<Record<string, (chars: readonly string[], index: number) => boolean>> = {
  A: (_, index) => index === 0,
  z: (chars, index) => index === chars.length,
  b: isEdge,
  B: (chars, index) => !isEdge(chars, index),
};

class Reader {
  private at = 0;

  constructor(
    private readonly text: readonly string[],
    private readonly pattern: string,
  ) {}

  private refuse(what: string): Error {
    return new Error(`the pattern ${this.pattern} ${what}`);
  }

  all(): Step[] {
    const steps: Step[] = [];
    while (this.at < this.text.length) {
      if (this.text.slice(this.at, this.at + GROUP.length).join('') === GROUP) {
        this.at += GROUP.length;
        steps.push({ kind: 'maybe', over: 2 }, { kind: 'many', ...ANY }, one('/'));
        continue;
      }
      const step = this.atom();
      if (this.text[this.at] !== '*') steps.push(step);
      else if (step.kind === 'char') {
        this.at++;
        const { literal: _, ...chars } = step;
        steps.push({ ...chars, kind: 'many' });
      } else throw this.refuse('repeats what can not be repeated');
    }
    return steps;
  }

  private atom(): Step {
    const char = this.text[this.at++] ?? '';
    if (char === '^') return { kind: 'place', holds: (_, index) => index === 0 };
    if (char === '.') return { kind: 'char', ...ANY };
    if (char === '[') return this.bracket();
    if (char !== '\\') return one(char);
    const holds = PLACES[this.text[this.at] ?? ''];
    if (holds === undefined) return this.named() ?? one(this.escaped());
    this.at++;
    return { kind: 'place', holds };
  }

  /** `d`, `D`, … after a backslash. */
  private named(): Step | undefined {
    const name = this.text[this.at] ?? '';
    const ranges = CLASSES[name.toLowerCase()];
    if (ranges === undefined || name === '') return undefined;
    this.at++;
    return { kind: 'char', ranges, negated: name !== name.toLowerCase() };
  }

  /** One character after a backslash. What RE2 knows beyond this is refused rather than taken for something else. */
  private escaped(): string {
    const char = this.text[this.at++];
    if (char === undefined) throw this.refuse('ends with a backslash');
    const control = CONTROLS[char];
    if (control !== undefined) return control;
    if (!/^[\0-\x7f]$/.test(char) || /^[0-9A-Za-z]$/.test(char))
      throw this.refuse(`has \\${char}, which stands for nothing: paths have "/" between their parts`);
    return char;
  }

  /** The rest of `[abc]`, `[a-z]`, `[^a]`. */
  private bracket(): Step {
    const ranges: Range[] = [];
    const negated = this.text[this.at] === '^';
    if (negated) this.at++;
    for (let isFirst = true; isFirst || this.text[this.at] !== ']'; isFirst = false) {
      if (this.at >= this.text.length) throw this.refuse('has a [...] without an end');
      if (this.text[this.at] === '[' && this.text[this.at + 1] === ':')
        throw this.refuse('has [: in a [...]');
      ranges.push(...this.member());
    }
    this.at++;
    return { kind: 'char', ranges, negated };
  }

  private member(): readonly Range[] {
    if (this.text[this.at] === '\\' && /^[dsw]$/.test(this.text[this.at + 1] ?? '')) {
      this.at += 2;
      return CLASSES[this.text[this.at - 1] ?? ''] ?? [];
    }
    const from = this.bound();
    if (this.text[this.at] !== '-' || this.text[this.at + 1] === ']' || this.at + 1 >= this.text.length)
      return [[from, from]];
    this.at++;
    const to = this.bound();
    if (to < from) throw this.refuse('has a [...] whose range is upside down');
    return [[from, to]];
  }

  private bound(): number {
    const char = this.text[this.at++];
    if (char === undefined) throw this.refuse('has a [...] without an end');
    return code(char === '\\' ? this.escaped() : char);
  }
}
