import { readFileSync } from 'node:fs';
import { EXIT } from '../io/exit.ts';
import { asData, formatOf, isData } from '../output/format.ts';
import type { AddCommand, Run } from './run.ts';

export const addVersion: AddCommand = (program, use) => {
  program
    .command('version')
    .description('of this command and of the host')
    .option('-o, --output <FORM>', 'table, json, yaml')
    .action(use(version));
};

async function version(run: Run, { output }: { output?: string }) {
  const format = formatOf(output, ['table', 'json', 'yaml']);
  const own = ownVersion();
  if (!isData(format)) run.out(`hershctl ${own}\n`);
  const { version: theirs, name, instance } = await (await run.host()).client.host();
  if (isData(format)) run.out(asData({ client: own, host: { version: theirs, name, instance } }, format));
  else run.out(`host     ${theirs} (${name}, instance ${instance})\n`);
  return EXIT.ok;
}

/** Of the package that this is part of. */
export function ownVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version?: unknown }).version);
}
