import { basename, dirname, resolve } from 'node:path';
import { parseManifest } from '../../../registry/manifests/manifest.ts';
import type { Problem } from '../../../schemas/errors.ts';
import { describeProblem } from '../../../schemas/errors.ts';
import type { Program, Runtime } from '../../../schemas/program.ts';
import { CliError, EXIT } from '../io/exit.ts';
import { readTexts, type TextFile } from '../io/files.ts';
import type { Io } from '../io/io.ts';

/** One manifest, as it was read. */
export interface Manifest extends TextFile {
  /** `metadata.name`; `""` where there is none. */
  name: string;
  problems: Problem[];
  /** Undefined where there are problems. */
  program: Program | undefined;
}

/** Where a host keeps its manifests: only there a file has to be called as its program. */
const PROGRAMS = 'programs';
/** Stands for the name of one that has none. */
const UNNAMED = 'program';

/** What a file says and what is wrong with it, without any host. @param runtime what the host runs programs with that name none */
export function readManifest(io: Pick<Io, 'cwd'>, { label, text }: TextFile, runtime: Runtime): Manifest {
  const path = resolve(io.cwd, label);
  const parse = (stem: string) => parseManifest(text, label, stem, { runtime });
  const first = parse(UNNAMED);
  const isKept = label !== '-' && basename(dirname(path)) === PROGRAMS;
  const stem = isKept ? basename(path).replace(/\.ya?ml$/, '') : first.writtenName || UNNAMED;
  const { problems, program, writtenName: name } = stem === UNNAMED ? first : parse(stem);
  return { label, text, name, problems, program };
}

/** All manifests that `-f` names. Rejects `CliError` with every problem, before any of them is used. */
export async function readValid(io: Io, names: readonly string[]): Promise<Manifest[]> {
  const texts = (await Promise.all(names.map((name) => readTexts(io, name)))).flat();
  // What a host under another runtime refuses, it says itself.
  const manifests = texts.map((one) => readManifest(io, one, 'runc'));
  const problems = manifests.flatMap((one) => one.problems);
  if (problems.length > 0)
    throw new CliError(EXIT.failed, problems.map(describeProblem).join('\n'), 'Nothing was done.');
  const twice = manifests.find(({ name }, at) => manifests.findIndex((one) => one.name === name) !== at);
  if (twice !== undefined)
    throw new CliError(
      EXIT.failed,
      `${twice.label} is a second manifest of ${twice.name}`,
      'Nothing was done.',
    );
  return manifests;
}
