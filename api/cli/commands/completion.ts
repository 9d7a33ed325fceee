import { RootCommand, script } from '@bomb.sh/tab';
import type { Argument, Command } from 'commander';
import { PROGRAM_STATES } from '../../../schemas/program.ts';
import { readContexts } from '../host/contexts.ts';
import { CliError, EXIT } from '../io/exit.ts';
import { createLimit } from '../io/limit.ts';
import { FORMATS } from '../output/format.ts';
import { type AddCommand, createRun, type GlobalOptions, type Run } from './run.ts';

const SHELLS = ['bash', 'zsh', 'fish'];
/** Nobody waits longer behind a key. */
const NAMES_MS = 1_500;

export const addCompletion: AddCommand = (program, use) => {
  program
    .command('completion')
    .description('completion for a shell, with names from the host: source <(hershctl completion bash)')
    .argument('<SHELL>', SHELLS.join(', '))
    .action(
      use(async (run: Run, shell: string) => {
        if (!SHELLS.includes(shell))
          throw new CliError(
            EXIT.usage,
            `there is no completion for ${shell}`,
            `One of ${SHELLS.join(', ')}.`,
          );
        run.out(printed(() => script(shell, 'hershctl', 'hershctl')));
        return EXIT.ok;
      }),
    );
  program
    .command('complete', { hidden: true })
    .argument('[WORDS...]', 'what is typed so far, behind --')
    .action(
      use(async (run: Run, words: string[]) => {
        const [names, contexts] = await Promise.all([namesOf(run, words), contextsOf(run)]);
        const root = rootOf(program, { names, contexts });
        run.out(printed(() => root.parse(words)));
        return EXIT.ok;
      }),
    );
};

interface Known {
  names: readonly string[];
  contexts: readonly string[];
}

/** Of the host that is meant by what is typed; none where it does not answer in time, and nothing is said of that. */
async function namesOf(run: Run, words: readonly string[]): Promise<string[]> {
  const limit = createLimit(run.io, NAMES_MS);
  const typed = typedOptions(words);
  const inner = createRun(limit.io, () => ({ ...run.options(), ...typed }));
  try {
    const host = await inner.host();
    return (await host.client.programs()).map(({ program_id }) => program_id);
  } catch {
    return [];
  } finally {
    limit.end();
    inner.close();
  }
}

function typedOptions(words: readonly string[]): Partial<GlobalOptions> {
  const typedAt = (...flags: string[]) => {
    const at = words.findIndex((word) => flags.includes(word));
    const joined = words.find((word) => flags.some((flag) => word.startsWith(`${flag}=`)));
    return joined?.slice(joined.indexOf('=') + 1) ?? (at === -1 ? undefined : words[at + 1]);
  };
  const [server, context] = [typedAt('-s', '--server'), typedAt('--context')];
  return { ...(server && { server }), ...(context && { context }) };
}

async function contextsOf(run: Run): Promise<string[]> {
  return readContexts(run.io).then(
    ({ contexts }) => Object.keys(contexts),
    () => [],
  );
}

/** The command line in the words of the library that completes it. */
function rootOf(program: Command, known: Known): RootCommand {
  const root = new RootCommand();
  const add = (command: Command, path: string): void => {
    const to = path === '' ? root : root.command(path, command.description());
    for (const { long, short, description, required, optional } of command.options) {
      const name = long?.replace(/^--/, '') ?? '';
      const words = valuesOf(name, known);
      const fill = (complete: (value: string, text: string) => void) => {
        for (const word of words) complete(word, '');
      };
      if (required || optional) to.option(name, description, fill, short?.slice(1));
      else to.option(name, description, short?.slice(1));
    }
    for (const argument of command.registeredArguments) {
      const words = wordsOf(argument, path, known);
      to.argument(
        argument.name(),
        (complete) => {
          for (const word of words) complete(word, '');
        },
        argument.variadic,
      );
    }
    for (const inner of command.createHelp().visibleCommands(command))
      if (inner.name() !== 'help') add(inner, path === '' ? inner.name() : `${path} ${inner.name()}`);
  };
  add(program, '');
  return root;
}

function valuesOf(option: string, { contexts }: Known): readonly string[] {
  const values: Record<string, readonly string[]> = {
    output: FORMATS,
    state: PROGRAM_STATES,
    for: ['Ready', 'Stopped', 'Deleted'],
    runtime: ['runc', 'runsc'],
    to: ['compose', 'kubernetes'],
    context: contexts,
  };
  return values[option] ?? [];
}

function wordsOf(argument: Argument, path: string, { names, contexts }: Known): readonly string[] {
  if (argument.name() === 'SHELL') return SHELLS;
  if (argument.name() !== 'NAME') return [];
  return path.startsWith('context') ? contexts : names;
}

/** The library writes to the console, at once. */
function printed(write: () => void): string {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: unknown) => void lines.push(String(line));
  try {
    write();
  } finally {
    console.log = log;
  }
  return lines.map((line) => `${line}\n`).join('');
}
