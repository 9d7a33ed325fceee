import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PUBLISH_PORT_MAX, PUBLISH_PORT_MIN } from '../../../schemas/program.ts';
import type { Bench, Measurement } from '../bench.ts';
import { fleetNames } from '../fleet.ts';
import { MEMORY } from '../healing.ts';
import type { BenchHost } from '../host-process.ts';
import { inTime, until } from '../poll.ts';
import { cpuMs, rssMb } from '../process-usage.ts';
import { type ProgramAnswer, writeManifest } from '../programs.ts';
import type { Row } from '../stats.ts';
import { stoppedNames, writeStopped } from '../stopped.ts';
import { clientAgent } from '../traffic.ts';
import { ACTORS, type Actor, type Stage } from './actors.ts';
import { ends, type Look, type Run, type Sample, summaryOf } from './figures.ts';
import { writePictures } from './pictures.ts';

const HOST_PORTS = `${PUBLISH_PORT_MIN}-${PUBLISH_PORT_MAX}`;
const MANIFESTS = PUBLISH_PORT_MAX - PUBLISH_PORT_MIN + 1;
const RUNNING = 500;
const STREAMS = 100;
const MINUTES = 30;
const LOOK_EVERY_MS = 5_000;
const MAKING_MS_MAX = 30 * 60_000;
/** Of a run, until what it needs is loaded and its caches are full. */
const WARM_PART = 0.1;
/** No growth: what memory and open files may differ by between a run's beginning and its end. */
const GROWTH_MAX = 1.1;

/**
 * A host as large as it gets, with everything happening at once, for half an hour (`--minutes`): 500 programs that run
 * (`--programs`) among 10,999 (`--manifests`), and whatever `ACTORS` do. `--pictures FOLDER` keeps all of it as JSON and
 * as pictures.
 */
export const large: Measurement = {
  name: 'large',
  onlyByName: true,
  async measure(bench) {
    const minutes = bench.sizes.minutes ?? MINUTES;
    const manifests = Math.min(MANIFESTS, bench.sizes.manifests ?? MANIFESTS);
    const names = fleetNames(`${bench.name}-large`, Math.min(manifests, bench.sizes.programs ?? RUNNING));
    const stopped = stoppedNames(manifests - names.length);
    const sandbox = bench.sandbox ?? 'off';
    const host = await bench.startHost({
      ...{ instance: `${bench.name}-large`, portRange: HOST_PORTS, flags: { sandbox } },
      fill(registry) {
        mkdirSync(join(registry, 'programs'));
        for (const name of stopped) writeStopped(registry, name, 'bench');
      },
    });
    const specOf = (round: number) =>
      `{userId: bench, image: "${bench.image.tag}", env: {ROUND: "${round}"}, resources: {memory: ${MEMORY}}}`;
    const running = await startAll(bench, host, names, specOf, stopped.length);
    const listeners = await listen(bench, host.client.url);
    const { samples, looks } = await run(bench, host, { running, stopped, specOf }, minutes);
    const of = { programs: running.length, manifests, minutes, sandbox };
    const whole: Run = { ...of, samples, looks, listeners: await listeners.told() };
    bench.say(`large: ${JSON.stringify(whole.listeners)}`);
    if (bench.pictures !== undefined) keep(bench.pictures, whole);
    else bench.say('large: no --pictures FOLDER, so only the figures below are left of it');
    return rowsOf(whole);
  },
};

async function startAll(
  bench: Bench,
  host: BenchHost,
  names: readonly string[],
  specOf: Stage['specOf'],
  stopped: number,
): Promise<Stage['running']> {
  for (const name of names) await writeManifest(host.registry, name, specOf(0));
  // Those alone: a list of all, again and again, is a load of its own.
  const ready = async () =>
    (await host.client.json<{ programs: ProgramAnswer[] }>('GET', '/programs?state=Ready')).programs;
  let programs: ProgramAnswer[] = [];
  const areReady = async () => {
    programs = await ready();
    return programs.length >= names.length;
  };
  await until('all programs are Ready', areReady, () => `; ${programs.length} are`, {
    ...{ everyMs: 1_000, limitMs: MAKING_MS_MAX },
  });
  const statuses = join(host.registry, 'status');
  const all = async () => readdirSync(statuses).length >= stopped + names.length;
  await until('all statuses are written', all, undefined, { everyMs: 500, limitMs: MAKING_MS_MAX });
  bench.say(`large: ${names.length} programs run beside ${stopped} that are stopped`);
  const ports = new Map(programs.map(({ program_id: id, proxy_url: url }) => [id, url]));
  return names.map((name) => ({ name, port: Number(new URL(ports.get(name) ?? '').port) }));
}

