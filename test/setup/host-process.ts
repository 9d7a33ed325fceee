import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetch, type Response } from 'undici';
import { lastLines } from './command.ts';
import { type HostSettings, ROOT } from './host-settings.ts';
import { dim, type Say, SetupError } from './say.ts';

const READY_MS_MAX = 60_000;
/** The host promises to end within 5 s of SIGTERM. */
const STOP_MS_MAX = 6_000;
const LOG_LINES_KEPT = 200;

/** A host that we started, and that ends with us. */
export interface HostProcess {
  pid: number;
  /** Resolves with its exit code, when it has ended for whatever reason. */
  ended: Promise<number>;
  /** From now on its log goes to our output. */
  showLog(): void;
  stop(): Promise<void>;
}

export type Occupant = 'nobody' | 'our-host' | 'other-host' | 'stranger';

/** Who answers on the host's port, and whether it serves our registry. */
export async function whoAnswers(settings: HostSettings): Promise<Occupant> {
  let response: Response;
  try {
    // No kept connection: one whose host has just ended would look like a stranger's.
    const headers = { connection: 'close' };
    response = await fetch(`${settings.url}/healthz`, { headers, signal: AbortSignal.timeout(5_000) });
  } catch (error) {
    const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
    return code === 'ECONNREFUSED' ? 'nobody' : 'stranger';
  }
  const type = response.headers.get('content-type') ?? '';
  await response.text().catch(() => '');
  if (!response.ok || !type.includes('json')) return 'stranger';
  return registryIsServed(settings) ? 'our-host' : 'other-host';
}

/** Whether a live process holds a lock of the registry. */
function registryIsServed(settings: HostSettings): boolean {
  const folder = join(settings.registry, 'data', 'locks');
  try {
    return readdirSync(folder).some((name) => {
      const { pid } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { pid?: number };
      return pid !== undefined && process.kill(pid, 0);
    });
  } catch {
    return false;
  }
}

/** Starts the host and waits until it is ready. Throws SetupError, with the end of its log, when it is not to be. */
export async function startHost(say: Say, settings: HostSettings): Promise<HostProcess> {
  const start = join(ROOT, 'controller', 'start.mjs');
  const child = spawn(process.execPath, [start], {
    cwd: ROOT,
    // Named: a checkout's own registry/ is none that a host takes by itself.
    env: { ...process.env, HERSH_REGISTRY: settings.registry },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: Ctrl-C reaches us alone, and we tell it once. Twice would mean "at once".
    detached: true,
  });
  const host = track(child);
  let nextWord = Date.now() + 5_000;
  for (const deadline = Date.now() + READY_MS_MAX; ; await sleep(100)) {
    const problem = await whyNotReady(settings);
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new SetupError(`The host ended at once. Its log:\n${host.log()}`);
    }
    if (problem === undefined) return host;
    if (Date.now() > deadline) {
      await host.stop();
      throw new SetupError(`The host is not ready after ${READY_MS_MAX / 1000} s: ${problem}\n${host.log()}`);
    }
    if (Date.now() > nextWord) {
      say(`Waiting for the host: ${problem}`);
      nextWord += 5_000;
    }
  }
}

async function whyNotReady(settings: HostSettings): Promise<string | undefined> {
  try {
    const response = await fetch(`${settings.url}/readyz`, { signal: AbortSignal.timeout(5_000) });
    const text = await response.text();
    if (response.ok) return undefined;
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return 'it does not answer yet';
  }
}

function track(child: ChildProcess): HostProcess & { log(): string } {
  const kept: string[] = [];
  let shown = false;
  const take = (piece: Buffer) => {
    for (const line of piece.toString().split('\n')) {
      if (line.trim() === '') continue;
      const text = readable(line);
      if (shown) console.log(dim(text));
      else kept.push(text);
      if (kept.length > LOG_LINES_KEPT) kept.shift();
    }
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  const ended = new Promise<number>((resolve) => {
    child.on('error', () => resolve(127));
    child.on('exit', (code) => resolve(code ?? 1));
  });
  return {
    pid: child.pid ?? 0,
    ended,
    log: () => lastLines(kept.join('\n'), 25),
    showLog() {
      shown = true;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const late = sleep(STOP_MS_MAX, 'late', { ref: false });
      if ((await Promise.race([ended, late])) === 'late') child.kill('SIGKILL');
      await ended;
    },
  };
}

/** A line of the host's JSON log as a person reads it; any other line as it is. */
function readable(line: string): string {
  try {
    const { time, level, msg, program } = JSON.parse(line) as Record<string, unknown>;
    const word =
      typeof level === 'number' ? (level >= 50 ? 'ERROR' : level >= 40 ? 'WARN ' : 'info ') : level;
    const when = new Date(time as number | string).toISOString().slice(11, 19);
    return `${when} ${word} ${msg}${program ? ` (${program})` : ''}`;
  } catch {
    return line;
  }
}
