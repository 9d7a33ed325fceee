import type { RevisionBody } from '../host/bodies.ts';
import { findProgram } from '../host/names.ts';
import { CliError, EXIT } from '../io/exit.ts';
import { asData, formatOf, isData } from '../output/format.ts';
import { table } from '../output/table.ts';
import { revisionColumns } from './columns.ts';
import { type AddCommand, countOption, type Run } from './run.ts';

interface HistoryOptions {
  spec?: number;
  output?: string;
}

export const addHistory: AddCommand = (program, use) => {
  program
    .command('history')
    .description('what a program was; the last ten revisions are kept, * is the one that serves')
    .argument('<NAME>', 'a name, or what only one name begins with')
    .option(
      '--spec <REVISION>',
      'what a manifest would say of that one, every default written out',
      countOption,
    )
    .option('-o, --output <FORM>', 'table, json, yaml')
    .action(use(history));
};

async function history(run: Run, word: string, { spec, output }: HistoryOptions) {
  const format = formatOf(output, ['table', 'json', 'yaml']);
  const host = await run.host();
  const { program_id: name } = await findProgram(host, word);
  const body = await host.json<{ revisions: RevisionBody[] }>(
    `/programs/${encodeURIComponent(name)}/revisions`,
  );
  const { revisions } = body;
  if (spec !== undefined) {
    const one = revisions.find(({ revision }) => revision === spec);
    const kept = revisions.map(({ revision }) => revision).join(', ') || 'none';
    if (one === undefined)
      throw new CliError(EXIT.notFound, `${name} has no revision ${spec}; kept are ${kept}`);
    run.out(asData(one.spec, format === 'json' ? 'json' : 'yaml'));
  } else if (isData(format)) run.out(asData(body, format));
  else if (revisions.length === 0) run.say(`${name} has no revision yet`);
  else run.out(table(revisionColumns(run.io.now), revisions, { out: run.io.stdout, paint: run.paint }));
  return EXIT.ok;
}
