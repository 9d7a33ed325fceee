/** A line as the builder reads it: what is continued is one, without the comments in between. */
export interface LogicalLine {
  /** Of its first line in the file, from 1. */
  line: number;
  text: string;
}

/** What may be, where a reading of the Dockerfile says so, an instruction. */
export interface PossibleLine extends LogicalLine {
  /** It may as well be a part of a here-document, which newer builders have and older ones read as instructions. */
  isDoubtful: boolean;
}

/** After so many lines everything else has its turn. */
export const LINES_A_SLICE = 250;
/** Beside the Dockerfile's own length, so many characters come of reading lines more than once. */
const READ_AGAIN_CHARS_MAX = 2 ** 18;
/** What begins a here-document where whole words are read; its name, and perhaps quotes. */
const HERE_DOCUMENT = /(?:^|\s)["']?\d*<<-?([^<\s]+)/g;

/**
 * All that a builder may read as an instruction, whichever its version: of here-documents each line, since an older
 * one knows none of them. Undefined where the same lines would have to be read too often. In slices.
 * @param sign what continues a line
 */
export function* possibleLines(text: string, sign: '\\' | '`'): Generator<void, PossibleLine[] | undefined> {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  const found: PossibleLine[] = [];
  const open = createOpenDocuments();
  let budget = text.length + READ_AGAIN_CHARS_MAX;
  // Up to there, lines are a part of the one before.
  let next = 0;
  for (let at = 0; at < lines.length; at++) {
    if (at > 0 && at % LINES_A_SLICE === 0) yield;
    const isDoubtful = open.close(lines[at] ?? '');
    if (at < next && !isDoubtful) continue;
    const { text: joined, end } = joinedFrom(lines, at, sign);
    budget -= joined.length;
    if (budget < 0) return undefined;
    if (joined.trim() !== '') found.push({ line: at + 1, text: joined.trim(), isDoubtful });
    if (at < next) continue;
    next = end;
    open.open(joined);
  }
  return found;
}

/** Here-documents that have begun and not ended. */
function createOpenDocuments() {
  const names: string[] = [];
  return {
    open(line: string): void {
      for (const [, name = ''] of line.matchAll(HERE_DOCUMENT)) names.push(name.replace(/["']/g, ''));
    },
    /** Gives whether the line is in one, its last line included. A name that is no plain word never ends. */
    close(line: string): boolean {
      const [first] = names;
      if (first === undefined) return false;
      if (/^[\w.-]+$/.test(first) && line.replace(/\r$/, '').replace(/^\t+/, '') === first) names.shift();
      return true;
    },
  };
}

/** The line that begins there. @returns `end`: the first that is none of it */
function joinedFrom(lines: readonly string[], at: number, sign: '\\' | '`'): { text: string; end: number } {
  const parts: string[] = [];
  let end = at;
  for (;;) {
    const line = (lines[end] ?? '').replace(/\r+$/, '');
    const isFirst = end === at;
    end++;
    const isComment = /^[\s\u0085]*#/.test(line);
    if (!isFirst && (isComment || line.trim() === '') && end < lines.length) continue;
    const part = isComment ? '' : isFirst ? line.replace(/^[\s\u0085]+/, '') : line;
    const bare = continued(part, sign);
    parts.push(bare ?? part);
    if (bare === undefined || end >= lines.length) break;
  }
  return { text: parts.join(''), end };
}

/** A line without what continues it; undefined where nothing does: a doubled one means itself. */
function continued(line: string, sign: '\\' | '`'): string | undefined {
  const bare = line.replace(/[ \t]+$/, '');
  if (!bare.endsWith(sign)) return undefined;
  const before = bare.slice(0, -1);
  return before.endsWith(sign) ? undefined : before;
}
