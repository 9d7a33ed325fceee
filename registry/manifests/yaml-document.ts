import { Composer, type Document, Lexer, type LineCounter, Parser } from 'yaml';
import { mustBeBounded } from './yaml-merges.ts';
import { YamlRefused } from './yaml-refused.ts';

/**
 * What a text people write may be made of. The library descends by recursion and compares every key and every
 * anchor with all others: without bounds one small file stops the host for minutes, or ends it.
 */
const DEPTH_MAX = 64;
const LEXEMES_MAX = 30_000;
const ANCHORS_MAX = 200;
/** Each becomes an error with a stack trace, and one scalar can hold hundreds of thousands. */
const BAD_ESCAPES_MAX = 100;
/**
 * What aliases come to is bounded before, by parts. The library's own count multiplies how often an alias and what stands
 * in it are used, and refuses what people write (yaml 2.9.1).
 */
export const NO_ALIASES_MAX = { maxAliasCount: -1 } as const;

/**
 * Parses a YAML text of unknown origin.
 * @param lines learns where lines begin, for `linePos`
 * @returns the first document, and where a second one begins; syntax errors stand in `document.errors`
 * @throws YamlRefused, also where aliases and merges come to more than anyone means
 */
export function parseYamlDocument(
  text: string,
  lines?: LineCounter,
): { document: Document; secondAt: number | undefined } {
  const composer = new Composer({ merge: true, prettyErrors: false, logLevel: 'error' });
  let first: Document | undefined;
  for (const document of composer.compose(tokensOf(text, lines), true, text.length)) {
    if (first !== undefined) return { document: first, secondAt: document.range[0] };
    first = document;
  }
  if (first === undefined) throw new Error('the composer gave no document');
  // Most files have neither aliases nor merges, and there are thousands of them at a start.
  if (first.errors.length === 0 && /\*|<</.test(text)) mustBeBounded(first);
  return { document: first, secondAt: undefined };
}

/**
 * What a document says, as plain data.
 * @param document without errors, and with no second one behind it: then it is known what it comes to
 * @throws Error for an alias without its anchor
 */
export function dataOf(document: Document): unknown {
  return document.toJS(NO_ALIASES_MAX);
}

function* tokensOf(text: string, lines: LineCounter | undefined): ReturnType<Parser['parse']> {
  const parser = new Parser(lines?.addNewLine);
  lines?.addNewLine(0);
  let lexemes = 0;
  let anchors = 0;
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > DEPTH_MAX)
      throw new YamlRefused(parser.offset, 'the file is nested too deeply');
    if (++lexemes > LEXEMES_MAX) throw new YamlRefused(parser.offset, 'the file has too many parts');
    if ((lexeme[0] === '&' || lexeme[0] === '*') && ++anchors > ANCHORS_MAX) {
      throw new YamlRefused(parser.offset, 'the file has too many anchors and aliases');
    }
    if (lexeme[0] === '"' && badEscapes(lexeme) > BAD_ESCAPES_MAX) {
      throw new YamlRefused(parser.offset, 'the file has too many bad escapes');
    }
  }
  yield* parser.end();
}

function badEscapes(quoted: string): number {
  const known = /^\\(?:[0abtnvfre "/\\N_LP\t\r\n]|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8})$/;
  const found = quoted.match(/\\(?:x.{0,2}|u.{0,4}|U.{0,8}|.)/gs) ?? [];
  return found.filter((sequence) => !known.test(sequence)).length;
}