/** All event streams, in a process of their own. */
async function listen(bench: Bench, url: string): Promise<{ told(): Promise<unknown> }> {
  const script = fileURLToPath(new URL('listeners.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, url, String(STREAMS)], {
    ...{ stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true },
  });
  const ended = once(child, 'exit');
  bench.onClose(async () => {
    child.kill();
    await ended;
  });
  await inTime('all event streams are open', once(child, 'message'), MAKING_MS_MAX);
  bench.say(`large: ${STREAMS} event streams`);
  return {
    async told() {
      const answer = once(child, 'message');
      child.send('tell');
      return (await inTime('the event streams told what came', answer))[0];
    },
  };
}

async function run(
  bench: Bench,
  host: BenchHost,
  given: Pick<Stage, 'running' | 'stopped' | 'specOf'>,
  minutes: number,
): Promise<Pick<Run, 'samples' | 'looks'>> {
  const from = performance.now();
  const now = () => performance.now() - from;
  const agent = clientAgent();
  const isOver = () => now() >= minutes * 60_000;
  const failures = new Map<string, number>();
  const stage: Stage = { ...given, host, agent, now, isOver, failures, busy: new Set(), say: bench.say };
  const actors = Object.keys(ACTORS) as Actor[];
  const samples = Object.fromEntries(actors.map((key) => [key, [] as Sample[]])) as Record<Actor, Sample[]>;
  const looks: Look[] = [];
  const acting = Promise.all(actors.map((key) => ACTORS[key](stage, samples[key])));
  // Whoever fails is told of below, not before.
  acting.catch(() => {});
  while (!isOver()) {
    looks.push(lookAt(host.pid, now()));
    if (looks.length % 12 === 0) bench.say(`large: ${Math.round(now() / 60_000)} of ${minutes} minutes`);
    await sleep(LOOK_EVERY_MS);
  }
  await acting;
  await agent.close();
  for (const [what, count] of failures) bench.say(`large: ${count} requests came to ${what}`);
  return { samples, looks };
}

function lookAt(pid: number, atMs: number): Look {
  const files = readdirSync(`/proc/${pid}/fd`).length;
  return { atMs, rssMb: rssMb(pid), files, cpuMs: cpuMs(pid) };
}

function rowsOf({ programs, manifests, minutes, samples, looks }: Run): Row[] {
  const where = `${programs} of ${manifests} running, ${minutes} min`;
  const alone = { bare: [], against: '', limit: null };
  const rows = Object.entries(samples).flatMap(([what, all]): Row[] => {
    const { p50, p99, failed, count } = summaryOf(all);
    const never = { kind: 'each at most', value: 0 } as const;
    return [
      { ...alone, name: `${where}: ${what}, p50`, unit: 'ms', ours: [p50] },
      { ...alone, name: `${where}: ${what}, p99`, unit: 'ms', ours: [p99] },
      { ...alone, name: `${where}: ${what}, of ${count}`, unit: 'failed', ours: [failed], limit: never },
    ];
  });
  const warmMs = minutes * 60_000 * WARM_PART;
  const growth = (what: string, unit: Row['unit'], of: (look: Look) => number): Row => {
    const { start, end } = ends(looks, of, warmMs);
    const limit = { kind: 'at most', value: GROWTH_MAX } as const;
    return {
      name: `${where}: ${what}`,
      unit,
      ours: [end],
      bare: [start],
      against: 'at its beginning',
      limit,
    };
  };
  return [
    ...rows,
    growth('RSS at the end', 'MB', (look) => look.rssMb),
    growth('open files at the end', 'files', ({ files }) => files),
  ];
}

function keep(folder: string, whole: Run): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'large.json'), JSON.stringify(whole));
  writePictures(folder, whole);
}
