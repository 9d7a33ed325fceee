import type { Bench } from './bench.ts';
import type { EngineEvents } from './engine-events.ts';
import { serverSpec } from './healing.ts';
import type { BenchHost } from './host-process.ts';
import { until } from './poll.ts';
import { type ProgramAnswer, writeManifest } from './programs.ts';

/** Hundreds of starts take most of a minute, more where the machine has other work. */
const LIMIT_MS = 600_000;

/** When the engine told of the last start, or end, of all of them, by `performance.now()`. Ask before causing it. */
export async function lastOf(
  events: EngineEvents,
  names: readonly string[],
  action: 'start' | 'destroy',
): Promise<number> {
  const times = await Promise.all(names.map((name) => events.next(name, action, LIMIT_MS)));
  return Math.max(...times);
}

/** A manifest for each name at once, by hand. @param env in YAML */
export async function writeFleet(
  bench: Bench,
  registry: string,
  names: readonly string[],
  env?: string,
): Promise<void> {
  await Promise.all(names.map((name) => writeManifest(registry, name, serverSpec(bench, env))));
}

/** Follows all programs of a host until each is as asked. */
export async function untilAll(
  host: BenchHost,
  what: string,
  count: number,
  is: (program: ProgramAnswer) => boolean,
): Promise<void> {
  let reached = 0;
  const ask = async () => {
    const { programs } = await host.client.json<{ programs: ProgramAnswer[] }>('GET', '/programs');
    reached = programs.filter(is).length;
    return reached >= count;
  };
  await until(`${count} programs ${what}`, ask, () => `; ${reached} did`, {
    everyMs: 200,
    limitMs: LIMIT_MS,
  });
}

/** Deletes them and waits until their containers are gone. */
export async function removeFleet(
  host: BenchHost,
  events: EngineEvents,
  names: readonly string[],
): Promise<void> {
  const gone = lastOf(events, names, 'destroy');
  for (const name of names) await host.client.json('DELETE', `/programs/${name}`);
  await gone;
}

export function fleetNames(prefix: string, size: number): string[] {
  return Array.from({ length: size }, (_, index) => `${prefix}-${index + 1}`);
}
