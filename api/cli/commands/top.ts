import type { UsageBody } from '../host/bodies.ts';
import { lookAgain } from '../host/follow.ts';
import { findPrograms } from '../host/names.ts';
import { EXIT } from '../io/exit.ts';
import { memory, percent } from '../output/figures.ts';
import { asData, formatOf, isData } from '../output/format.ts';
import { type Column, table } from '../output/table.ts';
import type { AddCommand, Run } from './run.ts';

/** How often the host looks. */
const LOOK_MS = 15_000;

const COLUMNS: Column<UsageBody>[] = [
  { head: 'NAME', cut: 'middle', text: ({ program_id }) => program_id },
  { head: 'CPU', text: ({ cpu }) => (cpu === null ? '-' : percent(cpu)) },
  { head: 'OF', spare: 2, text: ({ cpu_limit: limit }) => (limit === null ? '-' : percent(limit)) },
  { head: 'MEMORY', text: ({ memory_bytes: bytes }) => (bytes === null ? '-' : memory(bytes)) },
  { head: 'OF', spare: 3, text: ({ memory_limit_bytes: limit }) => (limit === null ? '-' : memory(limit)) },
  {
    ...{
      head: 'MEMORY%',
      spare: 1,
      text: (one) => (partOf(one) === undefined ? '-' : percent(partOf(one) ?? 0)),
    },
    colour: (one) => ((partOf(one) ?? 0) > 0.9 ? 'red' : undefined),
  },
];

export const addTop: AddCommand = (program, use) => {
  program
    .command('top')
    .description('what programs use of CPU and memory; 100% is a whole core')
    .argument('[NAME...]', 'names, or what only one name begins with; all programs without')
    .option('-w, --watch', 'again whenever the host has looked')
    .option('-o, --output <FORM>', 'table, json, yaml')
    .action(use(top));
};

async function top(run: Run, names: string[], { watch, output }: { watch?: boolean; output?: string }) {
  const format = formatOf(output, ['table', 'json', 'yaml']);
  const host = await run.host();
  const only = new Set((await findPrograms(host, names)).map(({ program_id }) => program_id));
  const look = () => host.json<{ programs: UsageBody[] }>('/usage');
  const show = ({ programs }: { programs: UsageBody[] }) => {
    const shown = programs.filter(({ program_id }) => only.size === 0 || only.has(program_id));
    const isTerminal = watch === true && run.io.stdout.isTTY && !isData(format);
    if (isTerminal) run.out('\u001b[H\u001b[2J');
    if (isData(format)) run.out(asData({ programs: shown, count: shown.length }, format));
    else if (shown.length === 0) run.say('there are no programs');
    else run.out(table(COLUMNS, sorted(shown), { out: run.io.stdout, paint: run.paint }));
  };
  if (watch === true) for await (const body of lookAgain(run.io, host, look, LOOK_MS)) show(body);
  else show(await look());
  return EXIT.ok;
}

/** The busiest first. */
function sorted(list: readonly UsageBody[]): UsageBody[] {
  return [...list].sort(
    (a, b) => (b.cpu ?? -1) - (a.cpu ?? -1) || (b.memory_bytes ?? -1) - (a.memory_bytes ?? -1),
  );
}

function partOf({ memory_bytes: bytes, memory_limit_bytes: limit }: UsageBody): number | undefined {
  return bytes === null || limit === null ? undefined : bytes / limit;
}
