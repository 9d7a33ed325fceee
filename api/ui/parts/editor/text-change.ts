/** Texts as an editor has them, with line feeds alone. Pure. */

export type LineEnds = '\n' | '\r\n';

/** Those that a text has more of. */
export function lineEndsOf(text: string): LineEnds {
  const pairs = text.split('\r\n').length - 1;
  return pairs * 2 > text.split('\n').length - 1 ? '\r\n' : '\n';
}

export function toEditor(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n');
}

export function fromEditor(text: string, ends: LineEnds): string {
  return ends === '\n' ? text : text.replaceAll('\n', ends);
}

/** The least stretch that makes one text of another, so that cursor and view stay where they are. */
export function changeBetween(before: string, after: string): { from: number; to: number; insert: string } {
  const most = Math.min(before.length, after.length);
  let from = 0;
  while (from < most && before[from] === after[from]) from++;
  let tail = 0;
  while (tail < most - from && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  return { from, to: before.length - tail, insert: after.slice(from, after.length - tail) };
}
