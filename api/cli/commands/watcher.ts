import { isRecord } from '../../../schemas/is-record.ts';
import { refusalOf } from '../host/host.ts';
import { findProgram } from '../host/names.ts';
import { CliError, EXIT } from '../io/exit.ts';
import { asData, formatOf, isData } from '../output/format.ts';
import { harmless, oneLine } from '../output/paint.ts';
import type { AddCommand, Run } from './run.ts';

/** What a Hersh program serves of itself, by what it is called here. */
const PARTS: Record<string, string> = {
  status: 'status',
  vars: 'varState',
  signals: 'signals',
  logs: 'logs',
  watching: 'watching',
  memo: 'memoCache',
  config: 'config',
};

export const addWatcher: AddCommand = (program, use) => {
  program
    .command('send')
    .description('send a message to a Hersh program')
    .argument('<NAME>', 'a name, or what only one name begins with')
    .argument('<MESSAGE>')
    .action(use(send));
  program
    .command('watcher')
    .description(`what a Hersh program tells of itself: ${Object.keys(PARTS).join(', ')}`)
    .argument('<NAME>', 'a name, or what only one name begins with')
    .argument('[WHAT]', 'which of it', 'status')
    .option('-o, --output <FORM>', 'yaml, json')
    .action(use(watcher));
};

async function send(run: Run, word: string, message: string) {
  const name = (await findProgram(await run.host(), word)).program_id;
  const headers = { 'Content-Type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify({ content: message }) };
  const answer = await asked(run, name, 'message', init);
  const status = isRecord(answer) && typeof answer.status === 'string' ? answer.status : 'sent';
  run.out(`${name}: ${oneLine(status)}\n`);
  return EXIT.ok;
}

async function watcher(run: Run, word: string, what: string, { output }: { output?: string }) {
  const format = formatOf(output ?? 'yaml', ['json', 'yaml']);
  const part = Object.hasOwn(PARTS, what) ? PARTS[what] : undefined;
  if (part === undefined)
    throw new CliError(EXIT.usage, `a program tells no ${what}`, `One of ${Object.keys(PARTS).join(', ')}.`);
  const name = (await findProgram(await run.host(), word)).program_id;
  const answer = await asked(run, name, part);
  if (isData(format)) run.out(harmless(asData(answer, format)));
  return EXIT.ok;
}

/** What the program answers, as data where it is that. */
async function asked(run: Run, name: string, part: string, init: RequestInit = {}): Promise<unknown> {
  const host = await run.host();
  const path = `/programs/${encodeURIComponent(name)}/proxy/watcher/${part}`;
  const answer = await host.ask(path, init);
  if (!answer.ok) throw await refused(name, part, answer);
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The host's refusal, or the program's own. */
async function refused(name: string, part: string, answer: Response): Promise<Error> {
  const isOfHost = !(answer.headers.get('Content-Security-Policy') ?? '').includes('sandbox');
  const refusal = await refusalOf(answer);
  if (isOfHost && answer.status >= 500) return refusal;
  const why = answer.status === 404 ? `it serves no /watcher/${part}` : `it says ${answer.status}`;
  return new CliError(
    EXIT.failed,
    `${name} does not tell that: ${why}${refusal.message === '' ? '' : ` (${oneLine(refusal.message)})`}`,
    answer.status === 404
      ? 'It may be no Hersh program, or made with an older version of the framework.'
      : '',
  );
}
