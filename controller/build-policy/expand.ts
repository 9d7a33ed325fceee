/** Stands in an expanded word for what is not known before the build. No word has it otherwise. */
export const UNKNOWN = '\0';
/** Longer than any name; an `ARG` made of others may grow with each. */
const WORD_CHARS_MAX = 4_096;
const DEPTH_MAX = 8;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*/;

/**
 * A word with its variables, as the builder expands it; `UNKNOWN` stands in it where it is written in a form that is
 * not read here. What is not defined is nothing.
 */
export function expand(word: string, variables: ReadonlyMap<string, string>, depth = 0): string {
  if (depth > DEPTH_MAX || word.length > WORD_CHARS_MAX || /[\\`\0]/.test(word)) return UNKNOWN;
  if (word.includes('$') && (word.includes("'") || variables.has(UNKNOWN))) return UNKNOWN;
  const bare = word.replace(/["']/g, '');
  const parts: string[] = [];
  let length = 0;
  for (let at = 0; at < bare.length; ) {
    const { text, end } = bare[at] === '$' ? variableAt(bare, at, variables, depth) : plainAt(bare, at);
    parts.push(text);
    length += text.length;
    if (length > WORD_CHARS_MAX) return UNKNOWN;
    at = end;
  }
  return parts.join('');
}

interface Piece {
  text: string;
  end: number;
}

function plainAt(word: string, at: number): Piece {
  const end = word.indexOf('$', at);
  return end < 0 ? { text: word.slice(at), end: word.length } : { text: word.slice(at, end), end };
}

function variableAt(word: string, at: number, variables: ReadonlyMap<string, string>, depth: number): Piece {
  const unread = { text: UNKNOWN, end: word.length };
  if (word[at + 1] !== '{') {
    const [name] = NAME.exec(word.slice(at + 1)) ?? [];
    return name === undefined ? unread : { text: variables.get(name) ?? '', end: at + 1 + name.length };
  }
  const close = closing(word, at + 2);
  const inside = word.slice(at + 2, close);
  const [name] = NAME.exec(inside) ?? [];
  if (close < 0 || name === undefined) return unread;
  const [, form = '', other = ''] = /^(:?[-+?]|)(.*)$/s.exec(inside.slice(name.length)) ?? [];
  if (form === '' && other !== '') return unread;
  const value = variables.get(name);
  const isThere = form.startsWith(':') ? (value ?? '') !== '' : value !== undefined;
  const takesOther = form.endsWith('+') ? isThere : form.endsWith('-') && !isThere;
  const text = takesOther ? expand(other, variables, depth + 1) : form.endsWith('+') ? '' : (value ?? '');
  return { text, end: close + 1 };
}

/** Where the brace that was opened before `from` is closed; -1 where it is not. */
function closing(word: string, from: number): number {
  let open = 1;
  for (let at = from; at < word.length; at++) {
    if (word[at] === '{') open++;
    if (word[at] === '}' && --open === 0) return at;
  }
  return -1;
}
