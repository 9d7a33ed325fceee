import { ApiError } from '../../client.ts';
import { exactly, findPrograms } from '../host/names.ts';
import { CliError, EXIT, type ExitCode } from '../io/exit.ts';
import type { Io } from '../io/io.ts';
import { lineReader } from '../io/read-line.ts';
import type { AddCommand, Run } from './run.ts';
import { worse } from './run.ts';
import { sayRefused } from './wishes.ts';

export const addDelete: AddCommand = (program, use) => {
  program
    .command('delete')
    .description('delete programs; their /state is kept for 7 days')
    .argument('<NAME...>', 'whole names; at a terminal also what only one name begins with')
    .option('-y, --yes', 'do not ask')
    .action(use(deletePrograms));
};

async function deletePrograms(run: Run, names: string[], { yes = false }: { yes?: boolean }) {
  const { io } = run;
  const isAsked = !yes;
  if (isAsked && !(io.stdin.isTTY && io.stderr.isTTY))
    throw new CliError(
      EXIT.usage,
      'nobody is there to be asked',
      'delete --yes NAME deletes without asking.',
    );
  const host = await run.host();
  // Nobody looks at what a beginning was taken for.
  const found = isAsked
    ? (await findPrograms(host, names)).map(({ program_id }) => program_id)
    : await Promise.all(names.map(async (name) => mustBe(name, await exactly(host, name))));
  const readLine = lineReader(io, 'Nothing more was deleted.');
  let code: ExitCode = EXIT.ok;
  for (const name of new Set(found)) {
    if (isAsked && !(await isConfirmed(io, name, readLine))) {
      run.say(`${name} stays`);
      code = worse(code, EXIT.refused);
      continue;
    }
    try {
      const { note } = await host.client.remove(name);
      run.out(`${name}: program deleted\n`);
      if (note !== undefined) run.say(note);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 0) throw error;
      code = worse(code, sayRefused(run, name, error));
    }
    if (io.signal.aborted) break;
  }
  return code;
}

function mustBe(name: string, program: unknown): string {
  if (program !== undefined) return name;
  throw new CliError(
    EXIT.notFound,
    `there is no program ${JSON.stringify(name)}`,
    'With --yes a name has to be written whole. Nothing was deleted.',
  );
}

async function isConfirmed({ stderr }: Io, name: string, readLine: () => Promise<string>): Promise<boolean> {
  stderr.write(`This deletes ${name}. Type its name to go on: `);
  return (await readLine()).trim() === name;
}
