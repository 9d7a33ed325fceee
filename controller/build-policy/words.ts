/** Words of an instruction as the builder takes them apart. */

const SPACE: ReadonlySet<string> = new Set('\t\v\f\r \n\u0085\u00A0');

export function wordsOf(text: string): string[] {
  return text.split(/[\t\v\f\r ]+/).filter((word) => word !== '');
}

/** The options that an instruction begins with, without their quotes, and what stands behind them. */
export function splitOptions(text: string): { options: string[]; rest: string } {
  const options: string[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && SPACE.has(text[at] ?? '')) at++;
    if (!text.startsWith('--', at)) return { options, rest: text.slice(at) };
    const { word, end } = quotedWord(text, at);
    at = end;
    if (word === '--') return { options, rest: text.slice(at) };
    options.push(word);
  }
}

function quotedWord(text: string, start: number): { word: string; end: number } {
  const letters: string[] = [];
  let quote = '';
  let at = start;
  for (; at < text.length; at++) {
    const one = text[at] ?? '';
    if (quote === '' && SPACE.has(one)) break;
    if (one === quote) quote = '';
    else if (one === '\\') letters.push(text[++at] ?? '');
    else if (quote === '' && (one === '"' || one === "'")) quote = one;
    else letters.push(one);
  }
  return { word: letters.join(''), end: at };
}

/** `NAME=value` and `NAME` of an `ARG`, with quotes as they stand. */
export function assignmentsOf(text: string): { name: string; value: string | undefined }[] {
  const words = text.match(/(?:\\.|"(?:\\.|[^"\\])*"?|'[^']*'?|[^\s"'\\])+/g) ?? [];
  return words.map((word) => {
    const at = word.indexOf('=');
    return at < 0 ? { name: word, value: undefined } : { name: word.slice(0, at), value: word.slice(at + 1) };
  });
}
