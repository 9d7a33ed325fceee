import { LABELS } from '../../../schemas/program.ts';
import { instancePrefix, type Labels } from '../owner.ts';

/**
 * Whose a sandbox is that was made as a spare. Labels are what they were when it was made, and a name can be changed in
 * one call: so that is what says it, and no file beside the engine that could say something else.
 */

const MADE_AS_SPARE = /^hersh-spare-[0-9a-f]{8}(?:-of-(.+))?$/;

export function spareName(instance: string, digits: string): string {
  return `${instancePrefix(instance)}hersh-spare-${digits}`;
}

export const takenName = (name: string, program: string): string => `${name}-of-${program}`;

/** The program whose a sandbox is; `""` of a spare, undefined where somebody has given one another name. */
export function ownerIn(labels: Labels, name: string): string | undefined {
  const program = labels[LABELS.sandboxOf] ?? '';
  if (program !== '') return program;
  const prefix = instancePrefix(labels[LABELS.sandboxInstance] ?? '');
  const own = name.replace(/^\//, '');
  const match = own.startsWith(prefix) ? MADE_AS_SPARE.exec(own.slice(prefix.length)) : null;
  return match === null ? undefined : (match[1] ?? '');
}
