import type { Build } from '../../../../schemas/build-step.ts';

/** Where and how a build failed, in few lines. */
export interface FailedBuild {
  /** `step 4: RUN go build`, or that it failed before any. */
  where: string;
  text: string;
  /** Of the Dockerfile; null where the builder names none. */
  line: number | null;
}

/** Undefined for a build that did not fail. */
export function failedBuild(build: Build): FailedBuild | undefined {
  const step = build.steps.findLast(({ error }) => error !== '');
  if (step === undefined && build.outcome !== 'Failed' && build.outcome !== 'Interrupted') return undefined;
  const text = step === undefined ? build.error : [...step.output, step.error].join('\n');
  const where = step === undefined ? 'the build' : `step ${step.number}, ${step.name}`;
  return { where, text: text || build.error, line: build.dockerfile_line };
}

/** Some lines around one of them, counted from 1. */
export function linesAround(text: string, line: number, around = 3): { first: number; text: string } {
  const all = text.split('\n');
  const first = Math.max(1, line - around);
  return { first, text: all.slice(first - 1, line + around).join('\n') };
}

/** Of `programs/x.yaml:14:5: message`; undefined where no line is named. */
export function placeIn(message: string): { line: number; says: string } | undefined {
  const [, line, says = ''] = /^[^\n]*?\.ya?ml:(\d+)(?::\d+)?: ([^\n]*)/.exec(message) ?? [];
  return line === undefined ? undefined : { line: Number(line), says };
}
