import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import type { Readable, Writable } from 'node:stream';

/** No call of git that only looks takes longer on a sound disk; a hung one must not hold the host. */
const RUN_MS_MAX = 20_000;
/** A git that was asked to end and does not is killed after this. */
const END_MS_MAX = 2_000;
/** What a hook leaves running may hold git's output open; git itself has ended, and that is what counts. */
const LINGER_MS_MAX = 200;
/** Paths of 100,000 files fit; more than this is not a registry. */
const OUTPUT_BYTES_MAX = 64 * 2 ** 20;
/** Variables with which whoever starts the host may steer its git; all other GIT_* would point it elsewhere. */
const KEPT = /^GIT_(SSH|SSH_COMMAND|SSL_|ASKPASS|PROXY_|HTTP_|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)$)/;

export interface GitResult {
  /** Exit code; 127 where git could not be started, 124 where it took too long. */
  code: number;
  stdout: string;
  stderr: string;
}

export interface GitRunOptions {
  /** What git reads on its standard input. */
  input?: string;
  /** Instead of the work tree's own index. */
  indexFile?: string;
  env?: Readonly<Record<string, string>>;
  /** Configuration for this call alone. Handed over by environment, so that `ps` does not show it. */
  config?: Readonly<Record<string, string>>;
  /** On the whole. */
  limitMs?: number;
  /** Instead of a limit on the whole: it is ended when it says nothing for this long. */
  silenceMs?: number;
  /** How to read what it says; `latin1` keeps every byte. */
  encoding?: 'utf8' | 'latin1';
}

/** Runs git in one work tree. Never rejects: what went wrong is in the result. */
export type GitRun = (args: readonly string[], options?: GitRunOptions) => Promise<GitResult>;

/**
 * git as a child process: it asks nobody anything, speaks English, takes paths literally, takes no locks for
 * mere looking, and never finds a repository above `top` when the one in it is gone.
 * @param root where it runs
 * @param end ends what is at work, and lets nothing begin
 */
export function createGitRun(root: string, end?: AbortSignal, top: string = root): GitRun {
  return (args, options = {}) =>
    new Promise((resolve) => {
      if (end?.aborted === true) {
        resolve({ code: 124, stdout: '', stderr: 'the host ends' });
        return;
      }
      // A session of its own: no terminal to prompt on, and Ctrl-C at the host does not cut a commit in two.
      const child = spawn('git', ['-C', root, ...args], {
        env: environment(top, options),
        detached: true,
        // Who is told nothing may have ended before an end could be written.
        stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      }) as ChildProcessByStdio<Writable | null, Readable, Readable>;
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      let bytes = 0;
      let code: number | undefined;
      const timers: NodeJS.Timeout[] = [];
      const later = (ms: number, run: () => void) => timers.push(setTimeout(run, ms));
      const stop = (why: number) => {
        code ??= why;
        signal(child.pid, 'SIGTERM');
        later(END_MS_MAX, () => signal(child.pid, 'SIGKILL'));
      };
      const begin = () => setTimeout(() => stop(124), options.silenceMs ?? options.limitMs ?? RUN_MS_MAX);
      let limit = begin();
      const hostEnds = () => stop(124);
      end?.addEventListener('abort', hostEnds, { once: true });
      const gather = (into: Buffer[]) => (chunk: Buffer) => {
        bytes += chunk.length;
        if (options.silenceMs !== undefined && code === undefined) {
          clearTimeout(limit);
          limit = begin();
        }
        if (bytes > OUTPUT_BYTES_MAX) stop(125);
        else into.push(chunk);
      };
      child.stdout.on('data', gather(out));
      child.stderr.on('data', gather(err));
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(options.input);
      const done = (exit: number, words = '') => {
        for (const timer of [...timers, limit]) clearTimeout(timer);
        end?.removeEventListener('abort', hostEnds);
        child.stdout.destroy();
        child.stderr.destroy();
        const stderr = words || Buffer.concat(err).toString('utf8');
        resolve({ code: code ?? exit, stdout: Buffer.concat(out).toString(options.encoding), stderr });
      };
      child.on('error', (error) => done(127, error.message));
      const ended = (exit: number | null) => done(exit ?? 1, code === 124 ? whyEnded(options) : '');
      child.on('close', ended);
      child.on('exit', (exit) => later(LINGER_MS_MAX, () => ended(exit)));
    });
}

function whyEnded({ silenceMs }: GitRunOptions): string {
  if (silenceMs === undefined) return 'it took too long and was ended';
  return `it said nothing for ${Math.round(silenceMs / 1000)} s and was ended`;
}

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // It ended meanwhile.
  }
}

function environment(top: string, options: GitRunOptions): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('HERSH_') && (!name.startsWith('GIT_') || KEPT.test(name)),
  );
  const config = Object.entries(options.config ?? {}).flatMap(([key, value], at): [string, string][] => [
    [`GIT_CONFIG_KEY_${at}`, key],
    [`GIT_CONFIG_VALUE_${at}`, value],
  ]);
  return {
    ...Object.fromEntries(kept),
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_EDITOR: 'true',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_CEILING_DIRECTORIES: ceilings(top),
    ...(options.indexFile === undefined ? {} : { GIT_INDEX_FILE: options.indexFile }),
    ...Object.fromEntries(config),
    ...(config.length === 0 ? {} : { GIT_CONFIG_COUNT: String(config.length / 2) }),
    ...options.env,
  };
}

/** The folders above the top, also above what a link leads to. */
function ceilings(root: string): string {
  if (root === '/') return '';
  try {
    return [dirname(root), dirname(realpathSync(root))].join(delimiter);
  } catch {
    return dirname(root);
  }
}

/** How far git has come, which it says again and again. */
const PROGRESS = /^(remote: )?[A-Z][a-z]+ing [a-z]+: +\d/;

/** The last lines of what git said, short enough for a message. */
export function wordsOf({ stderr, stdout }: GitResult): string {
  const lines = `${stdout}\n${stderr}`.split(/[\n\r]/).map((line) => line.trim());
  const said = lines.filter((line) => line !== '' && !line.startsWith('hint:') && !PROGRESS.test(line));
  // What a line announces or completes is followed by no semicolon.
  const words = said
    .slice(-8)
    .join('; ')
    .replaceAll(/([:.]); /g, '$1 ');
  return words.slice(0, 600) || 'it gave no reason';
}
