import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';

/** What became of one request. */
export interface Told {
  ok: boolean;
  /** From when it was sent until its answer was whole, in milliseconds. */
  ms: number;
  /** When it ended, in milliseconds of `performance.now()`. */
  endedMs: number;
  /** The status, or the error's code. */
  what: string;
  text: string;
}

/** No client waits as long as the proxy may let it. */
const CLIENT_MS_MAX = 60_000;

/** Asks once; an answer that is not 2xx is a failure as any other. `once`: over a connection of its own. */
export async function ask(agent: Agent, method: 'GET' | 'POST', url: string, once = false): Promise<Told> {
  const from = performance.now();
  const told = (ok: boolean, what: string, text = ''): Told => {
    const endedMs = performance.now();
    return { ok, what, text, endedMs, ms: endedMs - from };
  };
  try {
    const { statusCode, body } = await request(url, { method, dispatcher: agent, reset: once });
    return told(statusCode >= 200 && statusCode < 300, String(statusCode), await body.text());
  } catch (error) {
    return told(false, (error as { code?: string }).code ?? String(error));
  }
}

export function clientAgent(): Agent {
  return new Agent({ headersTimeout: CLIENT_MS_MAX, bodyTimeout: CLIENT_MS_MAX });
}

/**
 * Sends at an even rate, whether or not those before have been answered, until it is over; gives what became of
 * each, in order.
 */
export async function evenly(
  everyMs: number,
  isOver: (sent: number) => boolean,
  send: (index: number) => Promise<Told>,
): Promise<Told[]> {
  const from = performance.now();
  const sent: Promise<Told>[] = [];
  while (!isOver(sent.length)) {
    sent.push(send(sent.length));
    await sleep(Math.max(0, from + sent.length * everyMs - performance.now()));
  }
  return Promise.all(sent);
}

/** The longest time between two answers that were as they should be, in milliseconds. */
export function gapMs(all: readonly Told[]): number {
  const ends = all
    .filter(({ ok }) => ok)
    .map(({ endedMs }) => endedMs)
    .sort((a, b) => a - b);
  return Math.max(0, ...ends.slice(1).map((end, index) => end - (ends[index] ?? end)));
}
