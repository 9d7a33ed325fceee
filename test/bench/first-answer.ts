import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { answers } from './answers.ts';
import { assertSameFlags, createBare } from './bare-engine.ts';
import { type Bench, byEngine, type Measurement } from './bench.ts';
import { type EngineEvents, openEngineEvents } from './engine-events.ts';
import { modelOf, type Seen, serverSpec } from './healing.ts';
import type { BenchHost } from './host-process.ts';
import { until } from './poll.ts';
import { type ProgramAnswer, removeProgram, writeManifest } from './programs.ts';
import { inTurn, type Row } from './stats.ts';

const OFF_PORTS = '27050-27099';
const NO_SPARES_PORTS = '27100-27149';
const SPARES_PORTS = '27150-27199';
const BARE_PORT_MIN = 27_200;
const BARE_PORTS = 50;
/** What was removed is gone by then, and a spare stands ready again. */
const CALM_MS = 2_000;

/**
 * From a manifest written by hand until the program answers on its port, its image there, beside what `docker run -d`
 * has the engine do. The client learns the port from the host, as any client does.
 */
export const firstAnswer: Measurement = {
  name: 'first-answer',
  async measure(bench) {
    const start = (kind: string, portRange: string, flags: Record<string, string>) =>
      bench.startHost({ instance: `${bench.name}-${kind}`, portRange, flags });
    const off = await start('off', OFF_PORTS, {});
    const none = await start('none', NO_SPARES_PORTS, { sandbox: 'on', spares: '0' });
    const spares = await start('spares', SPARES_PORTS, { sandbox: 'on', spares: '2' });
    const events = await openEngineEvents(bench.docker);
    bench.onClose(() => events.close());
    const model = await modelOf(bench, off, events);
    const by = (host: BenchHost, kind: string, seen: Seen) => async (round: number) => {
      const ms = await startOurs(bench, host, events, `${bench.name}-${kind}-${seen}-${round + 1}`, seen);
      await sleep(CALM_MS);
      return ms;
    };
    const bare = (seen: Seen) => async (round: number) => {
      const ms = await startBare(bench, events, model, round, seen);
      await sleep(CALM_MS);
      return ms;
    };
    const contestants = {
      off: by(off, 'off', 'asking'),
      none: by(none, 'none', 'asking'),
      spares: by(spares, 'spares', 'asking'),
      bare: bare('asking'),
      offStart: by(off, 'off', 'start'),
      noneStart: by(none, 'none', 'start'),
      sparesStart: by(spares, 'spares', 'start'),
      bareStart: bare('start'),
    };
    const done = (round: number) => bench.say(`first-answer: round ${round + 1} of ${bench.rounds}`);
    return rowsOf(await inTurn(bench.rounds, contestants, done), byEngine(bench, 0.5, 0.75));
  },
};

type Kind = 'off' | 'none' | 'spares';

function rowsOf(samples: Record<Kind | 'bare' | `${Kind | 'bare'}Start`, number[]>, spareMax: number): Row[] {
  const rows: [kind: Kind, words: string, max: number | null][] = [
    ['off', '', 1.3],
    ['none', ', --sandbox on, no spare', 1.3],
    ['spares', ', --sandbox on, a spare there', spareMax],
  ];
  return rows.flatMap(([kind, words, max]): Row[] => {
    const name = `manifest written → answers${words}`;
    const row = {
      ...({ unit: 'ms', against: 'create + start + first 2xx' } as const),
      limit: max === null ? null : ({ kind: 'at most', value: max } as const),
    };
    return [
      { ...row, name, ours: samples[kind], bare: samples.bare },
      {
        ...{ ...row, name: `${name}, asked from \`start\` on` },
        ...{ ours: samples[`${kind}Start`], bare: samples.bareStart },
      },
    ];
  });
}

async function startOurs(
  bench: Bench,
  host: BenchHost,
  events: EngineEvents,
  name: string,
  seen: Seen,
): Promise<number> {
  const started = events.next(name, 'start');
  const from = performance.now();
  await writeManifest(host.registry, name, serverSpec(bench));
  if (seen === 'start') await started;
  let port = 0;
  await until(`${name} has a port`, async () => {
    port = await portOf(host, name);
    return port !== 0;
  });
  await until(`${name} answers`, () => answers(port));
  const ms = performance.now() - from;
  await started;
  await removeProgram(host, events, name);
  return ms;
}

/** 0 where the host does not know it yet. */
async function portOf(host: BenchHost, name: string): Promise<number> {
  const { programs } = await host.client.json<{ programs: ProgramAnswer[] }>('GET', '/programs');
  const url = programs.find(({ program_id: id }) => id === name)?.proxy_url ?? '';
  return url === '' ? 0 : Number(new URL(url).port);
}

async function startBare(
  bench: Bench,
  events: EngineEvents,
  model: Docker.ContainerInspectInfo,
  round: number,
  seen: Seen,
): Promise<number> {
  const name = `${bench.name}-bare-${seen}-${round + 1}`;
  const port = BARE_PORT_MIN + ((round + 1) % BARE_PORTS);
  const started = events.next(name, 'start');
  const from = performance.now();
  const container = await createBare(bench.docker, model, { name, port, instance: `${bench.name}-bare` });
  const starting = container.start();
  if (seen === 'start') await started;
  await until(`${name} answers`, () => answers(port));
  const ms = performance.now() - from;
  await starting;
  assertSameFlags(model, await container.inspect());
  await container.remove();
  return ms;
}
