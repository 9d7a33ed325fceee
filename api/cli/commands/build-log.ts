import type { BuildRecord } from '../../../schemas/build-step.ts';
import { followTold } from '../host/follow.ts';
import { findProgram } from '../host/names.ts';
import { EXIT } from '../io/exit.ts';
import { asData, formatOf, isData } from '../output/format.ts';
import type { AddCommand, Run } from './run.ts';

interface BuildLogOptions {
  follow?: boolean;
  output?: string;
}

export const addBuildLog: AddCommand = (program, use) => {
  program
    .command('build-log')
    .description('the log of the newest build, also of a failed or running one')
    .argument('<NAME>', 'a name, or what only one name begins with')
    .option('-f, --follow', 'and what comes until it ends; exit code 1 where it fails')
    .option('-o, --output <FORM>', 'table (its text), json (its steps), yaml')
    .action(use(buildLog));
};

async function buildLog(run: Run, word: string, { follow = false, output }: BuildLogOptions) {
  const format = formatOf(output, ['table', 'json', 'yaml']);
  const host = await run.host();
  const { program_id: name } = await findProgram(host, word);
  const path = `/programs/${encodeURIComponent(name)}/build-log`;
  if (follow) return following(run, `${path}?format=json&follow=true`);
  if (isData(format)) {
    run.out(asData(await host.json(`${path}?format=json`), format));
    return EXIT.ok;
  }
  const { log } = await host.json<{ log: string }>(path);
  if (log === '') run.say('nothing was built: the image was there already');
  run.out(log);
  return EXIT.ok;
}

/** In the words of the text: `#3 [2/4] RUN …`, and what a step printed behind its number. */
async function following(run: Run, path: string) {
  const host = await run.host();
  let isFailed = false;
  let isAny = false;
  for await (const { type, data } of followTold(run.io, host, path, { last: 'done', mayBeEmpty: true })) {
    const record = { kind: type, ...(data as object) } as BuildRecord;
    isAny = true;
    if (record.kind === 'build') run.say(`${record.build_id}, since ${record.started}`);
    if (record.kind === 'step') run.out(`#${record.number} ${record.name}\n`);
    if (record.kind === 'output') run.out(`#${record.number} ${record.text}\n`);
    if (record.kind === 'end') run.out(`#${record.number} ${endOf(record)}\n`);
    if (record.kind === 'full') run.say('(more output than is kept is left off)');
    if (record.kind === 'done') {
      isFailed = record.outcome !== 'Succeeded';
      run.say(`${record.outcome}${record.error === '' ? '' : `: ${record.error}`}`);
    }
  }
  if (!isAny) run.say('nothing is built: the image is there already');
  return isFailed ? EXIT.failed : EXIT.ok;
}

function endOf({ cached, error }: BuildRecord & { kind: 'end' }): string {
  if (error !== '') return `ERROR ${error}`;
  return cached === true ? 'CACHED' : 'DONE';
}
