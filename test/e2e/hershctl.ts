import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { ROOT } from '../setup/host-settings.ts';
import { until } from './until.ts';

export interface Said {
  code: number;
  out: string;
  /** Of a terminal, where both streams are one, it is empty. */
  err: string;
}

/** A command that goes on. */
export interface Going {
  child: ChildProcess;
  out(): string;
  err(): string;
  /** Resolves when one of its streams holds that; of a command that ends without it, rejects. */
  shows(pattern: RegExp): Promise<void>;
  ended: Promise<Said>;
}

export interface Hershctl {
  /** In a pipe, with that on standard input. */
  run(...argv: string[]): Promise<Said>;
  start(...argv: string[]): Going;
  /** The same with more in its environment; what is undefined is left out. */
  with(env: Record<string, string | undefined>): Hershctl;
  /** A line of bash in which `hershctl` is the command, and `become` the one that the shell turns into. */
  shell(line: string): Going;
  /** At a terminal of so many columns: what comes there, and what is typed (`child.stdin`). */
  terminal(columns: number, ...argv: string[]): Going;
}

/**
 * `hershctl` as a process of its own, made into one file first: of a hundred calls each would load all sources.
 * @param server the host's address
 * @param home an empty folder: where contexts are kept, and what paths are relative to
 */
export async function hershctlOf(server: string, home: string): Promise<Hershctl> {
  const bin = join(home, '.hershctl.mjs');
  await bundle(bin);
  return inEnvironment(home, bin, {
    ...{ PATH: process.env.PATH, HOME: home, USER: 'ann', LANG: 'C.UTF-8', TERM: 'xterm' },
    HERSH_SERVER: server,
  });
}

async function bundle(outfile: string): Promise<void> {
  const from = JSON.stringify(join(ROOT, 'package.json'));
  await build({
    entryPoints: [join(ROOT, 'api/cli/bin.ts')],
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', outfile, logLevel: 'warning' },
    banner: {
      js: `import { createRequire as requireOf } from 'node:module'; const require = requireOf(${from});`,
    },
    plugins: [{ name: 'places', setup: keepPlaces }],
  });
}

/** What a source reads beside itself is beside that source, and what holds machine code is where it is. */
function keepPlaces({ onLoad, onResolve }: Parameters<Plugin['setup']>[0]): void {
  onLoad({ filter: /\.ts$/ }, async ({ path }) => {
    const text = await readFile(path, 'utf8');
    const contents = text.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href));
    return { contents, loader: 'ts' };
  });
  onResolve({ filter: /^dockerode$/ }, ({ path }) => ({ path: import.meta.resolve(path), external: true }));
}

function inEnvironment(cwd: string, bin: string, env: Record<string, string | undefined>): Hershctl {
  const begin = (command: string, argv: string[]) => going(spawn(command, argv, { cwd, env }));
  const call = quoted([process.execPath, bin]);
  const shell = (line: string) =>
    begin('bash', ['-c', `hershctl() { ${call} "$@"; }; become() { exec ${call} "$@"; }; ${line}`]);
  const start = (...argv: string[]) => begin(process.execPath, [bin, ...argv]);
  return {
    start,
    shell,
    async run(...argv) {
      const call = start(...argv);
      call.child.stdin?.end();
      return call.ended;
    },
    with: (more) => inEnvironment(cwd, bin, { ...env, ...more }),
    // script(1) of util-linux, which is in every Debian, gives the command a terminal.
    terminal: (columns, ...argv) =>
      begin('script', [
        '-qec',
        `stty cols ${columns} rows 24; exec ${quoted([process.execPath, bin, ...argv])}`,
        '/dev/null',
      ]),
  };
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}

function going(child: ChildProcess): Going {
  let [out, err, isEnded] = ['', '', false];
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  // One that ends reads no more.
  child.stdin?.on('error', () => undefined);
  const ended = once(child, 'close').then(([code]) => {
    isEnded = true;
    return { code: Number(code), out, err };
  });
  return {
    ...{ child, ended, out: () => out, err: () => err },
    async shows(pattern) {
      const isThere = () => pattern.test(out) || pattern.test(err);
      await until(
        `it shows ${pattern}`,
        () => isEnded || isThere(),
        () => `${out}\n${err}`,
      );
      if (!isThere()) throw new Error(`it ended without ${pattern}:\n${out}\n${err}`);
    },
  };
}
