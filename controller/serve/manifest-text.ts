import type { ParsedManifest } from '../../registry/manifests/manifest.ts';
import { AppError, describeProblem } from '../../schemas/errors.ts';
import type { Program } from '../../schemas/program.ts';

/** Throws `Conflict` where a text names another program than the path it came to. */
export function mustBeNamed(name: string, { writtenName }: ParsedManifest, hint?: string): void {
  if (writtenName === '' || writtenName === name) return;
  const message = `metadata.name is ${JSON.stringify(writtenName)} but the path says ${name}`;
  throw new AppError('Conflict', message, { hint });
}

/** The program a text describes. Throws `InvalidManifest` with its problems. */
export function validProgram({ program, problems }: ParsedManifest): Program {
  if (program !== undefined) return program;
  throw new AppError('InvalidManifest', problems.map(describeProblem).join('\n'), { details: problems });
}
