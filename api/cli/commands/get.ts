import { nearest } from '../../../schemas/nearest.ts';
import { PROGRAM_STATES } from '../../../schemas/program.ts';
import type { ProgramBody } from '../host/bodies.ts';
import { followFeed } from '../host/follow.ts';
import { findPrograms } from '../host/names.ts';
import { CliError, EXIT } from '../io/exit.ts';
import { asData, asItem, FORMATS, type Format, formatOf, isData } from '../output/format.ts';
import { growingTable, table } from '../output/table.ts';
import { type ProgramRow, programColumns } from './program-columns.ts';
import type { AddCommand, Run } from './run.ts';

interface GetOptions {
  output?: string;
  watch?: boolean;
  user?: string;
  state?: string;
}

export const addGet: AddCommand = (program, use) => {
  program
    .command('get')
    .description('show programs')
    .argument('[NAME...]', 'names, or what only one name begins with; all programs without')
    .option('-o, --output <FORM>', `${FORMATS.join(', ')}; json is what the API answers`)
    .option('-w, --watch', 'go on and show what changes')
    .option('-u, --user <USER>', 'only those of that user')
    .option('--state <STATE>', 'only those in that state')
    .action(use(get));
};

async function get(run: Run, names: string[], options: GetOptions) {
  const format = formatOf(options.output);
  const state = stateOf(options.state);
  if (options.watch === true) return watch(run, names, { ...options, ...(state && { state }) }, format);
  const host = await run.host();
  const fits = filterOf({ ...options, ...(state && { state }) });
  if (names.length === 1 && isData(format)) {
    const [one] = await findPrograms(host, names);
    run.out(asData(one, format));
    return EXIT.ok;
  }
  const filter = { ...(options.user && { user_id: options.user }), ...(state && { state }) };
  const found =
    names.length > 0 ? (await findPrograms(host, names)).filter(fits) : await host.client.programs(filter);
  if (isData(format)) run.out(asData({ programs: found, count: found.length }, format));
  else if (found.length === 0) run.say('there are no programs');
  else run.out(table(programColumns(format === 'wide', run.io.now), found.map(asRow), tableOptions(run)));
  return EXIT.ok;
}

/** Rows, and one more whenever one of them changes. */
async function watch(run: Run, names: string[], options: GetOptions, format: Format) {
  const host = await run.host();
  const only = new Set((await findPrograms(host, names)).map(({ program_id }) => program_id));
  const fits = filterOf(options);
  const known = new Map<string, ProgramBody>();
  const print = growingTable(programColumns(format === 'wide', run.io.now), tableOptions(run));
  const show = (rows: ProgramRow[]) => {
    if (isData(format)) for (const { program } of rows) run.out(asItem(program, format));
    else run.out(print(rows));
  };
  let snapshot: Set<string> | undefined;
  let first: ProgramRow[] | undefined = [];
  const gone = (name: string) => {
    const program = known.get(name);
    if (program !== undefined && known.delete(name)) show([{ program, isGone: true }]);
  };
  for await (const message of followFeed(run.io, host)) {
    if (message.type === 'snapshot') snapshot = new Set();
    if (message.type === 'removed') gone(message.data.program_id);
    if (message.type === 'program') {
      const { program_id: name } = message.data;
      snapshot?.add(name);
      if ((only.size > 0 && !only.has(name)) || !fits(message.data)) continue;
      const isNews = JSON.stringify(known.get(name)) !== JSON.stringify(message.data);
      known.set(name, message.data);
      if (first !== undefined) first.push(asRow(message.data));
      else if (isNews) show([asRow(message.data)]);
    }
    if (message.type === 'synced') {
      const there = snapshot;
      if (there !== undefined) for (const name of [...known.keys()]) if (!there.has(name)) gone(name);
      snapshot = undefined;
      if (first !== undefined) show(first);
      first = undefined;
    }
  }
  return EXIT.ok;
}

const asRow = (program: ProgramBody): ProgramRow => ({ program, isGone: false });

const tableOptions = ({ io, paint }: Run) => ({ out: io.stdout, paint });

function filterOf({ user, state }: GetOptions): (program: ProgramBody) => boolean {
  return (program) =>
    (user === undefined || program.user_id === user) && (state === undefined || program.state === state);
}

/** As the API has it, however it is typed. */
function stateOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const state = PROGRAM_STATES.find((one) => one.toLowerCase() === text.toLowerCase());
  if (state !== undefined) return state;
  const meant = nearest(text, PROGRAM_STATES);
  const hint = meant === undefined ? `One of ${PROGRAM_STATES.join(', ')}.` : `Did you mean ${meant}?`;
  throw new CliError(EXIT.usage, `no program can be in state ${text}`, hint);
}
