import type { ProgramBody } from '../host/bodies.ts';
import { followFeed } from '../host/follow.ts';
import { exactly, findPrograms } from '../host/names.ts';
import { CliError, EXIT, type ExitCode } from '../io/exit.ts';
import { createLimit } from '../io/limit.ts';
import { oneLine } from '../output/paint.ts';
import { type AddCommand, durationOption, type Run } from './run.ts';

const WAITED_FOR = ['Ready', 'Stopped', 'Deleted'] as const;
type WaitedFor = (typeof WAITED_FOR)[number];

const TIMEOUT_MS = 60_000;

interface WaitOptions {
  for: string;
  timeout: number;
}

export const addWait: AddCommand = (program, use) => {
  program
    .command('wait')
    .description('wait until all of these programs are so')
    .argument('<NAME...>', 'names, or what only one name begins with; whole names with --for=Deleted')
    .requiredOption('--for <STATE>', WAITED_FOR.join(', '))
    .option(
      '--timeout <TIME>',
      'for so long: 90s, 5m (default 60s); 0: without an end',
      durationOption,
      TIMEOUT_MS,
    )
    .action(use(wait));
};

async function wait(run: Run, names: string[], options: WaitOptions) {
  const wanted = WAITED_FOR.find((one) => one.toLowerCase() === options.for.toLowerCase());
  if (wanted === undefined)
    throw new CliError(
      EXIT.usage,
      `--for ${options.for} is none that is known`,
      `One of ${WAITED_FOR.join(', ')}.`,
    );
  const limit = createLimit(run.io, options.timeout);
  let left = new Set<string>();
  try {
    left = await wantedNames(run, names, wanted);
    return await waiting({ ...run, io: limit.io }, left, wanted);
  } catch (error) {
    if (!limit.isOver()) throw error;
    throw new CliError(
      EXIT.timedOut,
      `in ${options.timeout / 1_000} s not ${wanted}: ${[...left].join(', ')}`,
    );
  } finally {
    limit.end();
  }
}

/** Who is not there is what is waited for, or a mistake. */
async function wantedNames(run: Run, names: readonly string[], wanted: WaitedFor): Promise<Set<string>> {
  const host = await run.host();
  if (wanted !== 'Deleted')
    return new Set((await findPrograms(host, names)).map(({ program_id }) => program_id));
  const left = new Set<string>();
  for (const name of names) {
    if ((await exactly(host, name)) !== undefined) left.add(name);
    // Another one may begin with the name of one that is gone, so the beginning of a name means none here.
    else run.say(`there is no program ${JSON.stringify(name)} (any more)`);
  }
  return left;
}

/** @param left who is not so yet; taken out as they come to it */
async function waiting(run: Run, left: Set<string>, wanted: WaitedFor): Promise<ExitCode> {
  const host = await run.host();
  const done = (name: string) => {
    if (left.delete(name)) run.out(`${name}: ${wanted}\n`);
  };
  let snapshot: Set<string> | undefined;
  const gone = (name: string) => {
    if (!left.has(name)) return;
    if (wanted === 'Deleted') done(name);
    else throw new CliError(EXIT.notFound, `${name} was deleted`);
  };
  if (left.size === 0) return EXIT.ok;
  for await (const message of followFeed(run.io, host)) {
    if (message.type === 'snapshot') snapshot = new Set();
    if (message.type === 'removed') gone(message.data.program_id);
    if (message.type === 'program') {
      const { program_id: name, state } = message.data;
      snapshot?.add(name);
      if (left.has(name) && state === wanted) done(name);
      else if (left.has(name) && wanted === 'Ready') mayStill(message.data);
    }
    if (message.type === 'synced') {
      const there = snapshot;
      if (there !== undefined) for (const name of [...left]) if (!there.has(name)) gone(name);
      snapshot = undefined;
    }
    if (left.size === 0) break;
  }
  return EXIT.ok;
}

/** One that has failed for good is not waited for. */
function mayStill({
  program_id: name,
  state,
  reason,
  error_msg: message,
  next_try_at: next,
}: ProgramBody): void {
  if (state !== 'Error' || next !== '') return;
  const [first = ''] = message.split('\n');
  throw new CliError(
    EXIT.failed,
    `${name} does not get Ready by itself: ${reason}${first === '' ? '' : `: ${oneLine(first)}`}`,
    `hershctl describe ${name}`,
  );
}
