import { tokenIdOf } from '../../../schemas/token.ts';
import { parseAddress } from '../host/address.ts';
import { type Context, contextNamed, readContexts, writeContexts } from '../host/contexts.ts';
import { CliError, EXIT } from '../io/exit.ts';
import { readTexts } from '../io/files.ts';
import { type Column, table } from '../output/table.ts';
import type { AddCommand, Run } from './run.ts';

interface SetOptions {
  user?: string;
  token?: string;
}

interface Row extends Context {
  name: string;
  isCurrent: boolean;
}

const COLUMNS: Column<Row>[] = [
  { head: 'CURRENT', text: ({ isCurrent }) => (isCurrent ? '*' : '') },
  { head: 'NAME', text: ({ name }) => name },
  { head: 'SERVER', text: ({ server }) => server },
  { head: 'USER', spare: 1, text: ({ user }) => user ?? '' },
  { head: 'TOKEN', spare: 1, text: ({ token }) => (token === undefined ? '' : 'yes') },
];

export const addContext: AddCommand = (program, use) => {
  const context = program.command('context').description('hosts by names of your own');
  context.command('list').description('show them').action(use(list));
  context.command('use').description('ask that one from now on').argument('<NAME>').action(use(useContext));
  context
    .command('set')
    .description('make or change one; the global --server says where it is')
    .argument('<NAME>')
    .option('--user <USER>', 'whose programs a deploy there makes')
    .option('--token <FILE>', 'holds the token that it asks for; - reads standard input')
    .action(use((run: Run, name: string, options: SetOptions) => set(run, name, options)));
  context.command('delete').description('forget one').argument('<NAME>').action(use(forget));
};

async function list(run: Run) {
  const { current, contexts } = await readContexts(run.io);
  const rows = Object.entries(contexts).map(([name, one]) => ({ ...one, name, isCurrent: name === current }));
  if (rows.length === 0) run.say('there are no contexts: hershctl context set NAME --server URL makes one');
  else run.out(table(COLUMNS, rows, { out: run.io.stdout, paint: run.paint }));
  return EXIT.ok;
}

async function useContext(run: Run, name: string) {
  const all = await readContexts(run.io);
  const { server } = contextNamed(all, name);
  await writeContexts(run.io, { ...all, current: name });
  run.out(`${name} (${server}) is asked from now on\n`);
  return EXIT.ok;
}

async function set(run: Run, name: string, { user, token: file }: SetOptions) {
  const all = await readContexts(run.io);
  const before = Object.hasOwn(all.contexts, name) ? all.contexts[name] : undefined;
  const server = run.options().server ?? before?.server;
  if (server === undefined)
    throw new CliError(EXIT.usage, 'where is it?', `hershctl context set ${name} --server URL`);
  parseAddress(server);
  const token = file === undefined ? undefined : await tokenIn(run, file);
  // One for another host is not for this one.
  const { token: kept, ...others } = before ?? {};
  const next: Context = {
    ...others,
    ...(before?.server === server && kept !== undefined && { token: kept }),
    server,
    ...(user !== undefined && { user }),
    ...(token !== undefined && { token }),
  };
  // The first is the one in use.
  const current = all.current === '' ? name : all.current;
  await writeContexts(run.io, { current, contexts: { ...all.contexts, [name]: next } });
  run.out(`${name} is ${server}\n`);
  return EXIT.ok;
}

/** Not of the command line, which everybody on a machine can read. */
async function tokenIn({ io }: Run, file: string): Promise<string> {
  const [first, ...others] = await readTexts(io, file);
  const token = first?.text.trim() ?? '';
  if (others.length === 0 && tokenIdOf(token) !== undefined) return token;
  throw new CliError(EXIT.usage, `${file} holds no token`, 'hershctl token create makes one.');
}

async function forget(run: Run, name: string) {
  const all = await readContexts(run.io);
  contextNamed(all, name);
  const { [name]: _, ...contexts } = all.contexts;
  await writeContexts(run.io, { current: all.current === name ? '' : all.current, contexts });
  run.out(`${name} is forgotten\n`);
  return EXIT.ok;
}
