/** An instruction of a Dockerfile, in one line. */
export interface Instruction {
  /** Counted from 1; of its first line. */
  line: number;
  /** In upper case. */
  word: string;
  /** Whole, blanks as one. */
  text: string;
}

/** What a Dockerfile is made of, comments left out. Reads it as plainly as a person does: no variables, no here-documents. */
export function instructionsOf(text: string): Instruction[] {
  const found: Instruction[] = [];
  let begun: { line: number; text: string } | undefined;
  for (const [at, raw] of text.split('\n').entries()) {
    const line = raw.replace(/\r$/, '').trim();
    // Comments may stand within an instruction, and so may empty lines.
    if (line === '' || line.startsWith('#')) continue;
    const isOpen = line.endsWith('\\');
    const part = isOpen ? line.slice(0, -1) : line;
    begun = { line: begun?.line ?? at + 1, text: `${begun?.text ?? ''} ${part}` };
    if (isOpen) continue;
    found.push(instruction(begun));
    begun = undefined;
  }
  return begun === undefined ? found : [...found, instruction(begun)];
}

function instruction({ line, text }: { line: number; text: string }): Instruction {
  const flat = text.trim().replace(/\s+/g, ' ');
  return { line, word: (flat.split(' ', 1)[0] ?? '').toUpperCase(), text: flat };
}

/**
 * The line that a step of a build is about: `[builder 6/6] RUN go build`. Null where none or several could be meant, as
 * with variables in it.
 */
export function lineOfStep(dockerfile: string, step: string): number | null {
  const named = step
    .replace(/^\[[^\]]*\]\s*/, '')
    .replace(/\s+/g, ' ')
    .trim();
  const same = instructionsOf(dockerfile).filter(({ text }) => text.toLowerCase() === named.toLowerCase());
  const [only] = same;
  return same.length === 1 && only !== undefined ? only.line : null;
}

/** The first instruction that copies go.mod and not go.sum. */
export function copiesGoModAlone(dockerfile: string): Instruction | undefined {
  return instructionsOf(dockerfile).find(
    ({ word, text }) =>
      (word === 'COPY' || word === 'ADD') && /(^|[\s/"])go\.mod\b/.test(text) && !/go\.(sum|\*)/.test(text),
  );
}

/** With go.sum beside go.mod in that line; the text as it is where that can not be written. */
export function copyingGoSum(dockerfile: string): string {
  const at = copiesGoModAlone(dockerfile)?.line;
  if (at === undefined) return dockerfile;
  const lines = dockerfile.split('\n');
  lines[at - 1] = (lines[at - 1] ?? '').replace(/(\S*)go\.mod(?=[\s])/, '$1go.mod $1go.sum');
  return lines.join('\n');
}
