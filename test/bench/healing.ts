import type Docker from 'dockerode';
import { request } from 'undici';
import { answers } from './answers.ts';
import type { Bench } from './bench.ts';
import type { EngineEvents } from './engine-events.ts';
import type { BenchHost } from './host-process.ts';
import { until } from './poll.ts';
import { inspectProgram, type ProgramAnswer, removeProgram, untilState, writeManifest } from './programs.ts';

/** Small, since hundreds run at a time; the test server needs no more. */
export const MEMORY = '16Mi';

/**
 * Has the program behind a published port exit by itself, and asks until it answers again: milliseconds from the
 * crash on. Whoever is to bring it back is not told.
 */
export async function crashAndHeal(port: number): Promise<number> {
  const from = performance.now();
  const { body } = await request(`http://127.0.0.1:${port}/crash`, { method: 'POST', reset: true });
  await body.dump().catch(() => {});
  await until(`port ${port} falls silent after a crash`, async () => !(await answers(port)));
  await until(`port ${port} answers again after a crash`, () => answers(port));
  return performance.now() - from;
}

/** The same for who begins to ask when the engine has told that it runs again: nothing else asks meanwhile. */
export async function crashAndAskFromStart(
  port: number,
  name: string,
  events: EngineEvents,
): Promise<number> {
  const started = events.next(name, 'start');
  const from = performance.now();
  const { body } = await request(`http://127.0.0.1:${port}/crash`, { method: 'POST', reset: true });
  await body.dump().catch(() => {});
  await started;
  await until(`port ${port} answers again after a crash`, () => answers(port));
  return performance.now() - from;
}

/** How a crash is seen: by a client that asks and asks, or from the engine's `start` event on. */
export type Seen = 'asking' | 'start';

/** The time to heal of a new program of the host's, which crashes for the first time: only then no back-off waits. */
export async function healNewProgram(
  bench: Bench,
  host: BenchHost,
  events: EngineEvents,
  name: string,
  seen: Seen = 'asking',
): Promise<number> {
  const { proxy_url: url } = await startServer(bench, host, events, name);
  const port = Number(new URL(url).port);
  const ms = await (seen === 'start' ? crashAndAskFromStart(port, name, events) : crashAndHeal(port));
  const { restart_count: restarts } = await untilState(host, name, 'Ready');
  if (restarts !== 1) throw new Error(`${name} was restarted ${restarts} times after one crash`);
  await removeProgram(host, events, name);
  return ms;
}

/** The container of a program of the host's, for others to be made like it. */
export async function modelOf(
  bench: Bench,
  host: BenchHost,
  events: EngineEvents,
): Promise<Docker.ContainerInspectInfo> {
  const name = `${bench.name}-model`;
  await startServer(bench, host, events, name);
  const model = await inspectProgram(bench.docker, name);
  await removeProgram(host, events, name);
  return model;
}

async function startServer(
  bench: Bench,
  host: BenchHost,
  events: EngineEvents,
  name: string,
): Promise<ProgramAnswer> {
  const started = events.next(name, 'start');
  await writeManifest(host.registry, name, serverSpec(bench));
  // Before that the host may not have seen the file yet.
  await started;
  return untilState(host, name, 'Ready');
}

/** A program of the test server, as YAML in braces. `env` in YAML, too. */
export function serverSpec({ image }: Bench, env = '{}'): string {
  return `{userId: bench, image: "${image.tag}", env: ${env}, resources: {memory: ${MEMORY}}}`;
}
