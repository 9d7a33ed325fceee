import type { NamedEventBody } from '../../client.ts';
import { followFeed } from '../host/follow.ts';
import { findProgram } from '../host/names.ts';
import { EXIT } from '../io/exit.ts';
import { asData, asItem, type Format, formatOf, isData } from '../output/format.ts';
import { growingTable } from '../output/table.ts';
import { eventColumns } from './columns.ts';
import { type AddCommand, countOption, type Run } from './run.ts';

interface EventsOptions {
  follow?: boolean;
  output?: string;
  tail: number;
}

const TAIL = 50;

export const addEvents: AddCommand = (program, use) => {
  program
    .command('events')
    .description('what happened, oldest first')
    .argument('[NAME]', 'of one program; of all without')
    .option('-f, --follow', 'and what happens from now on')
    .option('--tail <N>', 'how many of the last ones', countOption, TAIL)
    .option('-o, --output <FORM>', 'table, json, yaml')
    .action(use(events));
};

async function events(run: Run, word: string | undefined, { follow = false, output, tail }: EventsOptions) {
  const format = formatOf(output, ['table', 'json', 'yaml']);
  const host = await run.host();
  const name = word === undefined ? undefined : (await findProgram(host, word)).program_id;
  const path = name === undefined ? `/events?tail=${tail}` : `/programs/${encodeURIComponent(name)}/events`;
  const print = growingTable(eventColumns(name === undefined, run.io.now), {
    out: run.io.stdout,
    paint: run.paint,
  });
  if (follow) return following(run, name, tail, printer(run, format, print));
  const body = await host.json<{ events: NamedEventBody[] }>(path);
  const shown = tail === 0 ? [] : body.events.slice(-tail);
  if (isData(format)) run.out(asData(name === undefined ? body : { events: shown }, format));
  else if (shown.length === 0) run.say('nothing happened yet');
  else run.out(print(shown));
  return EXIT.ok;
}

type Print = (events: readonly NamedEventBody[]) => void;

function printer(run: Run, format: Format, rows: (events: readonly NamedEventBody[]) => string): Print {
  return (list) => {
    if (isData(format)) for (const one of list) run.out(asItem(one, format));
    else if (list.length > 0) run.out(rows(list));
  };
}

/** The last ones, and then each as it happens: none is left out in between, and none comes twice. */
async function following(run: Run, name: string | undefined, tail: number, print: Print) {
  const host = await run.host();
  /** What came before the last ones were asked for. */
  let shown: Set<string> | undefined;
  for await (const message of followFeed(run.io, host)) {
    if (message.type === 'synced' && shown === undefined) {
      const all = await host.client.events(name);
      const list = tail === 0 ? [] : all.slice(-tail);
      // Those of one program do not say whose they are.
      const named = list.map((one): NamedEventBody => ({ program_id: name ?? '', ...one }));
      print(named);
      shown = new Set(all.map((one) => keyOf({ program_id: name ?? '', ...one })));
    }
    if (message.type !== 'event' || shown === undefined) continue;
    if (name !== undefined && message.data.program_id !== name) continue;
    if (!shown.delete(keyOf(message.data))) print([message.data]);
  }
  return EXIT.ok;
}

function keyOf({ program_id, time, reason, message }: NamedEventBody): string {
  return JSON.stringify([program_id, time, reason, message]);
}
