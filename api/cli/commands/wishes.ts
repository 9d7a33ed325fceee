import { messageOf } from '../../../schemas/errors.ts';
import { ApiError } from '../../client.ts';
import type { Host } from '../host/host.ts';
import { findPrograms } from '../host/names.ts';
import { CliError, EXIT, type ExitCode } from '../io/exit.ts';
import { ofApi } from '../tell.ts';
import { type AddCommand, countOption, type Run, worse } from './run.ts';

const WISHES = {
  start: 'start what is stopped, in Error or finished',
  stop: 'stop programs',
  restart: 'run programs anew',
} as const;

export const addWishes: AddCommand = (program, use) => {
  for (const [wish, description] of Object.entries(WISHES) as [keyof typeof WISHES, string][]) {
    program
      .command(wish)
      .description(description)
      .argument('<NAME...>', 'names, or what only one name begins with')
      .action(
        use((run: Run, names: string[]) => each(run, names, (host, name) => host.client.wish(name, wish))),
      );
  }
  program
    .command('rollback')
    .description('bring an earlier revision back')
    .argument('<NAME...>', 'names, or what only one name begins with')
    .option('--to <REVISION>', 'that one; the last that was ready without', countOption)
    .action(
      use((run: Run, names: string[], { to }: { to?: number }) =>
        each(run, names, async (host, name) => {
          const { message, revision, note } = await host.client.rollBack(name, to);
          return { message: `${message}: revision ${revision} comes back`, ...(note && { note }) };
        }),
      ),
    );
};

async function findNames(host: Host, names: readonly string[]): Promise<string[]> {
  return (await findPrograms(host, names)).map(({ program_id }) => program_id);
}

/** One after the other, and on where one is refused; the exit code is that of the first that was. @param find the names that are meant */
export async function each(
  run: Run,
  names: readonly string[],
  act: (host: Host, name: string) => Promise<{ message: string; note?: string }>,
  find = findNames,
): Promise<ExitCode> {
  const host = await run.host();
  let code: ExitCode = EXIT.ok;
  for (const name of await find(host, names)) {
    try {
      const { message, note } = await act(host, name);
      run.out(`${name}: ${message}\n`);
      if (note !== undefined) run.say(note);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 0) throw error;
      code = worse(code, sayRefused(run, name, error));
    }
    if (run.io.signal.aborted) break;
  }
  return code;
}

/** Gives the exit code. */
export function sayRefused(run: Run, name: string, error: unknown): ExitCode {
  const known = error instanceof ApiError ? ofApi(error) : error;
  run.say(`error: ${name}: ${messageOf(known)}`);
  if (known instanceof CliError && known.hint !== '') run.say(known.hint);
  return known instanceof CliError ? known.code : EXIT.failed;
}
