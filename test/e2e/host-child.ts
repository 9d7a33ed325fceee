import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { ROOT } from '../setup/host-settings.ts';
import { until } from './until.ts';

export interface LogLine {
  level?: number;
  msg?: string;
  [field: string]: unknown;
}

/** One run of the real host process, as `npm start` runs it. */
export interface HostChild {
  pid: number;
  /** Lines of its JSON log so far; one that is no JSON is `{msg: line}`. */
  log(): LogLine[];
  stdout(): string;
  stderr(): string;
  /** Exit code, or 128 + the signal's number. */
  ended: Promise<number>;
  hasEnded(): boolean;
  signal(signal: NodeJS.Signals): void;
  /** Where its API listens. Rejects, with its output, when it ends before it is up. */
  url(): Promise<string>;
}

const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = { SIGKILL: 9, SIGTERM: 15, SIGINT: 2 };

/**
 * @param env beside the test's own environment, from which all `HERSH_*` are taken out; `DOCKER_HOST` stays
 * @param inside a command before the host's own, which becomes it
 */
export function spawnHost(
  args: readonly string[],
  env: Record<string, string> = {},
  inside: readonly string[] = [],
): HostChild {
  const own = Object.entries(process.env).filter(
    ([key]) => !key.startsWith('HERSH_') && key !== 'NODE_TEST_CONTEXT',
  );
  const [command = '', ...argv] = [...inside, process.execPath, 'controller/start.mjs', ...args];
  const child = spawn(command, argv, {
    cwd: ROOT,
    env: { ...Object.fromEntries(own), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      out[name] += text;
    });
  }
  const ended = endOf(child);
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const log = () => parseLog(out.stdout);
  return {
    pid: child.pid ?? 0,
    log,
    stdout: () => out.stdout,
    stderr: () => out.stderr,
    ended,
    hasEnded,
    signal: (signal) => void child.kill(signal),
    url: () =>
      until('the host is up', () => {
        const url = log().find(({ msg }) => msg === 'Hersh Host is up')?.url;
        if (url === undefined && hasEnded())
          throw new Error(`the host ended at once:\n${out.stdout}${out.stderr}`);
        return typeof url === 'string' ? url : undefined;
      }),
  };
}

async function endOf(child: ChildProcess): Promise<number> {
  // `close` comes when both streams are read to their end, so that nothing said last is missed.
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return code ?? 128 + (SIGNAL_NUMBERS[signal ?? 'SIGKILL'] ?? 0);
}

function parseLog(text: string): LogLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      try {
        return JSON.parse(line) as LogLine;
      } catch {
        return { msg: line };
      }
    });
}
