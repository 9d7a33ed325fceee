/** A step as a builder names it: `[build 2/5] RUN npm ci`. */
const STEP = /^\[(?:[^\]]+ )?\d+\/\d+\]\s+(.*)$/s;

/**
 * The line of a Dockerfile on which the instruction of a step begins, counted from 1. Undefined where it can not be
 * told: several are the same, or the builder has put values into it.
 */
export function lineOfStep(dockerfile: string, step: string): number | undefined {
  const wanted = squeezed(STEP.exec(step)?.[1] ?? '');
  if (wanted === '') return undefined;
  const same = instructionsOf(dockerfile).filter(({ text }) => squeezed(text) === wanted);
  return same.length === 1 ? same[0]?.line : undefined;
}

function instructionsOf(dockerfile: string): { line: number; text: string }[] {
  const found: { line: number; text: string }[] = [];
  let open: { line: number; text: string } | undefined;
  for (const [index, raw] of dockerfile.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(raw)) continue;
    const isContinued = /\\\s*$/.test(raw);
    const part = raw.replace(/\\\s*$/, '');
    open = open === undefined ? { line: index + 1, text: part } : { ...open, text: `${open.text} ${part}` };
    if (isContinued) continue;
    found.push(open);
    open = undefined;
  }
  return open === undefined ? found : [...found, open];
}

function squeezed(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
