import type { Host } from '../host/host.ts';
import { findPrograms } from '../host/names.ts';
import { CliError, EXIT } from '../io/exit.ts';
import type { AddCommand, Run } from './run.ts';
import { each } from './wishes.ts';

interface PauseOptions {
  why?: string;
}

export const addPause: AddCommand = (program, use) => {
  program
    .command('pause')
    .description(
      'have the host leave programs alone while somebody looks: no start, restart, build or removal',
    )
    .argument('[NAME...]', 'names, or what only one name begins with; everything without')
    .option('--why <TEXT>', 'what for, for whoever finds it paused')
    .action(use(pause));
  program
    .command('resume')
    .description('end that; what was asked for meanwhile is done')
    .argument('[NAME...]', 'names, or what only one name begins with; the pause of everything without')
    .action(use(resume));
};

async function pause(run: Run, names: string[], { why = '' }: PauseOptions) {
  const asked = { by: whoIn(run), why };
  if (names.length > 0) return each(run, names, (host, name) => host.client.pause(name, asked));
  const { client } = await run.host();
  const { message } = await client.pauseHost(asked);
  run.out(`${message}\n`);
  run.say('Nothing is done about any program until "hershctl resume".');
  return EXIT.ok;
}

async function resume(run: Run, names: string[]) {
  const asked = { by: whoIn(run), why: '' };
  const host = await run.host();
  if (names.length === 0) {
    const { message, programs } = await host.client.resumeHost(asked);
    run.out(`${message}\n`);
    if (programs.length > 0) run.say(`Still paused, each by its own name: ${programs.join(', ')}`);
    return EXIT.ok;
  }
  return each(
    run,
    names,
    async (_host, name) => {
      const { message, paused } = await host.client.resume(name, asked);
      const still = paused === null ? '' : '; the host is paused, and it with it';
      return { message: `${message}${still}` };
    },
    pausedOrKnown,
  );
}

/** One that was deleted while it was paused is no program any more, and waits for this alone. */
async function pausedOrKnown(host: Host, wanted: readonly string[]): Promise<string[]> {
  try {
    return (await findPrograms(host, wanted)).map(({ program_id }) => program_id);
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== EXIT.notFound) throw error;
    const { warnings } = await host.client.host();
    const paused = warnings.flatMap(({ code, names }) => (code === 'Paused' ? names : []));
    if (!wanted.every((name) => paused.includes(name))) throw error;
    return [...wanted];
  }
}

/** Whoever is logged in here. */
function whoIn({ io: { env } }: Run): string {
  return env.HERSH_USER ?? env.USER ?? env.LOGNAME ?? '';
}
