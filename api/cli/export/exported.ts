import type { ProgramSpec } from '../../../schemas/program.ts';

/** A program that leaves. */
export interface Exported {
  name: string;
  labels: Record<string, string>;
  /** What is wanted, with every default. */
  spec: ProgramSpec;
  /** Of its newest build; `""` for one that names an image. */
  buildId: string;
  /** Where it is reached on its host; 0 for nowhere yet. */
  port: number;
}

/** The image that a container of it is made of. */
export function imageOf({ spec, buildId, name }: Exported): string {
  return spec.image ?? `hersh/${buildId || name}`;
}

export const STATE_DIR = '/state';
