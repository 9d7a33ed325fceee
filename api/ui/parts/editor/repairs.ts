import { nearest } from '../../../../schemas/nearest.ts';
import { offsetOf, type TextProblem } from './problem.ts';

/** What mends a problem in one click. */
export interface Repair {
  label: string;
  /** What the text is then. */
  text: string;
}

type Rule = (text: string, problem: TextProblem) => Repair | undefined;

/**
 * What the host's own words, and the text at the place that they name, say is meant; undefined where that is not
 * clear, or does not stand there any more. Line ends are line feeds.
 */
export function repairOf(text: string, problem: TextProblem): Repair | undefined {
  for (const rule of RULES) {
    const found = rule(text, problem);
    if (found !== undefined && found.text !== text) return found;
  }
  return undefined;
}

/** `publishport` is not a known field; did you mean publishPort? */
const otherName: Rule = (text, { message, path, line, column }) => {
  const meant = /; did you mean ([^?\s]+)\?$/.exec(message)?.[1];
  if (meant === undefined || line === undefined) return undefined;
  const at = offsetOf(text, line, column);
  const key = /^(?:"[^"\n]*"|'[^'\n]*'|[\w./-]+)(?=\s*:)/.exec(text.slice(at, lineEnd(text, at)))?.[0];
  if (key === undefined || !path.endsWith(unquoted(key))) return undefined;
  return { label: `Make it ${meant}`, text: replaced(text, at, key, meant) };
};

/** `Allways` must be one of Always, OnFailure, Never */
const otherWord: Rule = (text, problem) => {
  const words = /must be one of (.+)$/.exec(problem.message)?.[1]?.split(', ');
  const value = valueAt(text, problem);
  if (words === undefined || value === undefined) return undefined;
  const written = unquoted(value.text);
  // A letter or two are near to any word.
  const meant = written.length < 3 ? undefined : nearest(written, words);
  if (meant === undefined) return undefined;
  return { label: `Make it ${meant}`, text: replaced(text, value.at, value.text, meant) };
};

/** `6` must be a string; put it in quotes: "6" */
const inQuotes: Rule = (text, problem) => {
  const meant = /; put it in quotes: (".*")$/.exec(problem.message)?.[1];
  const value = valueAt(text, problem);
  if (meant === undefined || value === undefined || meant !== `"${value.text}"`) return undefined;
  return { label: 'Put it in quotes', text: replaced(text, value.at, value.text, meant) };
};

/** `80` must be at least 19001 */
const withinBounds: Rule = (text, problem) => {
  const bound = /must be at (?:least|most) (-?\d+(?:\.\d+)?)\b/.exec(problem.message)?.[1];
  const value = valueAt(text, problem);
  if (bound === undefined || value === undefined || !/^-?[\d.]+$/.test(value.text)) return undefined;
  return { label: `Make it ${bound}`, text: replaced(text, value.at, value.text, bound) };
};

/** `metadata.name is "grd" but the file is called grid.yaml: make them equal` */
const otherProgram: Rule = (text, problem) => {
  const meant = /but the file is called (.+)\.yaml: make them equal$/.exec(problem.message)?.[1];
  const value = valueAt(text, problem);
  if (meant === undefined || value === undefined) return undefined;
  return { label: `Make it ${meant}`, text: replaced(text, value.at, value.text, meant) };
};

/** Tabs that begin a line; those further on may be meant. */
const spaces: Rule = (text, { message }) => {
  if (!/^Tabs are not allowed/.test(message)) return undefined;
  const mended = text.replace(/^[ \t]*\t[ \t]*/gm, (indent) => indent.replaceAll('\t', '  '));
  return { label: 'Put spaces for tabs', text: mended };
};

const RULES: readonly Rule[] = [otherName, otherWord, inQuotes, withinBounds, otherProgram, spaces];

/** The plain or quoted value that begins there. */
function valueAt(text: string, { line, column }: TextProblem): { at: number; text: string } | undefined {
  if (line === undefined) return undefined;
  const at = offsetOf(text, line, column);
  const rest = text.slice(at, lineEnd(text, at));
  const value = /^(?:"[^"\n]*"|'[^'\n]*'|[^\s"'#,[\]{}&*|>][^#,[\]{}\n]*)/.exec(rest)?.[0].trimEnd();
  return value === undefined || value.endsWith(':') ? undefined : { at, text: value };
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
}

const replaced = (text: string, at: number, what: string, by: string) =>
  text.slice(0, at) + by + text.slice(at + what.length);

const unquoted = (word: string) => word.replace(/^(["'])(.*)\1$/, '$2');
