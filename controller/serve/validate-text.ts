import type { Validation } from '../../api/program-answers.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Problem } from '../../schemas/errors.ts';
import { NAME_PATTERN } from '../../schemas/program.ts';

/** Stands for the name of one that has none yet. */
const UNNAMED = 'program';

/** What is wrong with a text as a manifest, whatever file it is to stand in. */
export function validateText({ parse }: Pick<Registry, 'parse'>, text: string): Validation {
  const first = parse(UNNAMED, text);
  const name = first.writtenName;
  if (name === '') return { name, problems: first.problems.filter((one) => !isUnnamed(one)).map(bare) };
  // One that no file can be named after is told as such, and not as another name than that file's.
  const { problems } = NAME_PATTERN.test(name) ? parse(name, text) : first;
  return { name, problems: problems.map(bare) };
}

/** That it has no name, in the words of `validateManifest`. */
function isUnnamed({ message }: Problem): boolean {
  return /^metadata(\.name)? is required$/.test(message);
}

function bare({ file: _, ...problem }: Problem): Problem {
  return problem;
}
