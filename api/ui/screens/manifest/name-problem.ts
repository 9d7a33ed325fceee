import type { TextProblem } from '../../parts/editor/problem.ts';

/**
 * `POST /validate` takes a text for a manifest of any program, so that it names another is told here, in the host's
 * words. Pure. @param written its `metadata.name`
 */
export function nameProblem(written: string, name: string, text: string): TextProblem[] {
  // Of a text that can not be read no name is known either; that one is missing is told by the review.
  if (written === name || written === '') return [];
  const path = 'metadata.name';
  const message = `${path} is ${JSON.stringify(written)} but the file is called ${name}.yaml: make them equal`;
  return [{ path, message, ...placeOfName(text, written) }];
}

/** Where the name stands as a block has it; nothing for other ways to write it. */
function placeOfName(text: string, written: string): { line?: number; column?: number } {
  const lines = text.split('\n');
  const metadata = lines.findIndex((line) => /^metadata:/.test(line));
  for (let at = metadata + 1; metadata !== -1 && at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (/^\S/.test(line) && !line.startsWith('#')) break;
    const found = /^ +name:\s+["']?/.exec(line)?.[0];
    if (found === undefined || !line.slice(found.length).startsWith(written)) continue;
    const isQuoted = /["']$/.test(found);
    return { line: at + 1, column: found.length + (isQuoted ? 0 : 1) };
  }
  return {};
}
