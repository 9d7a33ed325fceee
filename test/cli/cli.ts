import { setMaxListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { CLOSED, type Io, type Out } from '../../api/cli/io/io.ts';
import { run } from '../../api/cli/main.ts';
import type { ProgramView } from '../../api/program-answers.ts';
import { CREATED_AT } from '../api/fake-view.ts';
import type { FakeHost } from '../api/fakes.ts';
import { serve } from '../api/socket.ts';
import { until } from '../api/until.ts';

export interface Ended {
  code: number;
  out: string;
  err: string;
}

export interface CallOptions {
  /** Width of the terminal that all three streams are; left out, they are pipes. */
  columns?: number;
  /** What comes on standard input; left out, nothing comes, and at a terminal it stays open. */
  input?: string;
  env?: Record<string, string>;
  /** What asks the host in place of the real one. */
  fetch?: Io['fetch'];
}

export interface Cli {
  host: FakeHost;
  port: number;
  /** A folder of the test's own: what paths are relative to, and the home. */
  dir: string;
  /** Addresses that a browser was asked to show. */
  launched: string[];
  run(...argv: string[]): Promise<Ended>;
  call(options: CallOptions, ...argv: string[]): Promise<Ended>;
  /** The same for a command that goes on. */
  start(options: CallOptions, ...argv: string[]): Started;
}

export interface Started {
  out(): string;
  err(): string;
  /** Resolves when the output holds that; of a command that ends without it, rejects. */
  shows(text: string): Promise<void>;
  /** Ctrl-C. */
  interrupt(): void;
  /** All that is waited for longer than a second is over. */
  passTime(): void;
  /** Nobody reads the output any more. */
  closeOutput(): void;
  ended: Promise<Ended>;
}

/** `hershctl` against the real API over a fake host with these programs. */
export async function cli(
  t: TestContext,
  views: readonly ProgramView[] = [],
  options: Parameters<typeof serve>[2] = {},
): Promise<Cli> {
  const { host, port } = await serve(t, views, options);
  const dir = await mkdtemp(join(tmpdir(), 'hershctl-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const launched: string[] = [];
  const server = `http://127.0.0.1:${port}`;

  const start = (options: CallOptions, ...argv: string[]): Started => {
    const abort = new AbortController();
    setMaxListeners(0, abort.signal);
    const [out, err]: [string[], string[]] = [[], []];
    const isTTY = options.columns !== undefined;
    const long = new Set<() => void>();
    const to = (parts: string[]): Out => ({
      write: (text) => void parts.push(text),
      pass: async (bytes) => void parts.push(Buffer.from(bytes).toString('utf8')),
      isTTY,
      columns: options.columns ?? 80,
    });
    const io: Io = {
      stdout: to(out),
      stderr: to(err),
      stdin: Object.assign(input(options.input, isTTY), { isTTY }),
      env: { HOME: dir, PATH: process.env.PATH ?? '', HERSH_SERVER: server, ...options.env },
      cwd: dir,
      now: () => Date.parse(CREATED_AT) + 3_600_000,
      delay: (ms, signal) => delay(ms, signal, long),
      signal: abort.signal,
      fetch: options.fetch ?? ((url, init) => fetch(url, init)),
      launch: (url) => void launched.push(url),
    };
    let isEnded = false;
    const ended = run(argv, io).then((code) => {
      isEnded = true;
      // What it still waits for would keep the process, however quickly it has said what it has to say.
      if (long.size > 0 && !abort.signal.aborted)
        throw new Error(`hershctl ${argv.join(' ')} has ended and waits`);
      return { code, out: out.join(''), err: err.join('') };
    });
    return {
      out: () => out.join(''),
      err: () => err.join(''),
      async shows(text) {
        const all = () => out.join('') + err.join('');
        await until(() => isEnded || all().includes(text));
        if (!all().includes(text)) throw new Error(`it ended without ${JSON.stringify(text)}:\n${all()}`);
      },
      interrupt: () => abort.abort(new Error('interrupted')),
      passTime: () => {
        for (const end of long) end();
      },
      closeOutput: () => abort.abort(CLOSED),
      ended,
    };
  };
  const call = (options: CallOptions, ...argv: string[]) => start(options, ...argv).ended;
  return { host, port, dir, launched, call, start, run: (...argv) => call({}, ...argv) };
}

const SHORT_MS = 1_000;

/** Short ones are over at once; others when time passes. */
function delay(ms: number, signal: AbortSignal, long: Set<() => void>): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      long.delete(end);
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
    if (ms <= SHORT_MS) setTimeout(end, 1);
    else long.add(end);
  });
}

async function* input(text: string | undefined, isTTY: boolean): AsyncGenerator<string> {
  if (text !== undefined) yield text;
  else if (isTTY) await new Promise(() => undefined);
}
