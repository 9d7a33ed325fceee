import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { answers } from './answers.ts';
import { assertSameFlags, type BareContainer, createBare } from './bare-engine.ts';
import { type Bench, dockerfileOf, type Measurement } from './bench.ts';
import { type EngineEvents, openEngineEvents } from './engine-events.ts';
import type { BenchHost } from './host-process.ts';
import { until } from './poll.ts';
import { deploy, inspectProgram, removeProgram, untilState, writeManifest } from './programs.ts';
import { type Row, turned } from './stats.ts';

const HOST_PORTS = '29300-29349';
const BARE_PORT_MIN = 29350;
const BARE_PORTS = 50;
/** After a container was removed, the engine still works on its remains; neither side shall pay for the other's. */
const CALM_MS = 100;

/** Milliseconds from the wish to what was wished for. */
interface Times {
  started: number;
  ready: number;
  /** The same of a program that ran before and was stopped. */
  startedAgain: number;
  readyAgain: number;
}

/** How long a program takes to start and to get ready, beside the engine's own calls. */
export const startLatency: Measurement = {
  name: 'start-latency',
  async measure(bench) {
    const host = await bench.startHost({ portRange: HOST_PORTS });
    const events = await openEngineEvents(bench.docker);
    bench.onClose(() => events.close());
    // Makes the image and the network, and warms both sides up: what every later start finds there.
    const model = await prepare(bench, host, events);
    const samples = { rest: [] as Times[], hand: [] as number[], bare: [] as Times[] };
    const contestants = {
      rest: async () => samples.rest.push(await startByRest(bench, host, events)),
      bare: async (round: number) => samples.bare.push(await startBare(bench, events, model, round)),
      hand: async (round: number) => samples.hand.push(await startByHand(bench, host, events, round)),
    };
    for (let round = 0; round < bench.rounds; round++) {
      for (const contestant of turned(Object.values(contestants), round)) {
        await contestant(round);
        await sleep(CALM_MS);
      }
      bench.say(`start-latency: round ${round + 1} of ${bench.rounds}`);
    }
    return rowsOf(samples);
  },
};

function rowsOf({ rest, hand, bare }: { rest: Times[]; hand: number[]; bare: Times[] }): Row[] {
  const row = (name: string, key: keyof Times, against: string, limit: number | null): Row => ({
    name,
    unit: 'ms',
    ours: rest.map((times) => times[key]),
    bare: bare.map((times) => times[key]),
    against,
    limit: limit === null ? null : { kind: 'at most', value: limit },
  });
  const first = row('REST start → container started', 'started', 'create + start', 1.15);
  const byHand = { kind: 'at most', value: 1.35 } as const;
  return [
    first,
    { ...first, name: 'manifest by hand → container started', ours: hand, limit: byHand },
    row('REST start → Ready', 'ready', 'create + start + first 2xx', 1.35),
    row('REST start of a stopped one → container started', 'startedAgain', 'start', null),
    row('REST start of a stopped one → Ready', 'readyAgain', 'start + first 2xx', 1.35),
  ];
}

async function prepare(
  bench: Bench,
  host: BenchHost,
  events: EngineEvents,
): Promise<Docker.ContainerInspectInfo> {
  const { program_id: name } = await deploy(host, dockerfileOf(bench));
  await host.client.json('POST', `/programs/${name}/start`);
  await untilState(host, name, 'Ready');
  const model = await inspectProgram(bench.docker, name);
  await removeProgram(host, events, name);
  await startByRest(bench, host, events);
  await startByHand(bench, host, events, -1);
  await startBare(bench, events, model, -1);
  return model;
}

/** As the deployment guide says: create, then start. The image is there, from the first one of these sources. */
async function startByRest(bench: Bench, host: BenchHost, events: EngineEvents): Promise<Times> {
  const { program_id: name } = await deploy(host, dockerfileOf(bench));
  const begin = async () => {
    await host.client.json('POST', `/programs/${name}/start`);
  };
  const untilReady = async () => {
    await untilState(host, name, 'Ready');
  };
  const first = await timed(events, name, begin, untilReady);
  await host.client.json('POST', `/programs/${name}/stop`);
  await untilState(host, name, 'Stopped');
  await sleep(CALM_MS);
  const again = await timed(events, name, begin, untilReady);
  await removeProgram(host, events, name);
  return { ...first, startedAgain: again.started, readyAgain: again.ready };
}

/** A file in programs/ that names an image which is there. */
async function startByHand(
  bench: Bench,
  host: BenchHost,
  events: EngineEvents,
  round: number,
): Promise<number> {
  const name = `${bench.name}-hand-${round + 1}`;
  const spec = `{userId: bench, image: "${bench.image.tag}"}`;
  const { started } = await timed(
    events,
    name,
    () => writeManifest(host.registry, name, spec),
    async () => {
      await untilState(host, name, 'Ready');
    },
  );
  await removeProgram(host, events, name);
  return started;
}

async function startBare(
  bench: Bench,
  events: EngineEvents,
  model: Docker.ContainerInspectInfo,
  round: number,
): Promise<Times> {
  const name = `${bench.name}-bare-${round + 1}`;
  const port = BARE_PORT_MIN + ((round + 1) % BARE_PORTS);
  const copy = { name, port, instance: `${bench.name}-bare` };
  const untilReady = () => until(`${name} answers`, () => answers(port));
  let container: BareContainer | undefined;
  const first = await timed(
    events,
    name,
    async () => {
      container = await createBare(bench.docker, model, copy);
      await container.start();
    },
    untilReady,
  );
  if (container !== undefined) assertSameFlags(model, await container.inspect());
  await container?.stop();
  await sleep(CALM_MS);
  const again = await timed(events, name, async () => container?.start(), untilReady);
  await container?.remove();
  return { ...first, startedAgain: again.started, readyAgain: again.ready };
}

/**
 * Both ends of a start, by the clock of the benchmark. Readiness is asked for from the start event on: before it
 * nobody can be ready, and asking would only slow the start down.
 */
async function timed(
  events: EngineEvents,
  program: string,
  begin: () => Promise<void>,
  untilReady: () => Promise<void>,
): Promise<{ started: number; ready: number }> {
  const event = events.next(program, 'start');
  const from = performance.now();
  const begun = begin();
  // A refusal ends the wait for an event that will never come.
  const started = await Promise.race([event, begun.then(() => event)]);
  await untilReady();
  const ready = performance.now();
  await begun;
  return { started: started - from, ready: ready - from };
}
