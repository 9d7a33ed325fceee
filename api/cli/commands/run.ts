import { type Command, InvalidArgumentError } from 'commander';
import { DEFAULT_SERVER } from '../host/address.ts';
import { type Context, contextNamed, readContexts } from '../host/contexts.ts';
import { type Host, openHost } from '../host/host.ts';
import { parseDuration } from '../io/duration.ts';
import { CliError, EXIT, type ExitCode } from '../io/exit.ts';
import type { Io } from '../io/io.ts';
import { type Paint, paintFor } from '../output/paint.ts';

/** What stands before or behind any command. */
export interface GlobalOptions {
  server?: string;
  context?: string;
  color: boolean;
}

/** One call of the command. */
export interface Run {
  io: Io;
  options(): GlobalOptions;
  /** For standard output. */
  paint: Paint;
  /** Writes to standard output. */
  out(text: string): void;
  /** Writes a line to standard error: what is for people and not for a pipe. */
  say(line: string): void;
  /** The host it is for; opened at the first call. */
  host(): Promise<Host>;
  /** The same, where it was opened. */
  opened(): Promise<Host | undefined>;
  /** The context in use. */
  context(): Promise<Partial<Context>>;
  /** Lets go of what was opened. */
  close(): void;
}

/** What adds a command: gets what makes an action of a function that is given the call, and gives its exit code: one of `EXIT`, or a command's own. */
export type AddCommand = (program: Command, use: Use) => void;
export type Use = <A extends unknown[]>(
  act: (run: Run, ...args: A) => Promise<number | undefined>,
) => (...args: A) => Promise<void>;

export function createRun(io: Io, options: () => GlobalOptions): Run {
  let opened: Promise<Host> | undefined;
  const context = async (): Promise<Partial<Context>> => {
    const { context: name } = options();
    const all = await readContexts(io);
    const wanted = name ?? all.current;
    return wanted === '' ? {} : contextNamed(all, wanted);
  };
  const open = async (): Promise<Host> => {
    const { server, context: name } = options();
    if (server !== undefined && name !== undefined)
      throw new CliError(EXIT.usage, '--server and --context do not go together');
    const said = server ?? (name === undefined ? io.env.HERSH_SERVER : undefined);
    const isSaid = said !== undefined && said !== '';
    const { server: known, token } = isSaid ? {} : await context();
    // That of a context goes to the host of the context alone.
    return openHost(io, isSaid ? said : (known ?? DEFAULT_SERVER), io.env.HERSH_TOKEN || token);
  };
  return {
    io,
    options,
    paint: (colour, text) => paintFor(io, io.stdout, options().color)(colour, text),
    out: (text) => io.stdout.write(text),
    say: (line) => io.stderr.write(`${line}\n`),
    context,
    host() {
      opened ??= open();
      return opened;
    },
    opened: async () => opened?.catch(() => undefined),
    close: () =>
      void opened?.then(
        (host) => host.close(),
        () => undefined,
      ),
  };
}

/** For options that say how long. Gives milliseconds. */
export function durationOption(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('Write 90s, 5m or 1h30m.');
  return ms;
}

/** For options that count. */
export function countOption(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Write a whole number.');
  return Number(text);
}

/** The worse of two outcomes, where a command goes on with what comes next. */
export function worse(one: ExitCode, other: ExitCode): ExitCode {
  return one === EXIT.ok ? other : one;
}
