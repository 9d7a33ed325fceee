import type { Build, BuildStep } from '../../../../schemas/build-step.ts';
import { lineOfStep } from './dockerfile.ts';

/** Lines of output that are shown of the step. */
const LINES = 12;

export interface FailedStep {
  step: BuildStep;
  /** How many steps are known. */
  of: number;
  /** Of the Dockerfile; null where it is not known. */
  line: number | null;
  /** What it printed last. */
  tail: string;
}

/** The step that a build failed in. Undefined where none is known to have failed. */
export function failedStep(build: Build, dockerfile: string): FailedStep | undefined {
  const step = build.steps.find(({ error }) => error !== '');
  if (step === undefined) return undefined;
  const lines = step.output.length > 0 ? step.output : [step.error];
  return {
    ...{ step, of: build.steps.length, tail: lines.slice(-LINES).join('\n') },
    line: build.dockerfile_line ?? lineOfStep(dockerfile, step.name),
  };
}

/** Whether the build wants hashes of modules that it was not given. */
export function isWantOfGoSum({ steps, error }: Build): boolean {
  const missing = /missing go\.sum entry|go\.sum: (no such file|not found)/;
  return missing.test(error) || steps.some(({ output }) => output.some((line) => missing.test(line)));
}
