import type { LogLine } from '../../../schemas/log-line.ts';
import { followTold } from '../host/follow.ts';
import { findProgram } from '../host/names.ts';
import { CliError, EXIT } from '../io/exit.ts';
import { type AddCommand, countOption, type Run } from './run.ts';

interface LogsOptions {
  follow?: boolean;
  previous?: boolean;
  since?: string;
  tail?: number;
  timestamps?: boolean;
}

/** As the host has it where nothing is said. */
const TAIL = 200;

export const addLogs: AddCommand = (program, use) => {
  program
    .command('logs')
    .description('what a program printed, both streams in order')
    .argument('<NAME>', 'a name, or what only one name begins with')
    .option('-f, --follow', 'and what comes, over crashes and new revisions; ends where the program does')
    .option('-p, --previous', 'of the run before')
    .option('--since <TIME>', 'from then on: 10m, 1h30m, or a time as 2026-01-01T00:00:00Z')
    .option('--tail <N>', `so many lines from the end (default ${TAIL}, or all with --since)`, countOption)
    .option('--timestamps', 'the time before each line')
    .action(use(logs));
};

async function logs(run: Run, word: string, options: LogsOptions) {
  const { follow = false, previous = false, since, tail, timestamps = false } = options;
  if (follow && previous)
    throw new CliError(
      EXIT.usage,
      '--follow and --previous do not go together',
      'A run that has ended is whole.',
    );
  const host = await run.host();
  const { program_id: name } = await findProgram(host, word);
  const query = new URLSearchParams();
  if (since !== undefined) query.set('since', since);
  if (tail !== undefined) query.set('tail', String(tail));
  const path = `/programs/${encodeURIComponent(name)}/logs?`;
  if (follow) {
    query.set('format', 'json');
    query.set('follow', 'true');
    return following(run, `${path}${query}`, timestamps);
  }
  if (previous) query.set('previous', 'true');
  if (timestamps) query.set('timestamps', 'true');
  const body = await host.json<{ logs: string }>(`${path}${query}`);
  run.out(body.logs);
  return EXIT.ok;
}

/** Line by line, so that none is lost or comes twice where the host is away in between. */
async function following(run: Run, path: string, timestamps: boolean) {
  const host = await run.host();
  for await (const { type, data } of followTold(run.io, host, path, { last: 'end', mayBeEmpty: false })) {
    if (type === 'line') run.out(lineOf(data as LogLine, timestamps));
    if (type === 'gap' || type === 'end') run.say(`(${(data as { message: string }).message})`);
  }
  return EXIT.ok;
}

function lineOf({ time, text, cut_bytes: left }: LogLine, timestamps: boolean): string {
  return `${timestamps ? `${time} ` : ''}${text}${left > 0 ? `… (${left} bytes more)` : ''}\n`;
}
