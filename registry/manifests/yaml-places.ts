import { isCollection, isNode, isPair, Lexer, type Pair } from 'yaml';
import { isBlockScalar } from './yaml-text.ts';

/** Where in a text the parts of it stand that splices go by. Offsets. */

/** Where what a pair says ends; on its line only a comment follows, or what a flow collection goes on with. */
export function endOf(text: string, item: unknown): number {
  if (isPair(item)) return isNode(item.value) ? endOf(text, item.value) : endOf(text, item.key);
  if (isCollection(item) && !item.flow && item.items.length > 0) return endOf(text, item.items.at(-1));
  const [start, end] = (isNode(item) && item.range) || [0, 0];
  if (!isBlockScalar(item)) return end;
  // Its range takes in the line's end, and blank lines.
  const line = nextLine(text, start + text.slice(start, end).trimEnd().length) - 1;
  return text[line - 1] === '\r' ? line - 1 : line;
}

export function startOf(node: unknown): number {
  return (isNode(node) && node.range?.[0]) || 0;
}

/** The colon behind a key that stands before it on the same line. */
export function colonOf(text: string, { key }: Pair): number | undefined {
  const end = endOf(text, key);
  const between = /^[ \t]*:/.exec(text.slice(end, nextLine(text, end)))?.[0];
  return between === undefined ? undefined : end + between.length - 1;
}

/** What stands in front of an offset on its line, without spaces at its end. */
export function textBefore(text: string, offset: number): string {
  return text.slice(lineStart(text, offset), offset).trimEnd();
}

export function lineStart(text: string, offset: number): number {
  return offset <= 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
}

export function nextLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end === -1 ? text.length : end + 1;
}

/** Where the comment begins that stands right above a line with the same indent; the line itself where none does. */
export function commentStart(text: string, line: number, indent: string): number {
  let start = line;
  while (start > 0 && text.startsWith(`${indent}#`, lineStart(text, start - 1))) {
    start = lineStart(text, start - 1);
  }
  return start;
}

/** The comments in whole lines of a text. */
export function commentsIn(lines: string): string[] {
  const lexemes = [...new Lexer().lex(lines)];
  // What is told of with a mark before it is a text of whatever kind, not a comment.
  return lexemes.filter((lexeme, n) => lexeme[0] === '#' && lexemes[n - 1] !== '\u001F');
}

/** The spaces in front of what begins its line; undefined where something else is there. */
export function indentAt(text: string, offset: number): string | undefined {
  const indent = text.slice(lineStart(text, offset), offset);
  return /^ *$/.test(indent) ? indent : undefined;
}

export function indented(lines: string, indent: string): string {
  return lines
    .split('\n')
    .map((line) => (line === '' ? '' : indent + line))
    .join('\n');
}
