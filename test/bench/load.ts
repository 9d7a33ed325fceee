import { createRequire } from 'node:module';
import { aptInstall } from '../setup/apt.ts';
import { findCommand, runCommand } from '../setup/command.ts';
import type { Say } from '../setup/say.ts';

const CONNECTIONS = 16;
/** Whole seconds; the least that autocannon takes. */
const SECONDS = 1;

/**
 * Asks for a URL as often as it can for a second, over 16 connections, from a process of its own: the
 * generator shares no event loop with anything that is measured. Gives answers a second. Throws on an answer
 * that is not 2xx, since a refusal is quick and would flatter.
 */
export async function requestsPerSecond(url: string): Promise<number> {
  const script = createRequire(import.meta.url).resolve('autocannon');
  const flags = ['--connections', CONNECTIONS, '--duration', SECONDS, '--json', '--no-progress'].map(String);
  const { code, output } = await runCommand([process.execPath, script, ...flags, url], {
    // A word to say when it hangs; its own limit is the duration.
    timeout: (SECONDS + 20) * 1000,
  });
  const json = output.split('\n').find((line) => line.startsWith('{'));
  if (code !== 0 || json === undefined) throw new Error(`autocannon failed on ${url}:\n${output}`);
  const result = JSON.parse(json) as LoadResult;
  const failed = result.non2xx + result.errors + result.timeouts;
  if (failed > 0 || result['2xx'] === 0) {
    throw new Error(`${url}: ${result['2xx']} answers, ${failed} of the requests failed`);
  }
  return result['2xx'] / result.duration;
}

interface LoadResult {
  '2xx': number;
  non2xx: number;
  errors: number;
  timeouts: number;
  /** Seconds. */
  duration: number;
}

/** Has Debian's `wrk` brought where it is missing: it asks for a tenth of what it costs to answer. */
export async function ensureWrk(say: Say): Promise<void> {
  if (!findCommand('wrk')) await aptInstall(say, 'the measurement of the proxy', ['wrk']);
}

/** As `requestsPerSecond`, by `wrk`, over so many connections that are kept. @param headers `Name: value` each */
export async function wrkRate(
  url: string,
  connections: number,
  headers: readonly string[] = [],
): Promise<number> {
  const argv = [
    'wrk',
    '--threads',
    '1',
    '--connections',
    String(connections),
    '--duration',
    `${SECONDS}s`,
    ...headers.flatMap((header) => ['--header', header]),
    url,
  ];
  const { code, output } = await runCommand(argv, { timeout: (SECONDS + 20) * 1000 });
  const rate = Number(/^Requests\/sec:\s+([\d.]+)$/m.exec(output)?.[1]);
  if (code !== 0 || !(rate > 0) || /Non-2xx|Socket errors/.test(output)) {
    throw new Error(`wrk failed on ${url}:\n${output}`);
  }
  return rate;
}
