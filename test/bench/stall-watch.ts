import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { inTime } from './poll.ts';

const PROBE = new URL('stall-probe.mjs', import.meta.url);

/** Of a process that has a channel to its parent: has its event loop watched from the first line on. */
export function watchedEnvironment(): NodeJS.ProcessEnv {
  const given = process.env.NODE_OPTIONS ?? '';
  return { ...process.env, NODE_OPTIONS: `${given} --import=${PROBE.href}`.trim() };
}

/** The longest time since it was asked last, in milliseconds. Rejects where the process is not watched, or is gone. */
export async function askForStall(child: ChildProcess): Promise<number> {
  if (!child.connected) throw new Error('the event loop of this process is not watched');
  const said = once(child, 'message');
  child.send('longest');
  const [ms] = await inTime('a host told of its event loop', said);
  return Number(ms);
}
