import { describeProblem } from '../../../schemas/errors.ts';
import type { Runtime } from '../../../schemas/program.ts';
import { CliError, EXIT } from '../io/exit.ts';
import { readTexts } from '../io/files.ts';
import { readManifest } from '../manifests/read-manifest.ts';
import type { AddCommand, Run } from './run.ts';

export const addValidate: AddCommand = (program, use) => {
  program
    .command('validate')
    .description('what is wrong with manifests, as file:line:column: message; asks no host')
    .argument('<FILE...>', 'files, folders of them, or - for standard input')
    .option('--runtime <RUNTIME>', 'what the host runs programs with: runc or runsc', 'runc')
    .option('-q, --quiet', 'say nothing where nothing is wrong')
    .action(use(validate));
};

async function validate(run: Run, names: string[], { runtime, quiet }: { runtime: string; quiet?: boolean }) {
  const texts = (await Promise.all(names.map((name) => readTexts(run.io, name)))).flat();
  const manifests = texts.map((one) => readManifest(run.io, one, runtimeOf(runtime)));
  const problems = manifests.flatMap((one) => one.problems);
  for (const problem of problems) run.out(`${describeProblem(problem)}\n`);
  if (problems.length > 0) return EXIT.failed;
  if (quiet !== true) run.say(texts.length === 1 ? 'it is valid' : `all ${texts.length} are valid`);
  return EXIT.ok;
}

function runtimeOf(text: string): Runtime {
  if (text === 'runc' || text === 'runsc') return text;
  throw new CliError(EXIT.usage, `--runtime ${text} is none that is known`, 'runc or runsc.');
}
