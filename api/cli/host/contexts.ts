import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { isAbsent, messageOf } from '../../../schemas/errors.ts';
import { isRecord } from '../../../schemas/is-record.ts';
import { CliError, EXIT } from '../io/exit.ts';
import type { Io } from '../io/io.ts';

/** A host by a name of one's own. */
export interface Context {
  server: string;
  /** The `user_id` of programs that are deployed there; left out, the one who is logged in. */
  user?: string;
  /** What the host asks for, where it does. */
  token?: string;
}

export interface Contexts {
  /** The one that is used; `""` for none. */
  current: string;
  contexts: Record<string, Context>;
}

/** `~/.config/hersh/config.yaml`, or as `XDG_CONFIG_HOME` has it. */
export function contextsFile({ env }: Pick<Io, 'env'>): string {
  const home = env.HOME ?? homedir();
  const config = env.XDG_CONFIG_HOME;
  return join(config === undefined || config === '' ? join(home, '.config') : config, 'hersh', 'config.yaml');
}

/** Where there is no file there are none. Rejects `CliError` for one that can not be used. */
export async function readContexts(io: Pick<Io, 'env'>): Promise<Contexts> {
  const path = contextsFile(io);
  const none: Contexts = { current: '', contexts: {} };
  try {
    const text = await readFile(path, 'utf8');
    const data: unknown = parse(text) ?? {};
    if (!isRecord(data)) throw new Error('it is no mapping');
    const entries = Object.entries(isRecord(data.contexts) ? data.contexts : {});
    const contexts = Object.fromEntries(entries.map(([name, value]) => [name, contextOf(name, value)]));
    return { current: typeof data.current === 'string' ? data.current : '', contexts };
  } catch (error) {
    if (isAbsent(error)) return none;
    throw new CliError(EXIT.usage, `${path} can not be used: ${messageOf(error)}`, 'Mend or remove it.');
  }
}

function contextOf(name: string, value: unknown): Context {
  if (!isRecord(value) || typeof value.server !== 'string') throw new Error(`${name} has no server`);
  return {
    server: value.server,
    ...(typeof value.user === 'string' && { user: value.user }),
    ...(typeof value.token === 'string' && { token: value.token }),
  };
}

/** Whole, or not at all. */
export async function writeContexts(io: Pick<Io, 'env'>, contexts: Contexts): Promise<void> {
  const path = contextsFile(io);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, stringify(contexts), { mode: 0o600 });
  await rename(temporary, path);
}

/** The one of that name. Throws `CliError`. */
export function contextNamed({ contexts }: Contexts, name: string): Context {
  const context = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (context !== undefined) return context;
  const known = Object.keys(contexts);
  const hint =
    known.length === 0
      ? 'hershctl context set NAME --server URL makes one.'
      : `There are ${known.join(', ')}.`;
  throw new CliError(EXIT.notFound, `there is no context ${JSON.stringify(name)}`, hint);
}
