/** What is wrong with a text, as the host says it. */
export interface TextProblem {
  /** From 1; undefined where it is about no line. */
  line?: number;
  column?: number;
  /** As `spec.publishPort`; `""` is the whole text. */
  path: string;
  message: string;
}

/** For the end of its line, where the field can be seen: without the field. */
export function briefProblem({ path, message }: TextProblem): string {
  const rest =
    path !== '' && message.startsWith(path) ? message.slice(path.length).replace(/^:?\s+/, '') : message;
  return rest === '' ? message : rest;
}

/** In the order of the text; what is about no line comes first. */
export function inOrder(problems: readonly TextProblem[]): TextProblem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

/** `Line 16:3`, or what it is about. */
export function placeOf({ line, column }: TextProblem): string {
  if (line === undefined) return 'The file';
  return `Line ${line}${column === undefined ? '' : `:${column}`}`;
}

/** Where a place is in a text; what lies outside is brought to the nearest that is not. Lines and columns from 1. */
export function offsetOf(text: string, line: number, column = 1): number {
  let start = 0;
  for (let at = 1; at < line; at++) {
    const next = text.indexOf('\n', start);
    if (next === -1) return text.length;
    start = next + 1;
  }
  const end = text.indexOf('\n', start);
  return Math.min(start + Math.max(0, column - 1), end === -1 ? text.length : end);
}
