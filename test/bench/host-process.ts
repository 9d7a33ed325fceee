import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetch } from 'undici';
import { lastLines } from '../setup/command.ts';
import { HostClient } from '../setup/host-client.ts';
import { ROOT } from '../setup/host-settings.ts';
import { until } from './poll.ts';
import { askForStall, watchedEnvironment } from './stall-watch.ts';

const LOG_LINES_MAX = 5_000;
/** It promises to end within 5 s of SIGTERM. */
const STOP_MS_MAX = 6_000;

export interface HostOptions {
  instance: string;
  /** Host ports of its programs, `first-last`. */
  portRange: string;
  /** A registry that is somebody else's to remove; by default the host gets a new one of its own. */
  registry?: string;
  /** Whose sources it runs; by default these. */
  checkout?: string;
  /** Called with the registry's folder before the host starts. */
  fill?: (registry: string) => void;
  /** Further flags, by name without dashes. */
  flags?: Readonly<Record<string, string>>;
  /** Whether its event loop is watched, for `longestStall`. */
  watched?: boolean;
}

/** A real host in a process of its own, ready to work. */
export interface BenchHost {
  registry: string;
  pid: number;
  /** Milliseconds from the start of its process until /readyz answered 200. */
  readyMs: number;
  client: HostClient;
  /** For how long at most its event loop came to nothing since this was asked last, in milliseconds, 5 too many at most. */
  longestStall(): Promise<number>;
  /** What it logged so far, one JSON document a line. */
  log(): string;
  /** Ends it, and removes a registry of its own. Programs stay: the benchmark removes them by name. */
  stop(): Promise<void>;
}

/** Throws, with the end of its log, where it does not become ready. */
export async function startBenchHost({ instance, portRange, ...given }: HostOptions): Promise<BenchHost> {
  const registry = given.registry ?? mkdtempSync(join(tmpdir(), 'hersh-bench-'));
  given.fill?.(registry);
  const flags = {
    registry,
    instance,
    port: '0',
    'port-range': portRange,
    runtime: 'runc',
    'log-level': 'info',
    ...given.flags,
  };
  const argv = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  const from = performance.now();
  const { checkout = ROOT } = given;
  const child = spawn(process.execPath, [...entryOf(checkout), ...argv], {
    cwd: checkout,
    ...(given.watched === true && { env: watchedEnvironment() }),
    stdio: ['ignore', 'pipe', 'pipe', given.watched === true ? 'ipc' : 'ignore'],
    // Ctrl-C reaches the benchmark alone, which then ends its hosts in good order.
    detached: true,
  });
  const lines = keepLines(child);
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    await ended;
    clearTimeout(kill);
    if (given.registry === undefined) rmSync(registry, { recursive: true, force: true });
  };
  try {
    let url = '';
    await until('the host is ready', async () => {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error('the host ended');
      url ||= urlIn(lines);
      return url !== '' && (await isReady(url));
    });
    const readyMs = performance.now() - from;
    const { pid = 0 } = child;
    const longestStall = () => askForStall(child);
    return {
      ...{ registry, pid, readyMs, client: new HostClient(url), longestStall, stop },
      log: () => lines.join('\n'),
    };
  } catch (error) {
    await stop();
    throw new Error(`${(error as Error).message}. Its log:\n${lastLines(lines.join('\n'), 20)}`);
  }
}

/** How a host is started there: older ones had no `start.mjs`. */
function entryOf(checkout: string): string[] {
  const start = join(checkout, 'controller', 'start.mjs');
  return existsSync(start) ? [start] : ['--import', 'tsx', join(checkout, 'controller', 'main.ts')];
}

function keepLines(child: ChildProcess): string[] {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (piece: string) => {
      const parts = (rest + piece).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
      if (lines.length > LOG_LINES_MAX) lines.splice(0, lines.length - LOG_LINES_MAX);
    });
  }
  return lines;
}

/** The host takes any free port and says which. */
function urlIn(lines: readonly string[]): string {
  for (const line of lines) {
    try {
      const { url } = JSON.parse(line) as { url?: unknown };
      if (typeof url === 'string') return url;
    } catch {
      // Not a line of its log: a warning of Node's.
    }
  }
  return '';
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`);
    await response.text();
    return response.ok;
  } catch {
    return false;
  }
}
